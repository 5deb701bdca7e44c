# Shared by the bare-metal Arm toolchain files.
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_ASM_COMPILER arm-none-eabi-gcc)
include("${CMAKE_CURRENT_LIST_DIR}/bare-metal.cmake")
