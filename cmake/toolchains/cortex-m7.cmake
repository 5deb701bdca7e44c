# Cortex-M7, bare metal, hard float: Debian's gcc-arm-none-eabi with libstdc++ headers and no libc.
include("${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake")
set(CMAKE_SYSTEM_PROCESSOR cortex-m7)
carveout_bare_metal_flags("-mcpu=cortex-m7 -mthumb -mfpu=fpv5-d16 -mfloat-abi=hard")
