# Helpers that add tests. Labels: unit, trees, boards, checks, consumer, compile_fail, fuzz.

set(CARVEOUT_ADD_SUITES "${CMAKE_CURRENT_LIST_DIR}/AddSuites.cmake")

# Where the presets build: the tests of images and archives take them from there.
set(CARVEOUT_BUILDS
    "${PROJECT_SOURCE_DIR}/build"
    CACHE PATH "The folder of the other presets' build folders")

# Tests that run on other machines, too, by qemu-user: the presets mips-linux and s390x-linux build them
# and no others.
set(CARVEOUT_MIPS_TESTS
    check_test
    core_test
    linux_test
    map_test
    ops_test
    pool_test
    port_test
    setup_test)
set(CARVEOUT_S390X_TESTS ${CARVEOUT_MIPS_TESTS} errors_test found_or_declared_test)

# carveout_add_foreign_tests(<processor>): each of its tests, as <processor>/<name>.
function(carveout_add_foreign_tests processor)
  string(TOUPPER "CARVEOUT_${processor}_TESTS" tests)
  foreach(name IN LISTS ${tests})
    add_test(NAME ${processor}/${name} COMMAND qemu-${processor}
                                               "${CARVEOUT_BUILDS}/${processor}-linux/foreign/${name}")
    set_tests_properties(${processor}/${name} PROPERTIES LABELS foreign TIMEOUT 300 SKIP_RETURN_CODE
                                                                                    77)
  endforeach()
endfunction()

# carveout_add_test(<name> SOURCES <file>... [LIBS <target>...] [LABELS <label>...]
#                   [DEFINES <definition>...] [TIMEOUT <seconds>])
#
# A GoogleTest program (RapidCheck included), linked with carveout::core and LIBS. Each of its suites
# becomes a ctest test with the name <name>/<Suite>. LABELS is unit unless given.
function(carveout_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBS;LABELS;DEFINES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "carveout_add_test(${name}): SOURCES missing, or unknown arguments: "
                        "${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  carveout_target_defaults(${name})
  # The optimiser and the sanitizers together take as long on the expansions of EXPECT_EQ as all else;
  # what is tested is optimised all the same.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Debug>:-O0>)
  target_compile_definitions(${name} PRIVATE ${arg_DEFINES})
  target_link_libraries(${name} PRIVATE carveout::core ${arg_LIBS} carveout_test_main)
  if(CMAKE_CROSSCOMPILING)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/foreign")
    string(TOUPPER "CARVEOUT_${CMAKE_SYSTEM_PROCESSOR}_TESTS" tests)
    if(NOT name IN_LIST ${tests})
      set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
    return()
  endif()
  target_link_libraries(${name} PRIVATE rapidcheck)

  list(JOIN arg_LABELS "," labels)
  set(suites "${CMAKE_CURRENT_BINARY_DIR}/${name}_suites.cmake")
  add_custom_command(
    TARGET ${name}
    POST_BUILD
    COMMAND
      "${CMAKE_COMMAND}" -D "PROGRAM=$<TARGET_FILE:${name}>" -D "NAME=${name}" -D
      "LABELS=${labels}" -D "TIMEOUT=${arg_TIMEOUT}" -D "TO=${suites}" -P "${CARVEOUT_ADD_SUITES}"
    BYPRODUCTS "${suites}"
    VERBATIM)
  # Of a program that was never built, ctest says that it is missing.
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${name}_include.cmake")
  file(WRITE "${script}" "if(EXISTS [==[${suites}]==])\n  include([==[${suites}]==])\nelse()\n"
                         "  add_test([==[${name}_NOT_BUILT]==] [==[${name}_NOT_BUILT]==])\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${script}")
endfunction()

# carveout_add_script_test(<name> COMMAND <program> <argument>... [LABELS <label>...]
#                          [TIMEOUT <seconds>])
#
# A test that is a command; it runs at the top of the source tree.
function(carveout_add_script_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "COMMAND;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_test(
    NAME ${name}
    COMMAND ${arg_COMMAND}
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()

# carveout_add_fuzz_target(<name> SOURCES <file>... CORPUS <folder> [LIBS <target>...] [RUNS <n>]
#                          [DICTIONARY <file>] [MAX_LEN <bytes>])
#
# In a build with CARVEOUT_BUILD_FUZZ (preset fuzz): a libFuzzer program, in the build's folder fuzz/.
# In a build with tests: the ctest test fuzz/<name>, which runs the program of the preset fuzz over
# the corpus, then RUNS times (5000 unless given) from a fixed seed. The corpus is only read.
function(carveout_add_fuzz_target name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORPUS;RUNS;DICTIONARY;MAX_LEN" "SOURCES;LIBS")
  if(CARVEOUT_BUILD_FUZZ)
    add_executable(${name} ${arg_SOURCES})
    carveout_target_defaults(${name})
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${name} PRIVATE carveout::core ${arg_LIBS})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz")
    add_dependencies(carveout_fuzzers ${name})
  endif()
  if(CARVEOUT_BUILD_TESTS)
    if(NOT arg_RUNS)
      set(arg_RUNS 5000)
    endif()
    set(options -seed=1 -runs=${arg_RUNS} -timeout=5 -rss_limit_mb=1024 -print_final_stats=1
                "-artifact_prefix=${CMAKE_CURRENT_BINARY_DIR}/")
    if(arg_DICTIONARY)
      list(APPEND options "-dict=${CMAKE_CURRENT_SOURCE_DIR}/${arg_DICTIONARY}")
    endif()
    if(arg_MAX_LEN)
      list(APPEND options -max_len=${arg_MAX_LEN})
    endif()
    # The first folder is where libFuzzer writes what it discovers; the corpus is the second.
    set(found "${CMAKE_CURRENT_BINARY_DIR}/${name}.found")
    file(MAKE_DIRECTORY "${found}")
    carveout_add_script_test(
      fuzz/${name} COMMAND "${CARVEOUT_BUILDS}/fuzz/fuzz/${name}" ${options} "${found}"
                           "${CMAKE_CURRENT_SOURCE_DIR}/${arg_CORPUS}" LABELS fuzz)
  endif()
endfunction()
