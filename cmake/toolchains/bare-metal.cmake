# What all bare-metal toolchain files share: no operating system, no C library, no start files.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
# A library of the build machine is never the right one here: search a folder that has none, so that
# only what is named by hand is found.
set(CMAKE_FIND_ROOT_PATH "${CMAKE_CURRENT_LIST_DIR}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

macro(carveout_bare_metal_flags machine)
  set(CMAKE_C_FLAGS_INIT "${machine} -ffreestanding -ffunction-sections -fdata-sections")
  set(CMAKE_ASM_FLAGS_INIT "${machine}")
  string(CONCAT CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT} -fno-exceptions -fno-rtti"
                " -fno-threadsafe-statics -fno-use-cxa-atexit -fno-unwind-tables"
                " -fno-asynchronous-unwind-tables")
  set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib -static -Wl,--gc-sections")
endmacro()
