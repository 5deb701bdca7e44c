# RISC-V 64, bare metal: Debian's Linux cross compiler used freestanding, because its bare-metal one
# has no C++ headers. Hence the hosted ABI, lp64d.
set(CMAKE_C_COMPILER riscv64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER riscv64-linux-gnu-g++)
set(CMAKE_ASM_COMPILER riscv64-linux-gnu-gcc)
include("${CMAKE_CURRENT_LIST_DIR}/bare-metal.cmake")
set(CMAKE_SYSTEM_PROCESSOR riscv64)
carveout_bare_metal_flags(
  "-march=rv64gc -mabi=lp64d -mcmodel=medany -fno-pic -fno-pie -fno-stack-protector")
