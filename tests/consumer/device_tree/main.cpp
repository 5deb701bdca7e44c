#include <libfdt.h>
int main() { return fdt_check_header("nothing") != 0 ? 0 : 1; }
