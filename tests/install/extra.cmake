# What a user does with the package, in a clean folder: install, find, build, run. `long`: the
# shared library and add_subdirectory build Kappa again (ctest -L long).
set(ways static shared pkg_config add_subdirectory)
find_program(DPKG_DEB dpkg-deb)
if(DPKG_DEB AND TARGET kappa_cli)
  list(APPEND ways deb)
endif()
foreach(way ${ways})
  add_test(NAME install.${way}
           COMMAND ${CMAKE_COMMAND} -DWAY=${way} -DSOURCE=${CMAKE_SOURCE_DIR}
                   -DBUILD=${CMAKE_BINARY_DIR} -DGENERATOR=${CMAKE_GENERATOR}
                   -DCOMPILER=${CMAKE_CXX_COMPILER} -DLAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}
                   -P ${CMAKE_CURRENT_LIST_DIR}/check_install.cmake)
  set_tests_properties(install.${way} PROPERTIES LABELS long TIMEOUT 6000 RUN_SERIAL ON)
endforeach()

# Every public header alone, and one use of each, without a warning of the user's.
if(KAPPA_PYTHON)
  get_target_property(eigen_folders Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
  add_test(NAME install.headers
           COMMAND ${KAPPA_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/check_headers.py ${CMAKE_CXX_COMPILER}
                   ${eigen_folders})
  set_tests_properties(install.headers PROPERTIES LABELS long TIMEOUT 600)
endif()
