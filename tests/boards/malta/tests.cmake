carveout_board_tools(present qemu-system-mips)
if(NOT present OR NOT TEST boards/build-mips)
  return()
endif()

set(images "${CARVEOUT_BUILDS}/mips/tests/boards/malta")
carveout_board_test(
  malta
  PRESET mips
  CHECKS 116
  SHOWS "the CPU has it in KSEG1" "every byte arrived, and none beside them"
        "the engine says that it is done with lent memory"
  ARGUMENTS malta "${images}/malta.elf")
carveout_board_test(
  malta-wrong-window
  PRESET mips
  ARGUMENTS
    --status 1
    --last "FAILED malta: "
    --expect "ok   the engine says that it is done"
    --expect "FAIL nothing was moved"
    malta
    "${images}/malta_wrong_window.elf")
