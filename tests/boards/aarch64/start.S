// Start-up of an AArch64 image: vectors, and one core on its way to C++, at the exception level that
// the emulator starts in (EL1 on virt, EL2 or EL3 on raspi3b). The MMU and the caches stay off.

  .section .text.image_entry, "ax"
  .global image_entry
  .type image_entry, %function
image_entry:
  mrs x1, mpidr_el1                // the emulator may start all cores at this address
  tst x1, #3
  b.eq 1f
0:
  wfe
  b 0b
1:
  ldr x2, =image_boot_argument
  str x0, [x2]
  ldr x1, =image_vectors
  mrs x2, currentel
  cmp x2, #(2 << 2)
  b.eq 2f
  b.hi 3f
  msr vbar_el1, x1
  b 4f
2:
  msr vbar_el2, x1
  b 4f
3:
  msr vbar_el3, x1
4:
  isb
  ldr x1, =image_stack_top
  mov sp, x1
  ldr x1, =image_bss_start
  ldr x2, =image_bss_end
5:
  cmp x1, x2
  b.hs 6f
  str xzr, [x1], #8
  b 5b
6:
  bl image_start                   // in common/start.cpp; does not return
  .size image_entry, . - image_entry
  .ltorg

// All exceptions end the image. The address of the vector tells them apart.
  .section .vectors, "ax"
  .balign 2048
image_vectors:
  .rept 16
  .balign 128
  bl exception
  .endr
  .balign 128
exception:
  sub x0, x30, #4                  // the vector taken: bl left the address after it
  ldr x1, =image_vectors
  sub x0, x0, x1
  ldr x1, =image_stack_top         // nothing of the interrupted code is needed again
  mov sp, x1
  b image_exception                // in exception.cpp
  .ltorg

// Not in .bss: it is written before that is cleared.
  .section .data.image_boot_argument, "aw"
  .balign 8
  .global image_boot_argument
image_boot_argument:
  .quad 0

  .section .note.GNU-stack, "", %progbits
