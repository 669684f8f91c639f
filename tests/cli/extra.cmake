# The program from the outside: answers, messages, exit codes, files. Debian's Python has NumPy.
if(TARGET kappa_cli)
  find_program(KAPPA_CLI_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
  if(KAPPA_CLI_PYTHON)
    foreach(script answers errors terminal rates)
      add_test(NAME cli.${script}
               COMMAND ${KAPPA_CLI_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/${script}_test.py
                       $<TARGET_FILE:kappa_cli>)
      set_tests_properties(cli.${script} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
    endforeach()
  endif()
endif()
