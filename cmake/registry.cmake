# kappa_registry(TARGET KIND FOLDER): writes build/generated/KIND_registry.cpp.
#
# Every file in FOLDER that contains a line `KAPPA_<KIND>(name)` contributes one entry. The generated
# function calls each in file order, so nothing depends on static initialisers that a linker may
# drop, and adding a file adds its entries.
function(kappa_registry target kind folder)
  set(generator ${PROJECT_SOURCE_DIR}/cmake/make_registry.py)
  set(output ${CMAKE_BINARY_DIR}/generated/${kind}_registry.cpp)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  add_custom_command(
    OUTPUT ${output}
    COMMAND python3 ${generator} ${kind} ${output} ${sources}
    DEPENDS ${generator} ${sources}
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
