# The report page in a browser: needs the page (target web) and Chromium, and says so where they are
# missing. Label long: a browser is slow to start, and not part of what every change waits for.
find_program(KAPPA_NODE node)
if(KAPPA_NODE AND TARGET kappa_cli)
  add_test(NAME web.pages
           COMMAND ${KAPPA_NODE} ${CMAKE_CURRENT_LIST_DIR}/run.mjs $<TARGET_FILE:kappa_cli>)
  set_tests_properties(web.pages PROPERTIES LABELS long SKIP_RETURN_CODE 77 TIMEOUT 1200)
elseif(TARGET kappa_cli)  # seen in the list of tests, not silently absent
  add_test(NAME web.pages COMMAND ${CMAKE_COMMAND} -E echo "SKIPPED: no node")
  set_tests_properties(web.pages PROPERTIES LABELS long SKIP_REGULAR_EXPRESSION SKIPPED)
endif()
if(TARGET kappa_cli AND KAPPA_CLI_PYTHON)
  add_test(NAME web.landscape COMMAND ${KAPPA_CLI_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/landscape_test.py
                                      $<TARGET_FILE:kappa_cli>)
  set_tests_properties(web.landscape PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()
kappa_tests(web kappa_report)
