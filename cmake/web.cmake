# The report page (web/): built by npm into one file, web/dist/index.html, and taken into the binary
# by src/report/html.cpp. A build without it works; --html then says what is missing.
#
#   cmake --build build/release --target web     builds the page (npm, network on the first run)
#   -DKAPPA_WEB=ON                               does so as part of every build
#
# The file is looked for at each build, so once it exists the next build has it.
option(KAPPA_WEB "Build the report page with npm" OFF)
set(web_page ${CMAKE_SOURCE_DIR}/web/dist/index.html)
find_program(NPM npm)
if(NPM)
  set(web_commands
      COMMAND ${CMAKE_COMMAND} -E chdir ${CMAKE_SOURCE_DIR}/web ${NPM} install --no-save --no-audit --no-fund
      COMMAND ${CMAKE_COMMAND} -E chdir ${CMAKE_SOURCE_DIR}/web ${NPM} run build)
  if(KAPPA_WEB)
    file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/src/*)
    add_custom_command(
      OUTPUT ${web_page} ${web_commands}
      DEPENDS ${web_sources} ${CMAKE_SOURCE_DIR}/web/index.html
              ${CMAKE_SOURCE_DIR}/web/package-lock.json ${CMAKE_SOURCE_DIR}/web/vite.config.ts
      COMMENT "Report page" VERBATIM)
    add_custom_target(web DEPENDS ${web_page})
  else()
    # Only on request: no rule makes the file, so an ordinary build never runs npm.
    add_custom_target(web ${web_commands} COMMENT "Report page" VERBATIM)
  endif()
elseif(KAPPA_WEB)
  message(FATAL_ERROR "KAPPA_WEB=ON needs npm (Debian: apt install npm)")
endif()
file(GLOB web_built CONFIGURE_DEPENDS ${web_page})
if(web_built OR KAPPA_WEB)
  set_source_files_properties(src/report/html.cpp PROPERTIES
    COMPILE_DEFINITIONS KAPPA_PAGE_TEMPLATE="${web_page}" OBJECT_DEPENDS ${web_page})
endif()
