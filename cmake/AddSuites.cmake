# After a test program was linked: writes a ctest test for each of its suites.
#
#   cmake -D PROGRAM=<file> -D NAME=<name> -D LABELS=<label,...> -D TIMEOUT=<seconds> -D TO=<file>
#         -P AddSuites.cmake
#
# A process for each suite, and not for each test: a process with sanitizers takes a tenth of a
# second to start, most tests take less than a thousandth.
execute_process(
  COMMAND "${PROGRAM}" --gtest_list_tests
  OUTPUT_VARIABLE listed
  COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "," "\\;" labels "${LABELS}")

# Suites stand at the beginning of a line and end with a dot; tests are indented.
string(REGEX MATCHALL "(^|\n)[A-Za-z0-9_/]+\\." suites "${listed}")
set(script "")
foreach(suite IN LISTS suites)
  string(STRIP "${suite}" suite)
  if(suite MATCHES "(^|/)DISABLED_")
    continue()
  endif()
  string(REGEX REPLACE "\\.$" "" title "${suite}")
  string(
    APPEND
    script
    "add_test([==[${NAME}/${title}]==] [==[${PROGRAM}]==] [==[--gtest_filter=${suite}*]==])\n"
    "set_tests_properties([==[${NAME}/${title}]==] PROPERTIES LABELS \"${labels}\" "
    "TIMEOUT ${TIMEOUT} SKIP_RETURN_CODE 77)\n")
endforeach()
if(NOT script)
  message(FATAL_ERROR "${PROGRAM} lists no test")
endif()
file(WRITE "${TO}" "${script}")
