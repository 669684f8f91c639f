# What a user does with the package, in a clean folder: install, find, build, run. `long`: the
# shared library and add_subdirectory build Kappa again (ctest -L long).
foreach(way static shared pkg_config add_subdirectory)
  add_test(NAME install.${way}
           COMMAND ${CMAKE_COMMAND} -DWAY=${way} -DSOURCE=${CMAKE_SOURCE_DIR}
                   -DBUILD=${CMAKE_BINARY_DIR} -DGENERATOR=${CMAKE_GENERATOR}
                   -DCOMPILER=${CMAKE_CXX_COMPILER} -DLAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}
                   -P ${CMAKE_CURRENT_LIST_DIR}/check_install.cmake)
  set_tests_properties(install.${way} PROPERTIES LABELS long TIMEOUT 3000 RUN_SERIAL ON)
endforeach()
