# Linux on z/Architecture: 64 bits and big-endian.
set(CMAKE_C_COMPILER s390x-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER s390x-linux-gnu-g++)
include("${CMAKE_CURRENT_LIST_DIR}/foreign-linux.cmake")
set(CMAKE_SYSTEM_PROCESSOR s390x)
