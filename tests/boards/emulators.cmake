# The tests that start images. They are absent where a tool for them is: a plain build of the library
# needs no emulator. ./test installs all of it. What is absent is a test that is skipped.

# carveout_board_tools(<result> <program or path>...): whether all of these are there.
function(carveout_board_tools result)
  set(${result} ON PARENT_SCOPE)
  foreach(tool IN LISTS ARGN)
    string(MAKE_C_IDENTIFIER "CARVEOUT_TOOL_${tool}" variable)
    if(IS_ABSOLUTE "${tool}" AND EXISTS "${tool}")
      continue()
    endif()
    find_program(${variable} ${tool})
    mark_as_advanced(${variable})
    if(${variable})
      continue()
    endif()
    set(${result} OFF PARENT_SCOPE)
    cmake_path(GET tool FILENAME name)
    if(NOT TEST boards/needs-${name})
      carveout_add_script_test(boards/needs-${name} COMMAND "${CMAKE_COMMAND}" -E echo
                               "skipped: ${tool} was not found" LABELS boards)
      set_tests_properties(boards/needs-${name} PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped")
    endif()
  endforeach()
endfunction()

# carveout_board_builds(<preset>): a test that others require, because it builds what they start.
function(carveout_board_builds preset)
  carveout_add_script_test(
    boards/build-${preset}
    COMMAND "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/build-images" ${preset} "${CARVEOUT_BUILDS}/${preset}"
    LABELS boards
    TIMEOUT 900)
  set_tests_properties(boards/build-${preset} PROPERTIES FIXTURES_SETUP images-${preset})
endfunction()

# carveout_board_test(<name> PRESET <preset> [CHECKS <n> SHOWS <check>...] ARGUMENTS <argument>...): runs
# an image; the arguments are those of run-image. With CHECKS all of it is right: so many checks were
# made, these among them, and the contract. Skipped where run-image says so.
function(carveout_board_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PRESET;CHECKS" "SHOWS;ARGUMENTS")
  if(arg_CHECKS)
    list(GET arg_ARGUMENTS 0 board)
    set(right --last "PASS ${board}: ${arg_CHECKS} checks, 0 failed" --expect
              "---- the contract is kept")
    foreach(check IN LISTS arg_SHOWS)
      list(APPEND right --expect "ok   ${check}")
    endforeach()
    list(PREPEND arg_ARGUMENTS ${right})
  endif()
  carveout_add_script_test(
    boards/${name}
    COMMAND "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/run-image" ${arg_ARGUMENTS}
    LABELS boards
    TIMEOUT 60)
  set_tests_properties(boards/${name} PROPERTIES FIXTURES_REQUIRED images-${arg_PRESET}
                                                 SKIP_RETURN_CODE 77)
endfunction()

# carveout_board_tree(<blob> <source> [DEPENDS <file>...]): compiles a device tree source.
function(carveout_board_tree blob source)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "DEPENDS")
  add_custom_command(
    OUTPUT "${blob}"
    COMMAND dtc -q -I dts -O dtb -o "${blob}" "${source}"
    DEPENDS "${source}" ${arg_DEPENDS}
    VERBATIM)
  cmake_path(GET blob STEM name)
  add_custom_target(carveout_board_tree_${name} ALL DEPENDS "${blob}")
endfunction()

# What each architecture's folder builds and each board's folder runs: the former first.
file(GLOB architectures CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*/call.cpp")
file(GLOB boards CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*/image.cpp")
foreach(source IN LISTS architectures boards)
  cmake_path(GET source PARENT_PATH folder)
  include("${folder}/tests.cmake")
endforeach()

# What each port's archive has in it, against the port's list: where a preset is built that has it.
file(GLOB lists CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/ports/*/instructions.txt")
foreach(list IN LISTS lists)
  cmake_path(GET list PARENT_PATH folder)
  cmake_path(GET folder FILENAME port)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${list}")
  file(STRINGS "${list}" lines REGEX "^disassemble ")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^disassemble ([^:]+): (.*)$" line "${line}")
    set(preset ${CMAKE_MATCH_1})
    separate_arguments(objdump UNIX_COMMAND "${CMAKE_MATCH_2}")
    list(GET objdump 0 program)
    carveout_board_tools(present ${program})
    if(NOT present OR NOT TEST boards/build-${preset})
      continue()
    endif()
    carveout_add_script_test(
      boards/instructions-${port}-${preset}
      COMMAND
        "${CMAKE_CURRENT_LIST_DIR}/check-instructions"
        "${CARVEOUT_BUILDS}/${preset}/ports/${port}/libcarveout_port_${port}.a" "${list}" ${objdump}
      LABELS boards
      TIMEOUT 60)
    set_tests_properties(boards/instructions-${port}-${preset} PROPERTIES FIXTURES_REQUIRED images-${preset})
  endforeach()
endforeach()
