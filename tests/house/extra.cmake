# Checks of the house itself: floors, format, documentation, bad input, memory. Python's standard
# library is enough for them.
find_program(KAPPA_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(KAPPA_PYTHON)
  add_test(NAME house.floors COMMAND ${KAPPA_PYTHON} ${CMAKE_SOURCE_DIR}/tools/check_floors.py)
  add_test(NAME house.floors_are_checked
           COMMAND ${KAPPA_PYTHON} ${CMAKE_SOURCE_DIR}/tools/check_floors.py --self-test)
  add_test(NAME house.format COMMAND ${KAPPA_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/check_format.py)
  set_tests_properties(house.format PROPERTIES SKIP_RETURN_CODE 77)
  add_test(NAME house.reference
           COMMAND ${KAPPA_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/check_reference.py)
  set_tests_properties(house.reference PROPERTIES SKIP_RETURN_CODE 77)
  get_target_property(eigen_folders Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
  add_test(NAME house.snippet COMMAND ${KAPPA_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/check_snippet.py
                                      ${CMAKE_CXX_COMPILER} ${eigen_folders})
  if(TARGET kappa_cli)
    add_test(NAME house.docs
             COMMAND ${KAPPA_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/check_docs.py $<TARGET_FILE:kappa_cli>)
    set_tests_properties(house.docs PROPERTIES TIMEOUT 300)
    add_test(NAME house.bad_input
             COMMAND ${KAPPA_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/check_bad_input.py
                     $<TARGET_FILE:kappa_cli>)
    set_tests_properties(house.bad_input PROPERTIES TIMEOUT 300)
    # A sanitizer's shadow memory is no part of the budget.
    if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
      add_test(NAME house.memory COMMAND ${KAPPA_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/check_memory.py
                                         $<TARGET_FILE:kappa_cli>)
      set_tests_properties(house.memory PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600 PROCESSORS 2)
    endif()
  endif()
endif()
