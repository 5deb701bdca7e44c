// Start-up of an ARMv7-A image: vectors, and one core on its way to C++. The MMU and the caches stay
// off, as the emulator leaves them.

  .syntax unified
  .arm
  .arch armv7-a
  .fpu vfpv3

  .section .text.image_entry, "ax"
  .global image_entry
  .type image_entry, %function
image_entry:
  mrc p15, 0, r0, c0, c0, 5        // MPIDR: the emulator starts all cores at this address
  ands r0, r0, #3
park:
  wfine
  bne park

  cpsid if, #0x13                  // supervisor, interrupts masked
  ldr r0, =image_vectors
  mcr p15, 0, r0, c12, c0, 0       // VBAR
  mrc p15, 0, r0, c1, c0, 2        // CPACR: CP10 and CP11 in full, the image is hard-float
  orr r0, r0, #(0xf << 20)
  mcr p15, 0, r0, c1, c0, 2
  isb
  mov r0, #(1 << 30)               // FPEXC.EN
  vmsr fpexc, r0

  ldr sp, =image_stack_top
  ldr r0, =image_bss_start
  ldr r1, =image_bss_end
  mov r2, #0
1:
  cmp r0, r1
  strlo r2, [r0], #4
  blo 1b
  bl image_start                   // in common/start.cpp; does not return
  .size image_entry, . - image_entry
  .ltorg

// All exceptions end the image. The address of the vector tells them apart.
  .section .vectors, "ax"
  .balign 32
image_vectors:
  .rept 8
  bl exception
  .endr
exception:
  sub r0, lr, #4                   // the vector taken: bl left the address after it
  ldr r1, =image_vectors
  sub r0, r0, r1
  ldr sp, =image_stack_top         // nothing of the interrupted code is needed again
  b image_exception                // in exception.cpp
  .ltorg

  .section .note.GNU-stack, "", %progbits
