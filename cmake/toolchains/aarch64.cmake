# AArch64, bare metal: clang, with the binutils of Debian's Linux cross compiler, which itself would
# be ten times as much to install. The C++ headers are those of arm-none-eabi's libstdc++, which
# leave every size to the compiler. Only general registers, and no access that is not aligned: the
# images run with the MMU off.
set(CMAKE_C_COMPILER clang-19)
set(CMAKE_CXX_COMPILER clang++-19)
set(CMAKE_ASM_COMPILER clang-19)
foreach(language IN ITEMS C CXX ASM)
  set(CMAKE_${language}_COMPILER_TARGET aarch64-none-elf)
endforeach()
set(CMAKE_AR aarch64-linux-gnu-ar)
set(CMAKE_RANLIB aarch64-linux-gnu-ranlib)
include("${CMAKE_CURRENT_LIST_DIR}/bare-metal.cmake")
set(CMAKE_SYSTEM_PROCESSOR aarch64)
carveout_bare_metal_flags("-mcpu=cortex-a53 -mgeneral-regs-only -mstrict-align -mno-outline-atomics")
file(GLOB headers /usr/include/newlib/c++/*)
string(APPEND CMAKE_CXX_FLAGS_INIT " -nostdinc++ -isystem ${headers} -isystem"
              " ${headers}/arm-none-eabi -isystem /usr/include/newlib")
string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " --ld-path=aarch64-linux-gnu-ld")
