# Networks of 224 x 224 pixels take seconds each: ctest -L long.
add_test(NAME onnx.light_models
         COMMAND test_onnx --gtest_also_run_disabled_tests --gtest_filter=OnnxModels.DISABLED_*)
set_tests_properties(onnx.light_models PROPERTIES LABELS long TIMEOUT 1800)
