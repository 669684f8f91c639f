# The hostile files are made with the classes that read them.
target_link_libraries(test_onnx PRIVATE ONNX::proto)
target_compile_options(test_onnx PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # GCC bug 105651
# Networks of 224 x 224 pixels take seconds each: ctest -L long.
add_test(NAME onnx.light_models
         COMMAND test_onnx --gtest_also_run_disabled_tests --gtest_filter=OnnxModels.DISABLED_*)
set_tests_properties(onnx.light_models PROPERTIES LABELS long TIMEOUT 1800)
# The program on models: data bound, trained, written, read again; and the table in the docs.
if(TARGET kappa_cli)
  find_program(KAPPA_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
  if(KAPPA_PYTHON)
    add_test(NAME onnx.cli COMMAND ${KAPPA_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/check_onnx_cli.py
                                   $<TARGET_FILE:kappa_cli>)
    set_tests_properties(onnx.cli PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
    add_test(NAME house.onnx_table
             COMMAND ${KAPPA_PYTHON} ${CMAKE_SOURCE_DIR}/tools/onnx_table.py
                     $<TARGET_FILE:kappa_cli>)
  endif()
endif()
