kappa_tests(elements kappa_options Eigen3::Eigen)
target_compile_definitions(test_elements PRIVATE KAPPA_NO_DISPATCH)
target_compile_options(test_elements PRIVATE -O1)
