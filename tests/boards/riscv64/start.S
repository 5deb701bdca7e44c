// Start-up of a RISC-V image in M-mode: one hart on its way to C++. a0 is its number, and a1 points
// at the device tree.

  .section .text.image_entry, "ax"
  .global image_entry
  .type image_entry, @function
image_entry:
  bnez a0, park
  la t0, image_boot_argument
  sd a1, 0(t0)
  la t0, trap
  csrw mtvec, t0
  li t0, 1 << 13                   // mstatus.FS: the image is hard-float
  csrs mstatus, t0
  la sp, image_stack_top
  la t0, image_bss_start
  la t1, image_bss_end
1:
  bgeu t0, t1, 2f
  sd zero, 0(t0)
  addi t0, t0, 8
  j 1b
2:
  call image_start                 // in common/start.cpp; does not return
park:
  wfi
  j park
  .size image_entry, . - image_entry

// A trap in the middle of C++: what that may have in registers is kept, and an image that expects
// the trap says at which address to go on.
  .balign 4
trap:
  addi sp, sp, -144
  sd ra, 0(sp)
  sd t0, 8(sp)
  sd t1, 16(sp)
  sd t2, 24(sp)
  sd t3, 32(sp)
  sd t4, 40(sp)
  sd t5, 48(sp)
  sd t6, 56(sp)
  sd a0, 64(sp)
  sd a1, 72(sp)
  sd a2, 80(sp)
  sd a3, 88(sp)
  sd a4, 96(sp)
  sd a5, 104(sp)
  sd a6, 112(sp)
  sd a7, 120(sp)
  csrr a1, mepc
  csrr a2, mcause
  csrr a3, mtval
  call on_trap                     // (a0 as it was, mepc, mcause, mtval): the new mepc
  csrw mepc, a0
  ld ra, 0(sp)
  ld t0, 8(sp)
  ld t1, 16(sp)
  ld t2, 24(sp)
  ld t3, 32(sp)
  ld t4, 40(sp)
  ld t5, 48(sp)
  ld t6, 56(sp)
  ld a0, 64(sp)
  ld a1, 72(sp)
  ld a2, 80(sp)
  ld a3, 88(sp)
  ld a4, 96(sp)
  ld a5, 104(sp)
  ld a6, 112(sp)
  ld a7, 120(sp)
  addi sp, sp, 144
  mret

// Not in .bss: it is written before that is cleared.
  .section .data.image_boot_argument, "aw"
  .balign 8
  .global image_boot_argument
image_boot_argument:
  .dword 0

  .section .note.GNU-stack, "", @progbits
