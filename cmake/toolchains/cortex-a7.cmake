# Cortex-A7, bare metal. Hard float and int-sized enums, because the libfdt.a that it links comes
# from a hosted ABI with both (Debian armhf).
include("${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake")
set(CMAKE_SYSTEM_PROCESSOR cortex-a7)
carveout_bare_metal_flags(
  "-mcpu=cortex-a7 -mfpu=neon-vfpv4 -mfloat-abi=hard -fno-short-enums -mno-unaligned-access")
