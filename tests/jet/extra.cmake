# Mistakes that the compiler sees give one readable sentence: each snippet must fail with exactly it.
file(GLOB snippets CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/compile_fail/*.cpp)
get_target_property(eigen_folders Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
foreach(snippet ${snippets})
  get_filename_component(name ${snippet} NAME_WE)
  add_test(NAME jet.compile_fail.${name}
           COMMAND ${CMAKE_COMMAND} -DCOMPILER=${CMAKE_CXX_COMPILER}
                   "-DINCLUDES=${CMAKE_SOURCE_DIR}/include;${eigen_folders}" -DSOURCE=${snippet}
                   -P ${CMAKE_CURRENT_LIST_DIR}/check_compile_failure.cmake)
endforeach()
# Every callable of these is compiled for four questions at three instruction sets; -O1 keeps that
# bearable, and the benchmarks check the same results at -O3.
set_source_files_properties(jet/elements_test.cpp jet/elements_lanes_test.cpp
                            PROPERTIES COMPILE_OPTIONS "-O1")
