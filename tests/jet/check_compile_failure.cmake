# cmake -DCOMPILER=... -DINCLUDES=a;b -DSOURCE=x.cpp -P: the source must fail with exactly one error,
# and that error must be the sentence in its first line.
file(STRINGS ${SOURCE} first LIMIT_COUNT 1)
string(REPLACE "// expect: " "" sentence "${first}")
set(flags)
foreach(folder ${INCLUDES})
  list(APPEND flags -isystem ${folder})
endforeach()
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only ${flags} ${SOURCE}
                ERROR_VARIABLE log RESULT_VARIABLE failed)
string(REGEX MATCHALL "error: " errors "${log}")
list(LENGTH errors count)
string(FIND "${log}" "${sentence}" found)
if(NOT failed OR NOT count EQUAL 1 OR found EQUAL -1)
  message(FATAL_ERROR "expected one error with '${sentence}', found ${count}:\n${log}")
endif()
