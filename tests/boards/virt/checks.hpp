// What the image checks of its processor alone.
#pragma once

namespace virt {

void check_processor();

}  // namespace virt
