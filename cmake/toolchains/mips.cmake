# MIPS32 release 2, big-endian, bare metal: Debian's Linux cross compiler used freestanding. Calling
# convention and floats are those of Linux, because its libgcc and its C headers have no others.
set(CMAKE_C_COMPILER mips-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER mips-linux-gnu-g++)
set(CMAKE_ASM_COMPILER mips-linux-gnu-gcc)
include("${CMAKE_CURRENT_LIST_DIR}/bare-metal.cmake")
set(CMAKE_SYSTEM_PROCESSOR mips)
carveout_bare_metal_flags(
  "-march=24kf2_1 -EB -mabicalls -mno-shared -mplt -fno-pic -fno-pie -G0 -fno-stack-protector")
