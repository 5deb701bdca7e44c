carveout_board_tools(present arm-none-eabi-g++ "${PROJECT_SOURCE_DIR}/build/cache/libfdt-armhf")
if(present)
  carveout_board_builds(cortex-a7)
endif()
