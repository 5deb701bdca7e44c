// Start-up of a MIPS32 image, in KSEG0: vectors, and the core on its way to C++.

  .set noreorder

  .section .text.image_entry, "ax"
  .global image_entry
  .type image_entry, @function
image_entry:
  mfc0 $t0, $12                    // Status: CU1, the image is hard-float; BEV, ERL, EXL, IE off
  lui $t1, 0x2000
  or $t0, $t0, $t1
  li $t1, ~0x00400007
  and $t0, $t0, $t1
  mtc0 $t0, $12
  ehb
  la $t0, image_vectors            // EBase, for which BEV must be off
  mtc0 $t0, $15, 1
  ehb
  la $sp, image_stack_top - 16
  la $t0, image_bss_start
  la $t1, image_bss_end
1:
  beq $t0, $t1, 2f
  nop
  sw $zero, 0($t0)
  b 1b
  addiu $t0, $t0, 4
2:
  jal image_start                  // in common/start.cpp; does not return
  nop
  .size image_entry, . - image_entry

// All exceptions end the image.
  .section .vectors, "ax"
  .balign 4096
image_vectors:
  j exception                      // TLB refill
  nop
  .org image_vectors + 0x180
  j exception                      // general
  nop
  .org image_vectors + 0x200
  j exception                      // interrupt
  nop
exception:
  la $sp, image_stack_top - 16     // nothing of the interrupted code is needed again
  mfc0 $a0, $13                    // Cause
  mfc0 $a1, $8                     // BadVAddr
  mfc0 $a2, $14                    // EPC
  mfc0 $t0, $12                    // out of exception level, for the emulator's console
  li $t1, ~0x2
  and $t0, $t0, $t1
  mtc0 $t0, $12
  ehb
  j image_exception                // in exception.cpp
  nop

  .section .note.GNU-stack, "", @progbits
