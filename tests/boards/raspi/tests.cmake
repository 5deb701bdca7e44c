# The same source on two processors, and two negative twins of its tree: a bus whose offset is wrong, and
# no tree at all.
carveout_board_tools(present dtc)
if(NOT present)
  return()
endif()
foreach(tree IN ITEMS raspi wrong_offset)
  carveout_board_tree(
    "${CMAKE_CURRENT_BINARY_DIR}/${tree}.dtb" "${CMAKE_CURRENT_LIST_DIR}/${tree}.dts"
    DEPENDS "${CMAKE_CURRENT_LIST_DIR}/raspi.dts")
endforeach()

# carveout_raspi_tests(<board> <preset> <emulator> <the board's own tree>)
function(carveout_raspi_tests board preset emulator real_tree)
  carveout_board_tools(present ${emulator})
  if(NOT present OR NOT TEST boards/build-${preset})
    return()
  endif()
  set(shown "the bus adds 0xc0000000" "every byte arrived, and none beside them"
            "the engine says that it is done with lent memory")
  set(image "${CARVEOUT_BUILDS}/${preset}/tests/boards/raspi/${board}.elf")
  carveout_board_test(
    ${board}
    PRESET ${preset}
    CHECKS 90
    SHOWS ${shown}
    ARGUMENTS ${board} "${image}" "${CMAKE_CURRENT_BINARY_DIR}/raspi.dtb")
  carveout_board_test(
    ${board}-wrong-offset
    PRESET ${preset}
    ARGUMENTS
      --status 1
      --last "FAILED ${board}: "
      --expect "FAIL the bus adds 0xc0000000"
      --expect "FAIL nothing was moved"
      ${board}
      "${image}"
      "${CMAKE_CURRENT_BINARY_DIR}/wrong_offset.dtb")
  carveout_board_test(
    ${board}-without-tree
    PRESET ${preset}
    ARGUMENTS
      --status 1
      --last "FAILED ${board}: 2 checks, 2 failed"
      --expect "FAIL a device tree is at address 0: have 0x0,"
      --expect "FAIL the tree can be measured"
      ${board}
      "${image}")
  carveout_board_test(
    ${board}-real-tree
    PRESET ${preset}
    CHECKS 90
    SHOWS ${shown}
    ARGUMENTS ${board} "${image}" @${real_tree})
endfunction()

carveout_raspi_tests(raspi2b cortex-a7 qemu-system-arm bcm2836-rpi-2-b.dtb)
carveout_raspi_tests(raspi3b aarch64 qemu-system-aarch64 bcm2837-rpi-3-b-plus.dtb)
