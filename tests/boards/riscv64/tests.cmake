carveout_board_tools(present riscv64-linux-gnu-g++)
if(NOT present)
  return()
endif()
carveout_board_builds(riscv64)
# The port's words are of extensions that its objects do not state. GNU's disassembler shows them as
# words; LLVM's is told.
carveout_board_tools(present llvm-objdump-19)
if(present)
  carveout_port_instructions(riscv PRESET riscv64 OBJDUMP llvm-objdump-19
                             --mattr=+zicbom,+xtheadcmo,+xtheadsync)
endif()
