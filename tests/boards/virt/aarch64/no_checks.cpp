// Nothing of this processor is checked besides.
#include "checks.hpp"

void virt::check_processor() {}
