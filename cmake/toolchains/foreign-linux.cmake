# What the toolchain files for Linux on other machines share, for tests that qemu-user runs: static, so
# that no library of that machine need be there.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
# A library of the build machine is never the right one here: search a folder that has none.
set(CMAKE_FIND_ROOT_PATH "${CMAKE_CURRENT_LIST_DIR}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
