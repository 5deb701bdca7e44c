carveout_board_tools(present clang++-19 "${PROJECT_SOURCE_DIR}/build/cache/libfdt-arm64")
if(present)
  carveout_board_builds(aarch64)
endif()
