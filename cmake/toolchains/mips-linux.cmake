# Linux on MIPS32: 32 bits and big-endian.
set(CMAKE_C_COMPILER mips-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER mips-linux-gnu-g++)
include("${CMAKE_CURRENT_LIST_DIR}/foreign-linux.cmake")
set(CMAKE_SYSTEM_PROCESSOR mips)
