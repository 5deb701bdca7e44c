// Patience with a device that owes a descriptor.
#pragma once

#include <cstdint>

#include "carveout/ops/ring.hpp"

namespace board {

/// The next descriptor of a ring, as soon as the device is done with it; nothing if it never is.
template <auto ownership, class IsDone>
auto wait_for(carveout::DescriptorRing<ownership>& ring, IsDone is_done) {
  constexpr std::uint32_t kPatience = 1'000'000;
  auto taken = ring.take(is_done);
  for (std::uint32_t i = 0; i < kPatience && !taken; ++i) taken = ring.take(is_done);
  return taken;
}

}  // namespace board
