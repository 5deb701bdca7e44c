/* A port written in C, on memory of the program: RAM at a cached and an uncached address, neither
 * of which is a pointer or a device address. The cache is only counted. */
#ifndef CARVEOUT_TESTS_C_MACHINE_H
#define CARVEOUT_TESTS_C_MACHINE_H

#include <carveout/c/carveout.h>

enum {
  RAM_BYTES = 0x4000,
};
#define RAM_CACHED UINT64_C(0x35a000000)
#define RAM_UNCACHED UINT64_C(0x71b400000)
#define RAM_DMA UINT64_C(0x4c800000)

typedef struct machine {
  _Alignas(64) unsigned char ram[RAM_BYTES];      /* as the CPU sees it through its cache */
  _Alignas(64) unsigned char uncached[RAM_BYTES]; /* and past it: nobody keeps the two alike */
  int clean_invalidates;
  int invalidates;
  int publish_barriers;
  int observe_barriers;
  int locks;
  bool in_interrupt;
} machine;

carveout_port machine_port(machine* of);

#endif
