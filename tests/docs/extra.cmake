# The C++ of the guides: snippets_test.cpp compiles it and asserts what it says, check_snippets.py
# finds every block of the guides in there.
kappa_tests(docs kappa_report)
# Snippets call everything x. On the file, so that it stands after the tree's own warnings.
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/snippets_test.cpp
                            PROPERTIES COMPILE_OPTIONS -Wno-shadow)
add_test(NAME docs.snippets COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/check_snippets.py
                                    ${CMAKE_SOURCE_DIR})

# The larger examples, where what they need is installed; each exits 0 when its answers agree.
find_package(PkgConfig QUIET)
pkg_check_modules(IPOPT IMPORTED_TARGET QUIET ipopt)
if(TARGET PkgConfig::IPOPT)
  add_executable(example_ipopt ${CMAKE_SOURCE_DIR}/examples/ipopt/main.cpp)
  target_link_libraries(example_ipopt PRIVATE kappa_report PkgConfig::IPOPT)
  add_test(NAME examples.ipopt COMMAND example_ipopt)
endif()
# By its files: its package looks for a dozen others and says so.
find_path(CERES_INCLUDE_DIR ceres/ceres.h)
find_library(CERES_LIBRARY ceres)
find_library(GLOG_LIBRARY glog)
if(CERES_INCLUDE_DIR AND CERES_LIBRARY AND GLOG_LIBRARY)
  add_executable(example_ceres ${CMAKE_SOURCE_DIR}/examples/ceres/main.cpp)
  target_link_libraries(example_ceres PRIVATE kappa_report ${CERES_LIBRARY} ${GLOG_LIBRARY})
  add_test(NAME examples.ceres COMMAND example_ceres)
endif()
