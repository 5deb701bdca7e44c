/* The least that a test in C needs: a check that says where it failed, and a list of tests. */
#ifndef CARVEOUT_TESTS_C_CHECK_H
#define CARVEOUT_TESTS_C_CHECK_H

#include <stdio.h>

static int failed_checks;

#define CHECK(condition)                                                                    \
  do {                                                                                      \
    if (!(condition)) {                                                                     \
      fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, #condition); \
      ++failed_checks;                                                                      \
    }                                                                                       \
  } while (0)

#endif
