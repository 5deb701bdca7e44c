carveout_board_tools(present qemu-system-arm)
if(NOT present OR NOT TEST boards/build-cortex-m7)
  return()
endif()

set(images "${CARVEOUT_BUILDS}/cortex-m7/tests/boards/mps2_an500")
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
