# The tests that start images. They are absent where a tool for them is: a plain build of the library
# needs no emulator. ./test installs all of it.

# carveout_board_tools(<result> <program>...): whether all of these programs are there.
function(carveout_board_tools result)
  set(${result} ON PARENT_SCOPE)
  foreach(program IN LISTS ARGN)
    string(MAKE_C_IDENTIFIER "CARVEOUT_TOOL_${program}" variable)
    find_program(${variable} ${program})
    mark_as_advanced(${variable})
    if(NOT ${variable})
      message(STATUS "Some tests on emulated boards are absent: ${program} was not found")
      set(${result} OFF PARENT_SCOPE)
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

# carveout_board_test(<name> PRESET <preset> ARGUMENTS <argument>...): runs an image; the arguments
# are those of run-image. Skipped where run-image says so.
function(carveout_board_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PRESET" "ARGUMENTS")
  carveout_add_script_test(
    boards/${name}
    COMMAND "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/run-image" ${arg_ARGUMENTS}
    LABELS boards
    TIMEOUT 60)
  set_tests_properties(boards/${name} PROPERTIES FIXTURES_REQUIRED images-${arg_PRESET}
                                                 SKIP_RETURN_CODE 77)
endfunction()

# carveout_port_instructions(<port> PRESET <preset> OBJDUMP <program> [<option>...]): what the port's
# archive has in it, against ports/<port>/instructions.txt.
function(carveout_port_instructions port)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PRESET" "OBJDUMP")
  set(folder ports/${port})
  carveout_add_script_test(
    boards/instructions-${arg_PRESET}
    COMMAND
      "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/check-instructions"
      "${CARVEOUT_BUILDS}/${arg_PRESET}/${folder}/libcarveout_port_${port}.a"
      "${PROJECT_SOURCE_DIR}/${folder}/instructions.txt" ${arg_OBJDUMP}
    LABELS boards
    TIMEOUT 60)
  set_tests_properties(boards/instructions-${arg_PRESET} PROPERTIES FIXTURES_REQUIRED
                                                              images-${arg_PRESET})
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
