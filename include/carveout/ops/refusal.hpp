// How a verb refuses: the board's log hears of it, unless the request said that it is expected.
#pragma once

#include <expected>

#include "carveout/core/attributes.hpp"
#include "carveout/core/error.hpp"
#include "carveout/map/device.hpp"

namespace carveout {

/// The refusal of a verb that acts for a device: told to the board's log, then returned.
[[nodiscard]] inline std::unexpected<Failure> refused(const Device& device, Attributes attributes,
                                                      const Failure& failure) {
  if (!has(attributes, Attributes::no_warn)) device.roles->log(failure, device.name);
  return std::unexpected{failure};
}

}  // namespace carveout
