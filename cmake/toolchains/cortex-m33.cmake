# Cortex-M33, bare metal, hard float.
include("${CMAKE_CURRENT_LIST_DIR}/arm-none-eabi.cmake")
set(CMAKE_SYSTEM_PROCESSOR cortex-m33)
carveout_bare_metal_flags("-mcpu=cortex-m33 -mthumb -mfpu=fpv5-sp-d16 -mfloat-abi=hard")
