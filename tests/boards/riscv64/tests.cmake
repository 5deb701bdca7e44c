carveout_board_tools(present riscv64-linux-gnu-g++)
if(present)
  carveout_board_builds(riscv64)
endif()
