carveout_board_tools(present qemu-system-arm)
if(NOT present OR NOT TEST boards/build-cortex-m7)
  return()
endif()

set(images "${CARVEOUT_BUILDS}/cortex-m7/tests/boards/mps2_an500")
carveout_board_test(
  mps2-an500
  PRESET cortex-m7
  CHECKS 142
  SHOWS "the pool lies where the linker has it" "C is 0: the pool is not cached"
        "to read it now is a fault" "and came in the middle of the main context's verbs"
  ARGUMENTS mps2-an500 "${images}/mps2_an500.elf")
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

# The worst call of each verb, in instructions. A plugin of the emulator counts them.
add_subdirectory(count)
carveout_add_script_test(
  boards/mps2-an500-instructions
  COMMAND
    "${CMAKE_CURRENT_LIST_DIR}/../count-instructions"
    "$<TARGET_FILE:carveout_instruction_counter>" "${PROJECT_SOURCE_DIR}/docs/performance.md"
    "${images}/mps2_an500_verbs_dense.elf" "${images}/mps2_an500_verbs_sparse.elf"
  LABELS boards
  TIMEOUT 120)
set_tests_properties(boards/mps2-an500-instructions PROPERTIES FIXTURES_REQUIRED images-cortex-m7)
