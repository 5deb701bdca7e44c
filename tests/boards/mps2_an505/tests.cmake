carveout_board_tools(present qemu-system-arm)
if(NOT present OR NOT TEST boards/build-cortex-m33)
  return()
endif()

set(images "${CARVEOUT_BUILDS}/cortex-m33/tests/boards/mps2_an505")
carveout_board_test(
  mps2-an505
  PRESET cortex-m33
  CHECKS 90
  SHOWS "it covers the pool and nothing beside it" "the pool lies where the linker has it"
        "every byte arrived, and none beside them"
        "the engine says that it is done with lent memory"
  ARGUMENTS mps2-an505 "${images}/mps2_an505.elf")
carveout_board_test(
  mps2-an505-without-region
  PRESET cortex-m33
  ARGUMENTS
    --status 1
    --last "FAILED mps2-an505: "
    --expect "FAIL the pool's region is on"
    --expect "FAIL and what it holds is not cached"
    mps2-an505
    "${images}/mps2_an505_without_region.elf")
carveout_board_test(
  mps2-an505-wrong-window
  PRESET cortex-m33
  ARGUMENTS
    --status 1
    --last "FAILED mps2-an505: "
    --expect "ok   the engine says that it is done"
    --expect "FAIL nothing was moved"
    mps2-an505
    "${images}/mps2_an505_wrong_window.elf")
