carveout_board_tools(present mips-linux-gnu-g++)
if(present)
  carveout_board_builds(mips)
endif()
