# The program against the golden files, end to end. Debian's Python is the one with NumPy.
if(TARGET kappa_cli)
  find_program(KAPPA_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
  if(KAPPA_PYTHON)
    foreach(suite formulas mgh networks)
      add_test(NAME golden.${suite}
               COMMAND ${KAPPA_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/check_cli.py
                       $<TARGET_FILE:kappa_cli> --only ${suite})
      set_tests_properties(golden.${suite} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
    endforeach()
  endif()
endif()
