#include <carveout/c/carveout.h>
#include <string.h>

int main(void) { return strcmp(carveout_error_name(CARVEOUT_EXHAUSTED), "exhausted"); }
