# The same source on two processors, and its negative twins: a device with fewer address bits than its
# driver states moves nothing, memory that is given back or unmapped too early is written over, and on the
# tree of another machine, or on none, the image goes no further.
carveout_board_tools(dtc dtc)
if(dtc)
  carveout_board_tree("${CMAKE_CURRENT_BINARY_DIR}/wrong_tree.dtb"
                      "${CMAKE_CURRENT_LIST_DIR}/wrong_tree.dts")
endif()
set(checks_aarch64 106)
set(checks_riscv64 127) # of its tree and of Zicbom, besides
foreach(processor IN ITEMS aarch64 riscv64)
  set(board virt-${processor})
  carveout_board_tools(present qemu-system-${processor})
  if(NOT present OR NOT TEST boards/build-${processor})
    continue()
  endif()
  set(images "${CARVEOUT_BUILDS}/${processor}/tests/boards/virt")
  carveout_board_test(
    ${board}
    PRESET ${processor}
    CHECKS ${checks_${processor}}
    SHOWS "28 address bits: the pool is refused when it is bound"
          "every byte arrived, and none beside them"
          "the engine says that it is done with lent memory"
          "the other owners' bytes are as they wrote them"
    ARGUMENTS ${board} "${images}/virt.elf")
  carveout_board_test(
    ${board}-mask-too-small
    PRESET ${processor}
    ARGUMENTS
      --status 1
      --last "FAILED ${board}: "
      --expect "ok   the engine says that it is done"
      --expect "FAIL nothing was moved"
      ${board}-28
      "${images}/virt.elf")
  carveout_board_test(
    ${board}-frees-while-busy
    PRESET ${processor}
    ARGUMENTS
      --status 1
      --last "FAILED ${board}: "
      --expect "FAIL the other owners' bytes are as they wrote them"
      ${board}
      "${images}/virt_frees_while_busy.elf")
  # The first line says that the device was in fact busy all that time.
  carveout_board_test(
    ${board}-unmaps-while-busy
    PRESET ${processor}
    ARGUMENTS
      --status 1
      --last "FAILED ${board}: "
      --expect "ok   the device is still busy when the CPU has written"
      --expect "FAIL what the device wrote is there from unmap on"
      --expect "FAIL what the CPU writes after unmap stays"
      --expect "FAIL the other owners' bytes are as they wrote them"
      ${board}
      "${images}/virt_unmaps_while_busy.elf")
  if(dtc)
    carveout_board_test(
      ${board}-wrong-tree
      PRESET ${processor}
      ARGUMENTS
        --status 1
        --last "FAILED ${board}: 3 checks, 1 failed"
        --expect "FAIL the device tree's size is the stated tree's"
        ${board}
        "${images}/virt.elf"
        "${CMAKE_CURRENT_BINARY_DIR}/wrong_tree.dtb")
  endif()
  # AArch64 finds its tree by no register: it is where the RAM begins, and cannot be left out.
  if(processor STREQUAL "riscv64")
    carveout_board_test(
      ${board}-without-tree
      PRESET ${processor}
      ARGUMENTS
        --status 1
        --last "FAILED ${board}: 1 checks, 1 failed"
        --expect "FAIL there is a device tree in RAM"
        ${board}-without-tree
        "${images}/virt.elf")
    carveout_board_test(
      ${board}-no-tree-in-a1
      PRESET ${processor}
      ARGUMENTS
        --status 1
        --last "FAILED ${board}: 2 checks, 1 failed"
        --expect "FAIL the device tree's magic"
        ${board}-no-tree-in-a1
        "${images}/virt.elf")
  endif()
endforeach()

# What the image for RISC-V was built with is what comes of the tree that the emulator states.
carveout_board_tools(present qemu-system-riscv64)
if(present AND TARGET carveout)
  carveout_add_script_test(
    boards/virt-riscv64-tables COMMAND tests/boards/virt/riscv64/make-tables
                                       $<TARGET_FILE:carveout> --check LABELS boards)
endif()
