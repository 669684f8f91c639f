if(TARGET test_minimize)
  target_include_directories(test_minimize PRIVATE ${CMAKE_SOURCE_DIR})  # bench/large_functions.h
  # What takes longer than a change should wait for: ctest -L long.
  add_test(NAME minimize.mgh_table
           COMMAND ${CMAKE_COMMAND} -E env KAPPA_LONG=1 $<TARGET_FILE:test_minimize>
                   --gtest_filter=MghTable.*)
  add_test(NAME minimize.large
           COMMAND ${CMAKE_COMMAND} -E env KAPPA_LARGE=1000000 KAPPA_TABLE=1
                   $<TARGET_FILE:test_minimize> --gtest_filter=*Large*)
  set_tests_properties(minimize.mgh_table PROPERTIES LABELS long TIMEOUT 1800)
  set_tests_properties(minimize.large PROPERTIES LABELS long TIMEOUT 3600)
endif()
find_program(KAPPA_KILL_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(TARGET kappa_cli AND KAPPA_KILL_PYTHON)
  add_test(NAME minimize.kill
           COMMAND ${KAPPA_KILL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/kill_cli_test.py
                   $<TARGET_FILE:kappa_cli>)
  set_tests_properties(minimize.kill PROPERTIES LABELS long TIMEOUT 1800)
endif()
