# The tests that start images. They are absent where a tool for them is: a plain build of the library
# needs no emulator. ./test installs all of it.
find_program(CARVEOUT_QEMU_ARM qemu-system-arm)
find_program(CARVEOUT_CROSS_ARM arm-none-eabi-g++)
find_program(CARVEOUT_OBJDUMP_ARM arm-none-eabi-objdump)
find_program(CARVEOUT_DTC dtc)
mark_as_advanced(CARVEOUT_QEMU_ARM CARVEOUT_CROSS_ARM CARVEOUT_OBJDUMP_ARM CARVEOUT_DTC)
foreach(tool IN ITEMS CARVEOUT_QEMU_ARM CARVEOUT_CROSS_ARM CARVEOUT_OBJDUMP_ARM CARVEOUT_DTC)
  if(NOT ${tool})
    message(STATUS "Tests on emulated boards are absent: ${tool} was not found")
    return()
  endif()
endforeach()

# carveout_board_builds(<preset>): a test that others require, because it builds what they start.
function(carveout_board_builds preset)
  carveout_add_script_test(
    boards/build-${preset}
    COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/build-images" ${preset} "${CARVEOUT_BUILDS}/${preset}"
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
    COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/run-image" ${arg_ARGUMENTS}
    LABELS boards
    TIMEOUT 60)
  set_tests_properties(boards/${name} PROPERTIES FIXTURES_REQUIRED images-${arg_PRESET}
                                                 SKIP_RETURN_CODE 77)
endfunction()

# carveout_port_instructions(<port> PRESET <preset>): what the port's archive has in it, against
# ports/<port>/instructions.txt.
function(carveout_port_instructions port)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PRESET" "")
  set(folder ports/${port})
  carveout_add_script_test(
    boards/instructions-${port}
    COMMAND
      "${CMAKE_CURRENT_SOURCE_DIR}/check-instructions" "${CARVEOUT_OBJDUMP_ARM}"
      "${CARVEOUT_BUILDS}/${arg_PRESET}/${folder}/libcarveout_port_${port}.a"
      "${PROJECT_SOURCE_DIR}/${folder}/instructions.txt"
    LABELS boards
    TIMEOUT 60)
  set_tests_properties(boards/instructions-${port} PROPERTIES FIXTURES_REQUIRED
                                                              images-${arg_PRESET})
endfunction()

# ---- mps2-an500 ----------------------------------------------------------------------------------

set(images "${CARVEOUT_BUILDS}/cortex-m7/tests/boards/mps2_an500")
carveout_board_builds(cortex-m7)
carveout_port_instructions(cortex_m PRESET cortex-m7)
carveout_board_test(
  mps2-an500
  PRESET cortex-m7
  ARGUMENTS --last "PASS mps2-an500: " mps2-an500 "${images}/mps2_an500.elf")
carveout_board_test(
  mps2-an500-without-region
  PRESET cortex-m7
  ARGUMENTS
    --status 1
    --last "FAILED mps2-an500: "
    --expect "FAIL the pool's region is on"
    --expect "FAIL it covers the pool"
    mps2-an500
    "${images}/mps2_an500_without_region.elf")

# ---- raspi2b -------------------------------------------------------------------------------------

if(NOT EXISTS "${PROJECT_SOURCE_DIR}/build/cache/libfdt-armhf")
  message(STATUS "Tests on raspi2b are absent: no libfdt for it (tools/fetch-libfdt armhf)")
  return()
endif()

foreach(tree IN ITEMS raspi2b wrong_offset)
  set(blob "${CMAKE_CURRENT_BINARY_DIR}/${tree}.dtb")
  set(source "${CMAKE_CURRENT_SOURCE_DIR}/raspi2b/${tree}.dts")
  add_custom_command(
    OUTPUT "${blob}"
    COMMAND "${CARVEOUT_DTC}" -q -I dts -O dtb -o "${blob}" "${source}"
    DEPENDS "${source}" "${CMAKE_CURRENT_SOURCE_DIR}/raspi2b/raspi2b.dts"
    VERBATIM)
  list(APPEND blobs "${blob}")
endforeach()
add_custom_target(carveout_board_trees ALL DEPENDS ${blobs})

set(images "${CARVEOUT_BUILDS}/cortex-a7/tests/boards/raspi2b")
carveout_board_builds(cortex-a7)
carveout_port_instructions(cortex_a PRESET cortex-a7)
carveout_board_test(
  raspi2b
  PRESET cortex-a7
  ARGUMENTS --last "PASS raspi2b: " raspi2b "${images}/raspi2b.elf"
            "${CMAKE_CURRENT_BINARY_DIR}/raspi2b.dtb")
carveout_board_test(
  raspi2b-wrong-offset
  PRESET cortex-a7
  ARGUMENTS
    --status 1
    --last "FAILED raspi2b: "
    --expect "FAIL the bus adds 0xc0000000"
    --expect "FAIL nothing was moved"
    raspi2b
    "${images}/raspi2b.elf"
    "${CMAKE_CURRENT_BINARY_DIR}/wrong_offset.dtb")
carveout_board_test(
  raspi2b-real-tree
  PRESET cortex-a7
  ARGUMENTS --last "PASS raspi2b: " raspi2b "${images}/raspi2b.elf" @bcm2836-rpi-2-b.dtb)
