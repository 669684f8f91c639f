# A minute of fuzzing per parser, for the long tests: ctest -L long.
find_program(KAPPA_FUZZ_CXX clang++-14)
if(KAPPA_FUZZ_CXX)
  add_test(NAME fuzz.parsers COMMAND ${CMAKE_SOURCE_DIR}/fuzz/run.sh 60)
  set_tests_properties(fuzz.parsers PROPERTIES LABELS long TIMEOUT 3600 RUN_SERIAL ON
                       ENVIRONMENT "KAPPA_FUZZ_BUILD=${CMAKE_BINARY_DIR}/fuzz")
endif()
