// How a verb refuses: the board's log hears of it, unless the request said that it is expected.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "carveout/core/attributes.hpp"
#include "carveout/core/error.hpp"
#include "carveout/map/device.hpp"
#include "carveout/pool/pool.hpp"

namespace carveout {

/// The refusal of a verb that acts for a device: told to the board's log, then returned.
[[nodiscard]] inline std::unexpected<Failure> refused(const Device& device, Attributes attributes,
                                                      const Failure& failure) {
  if (!has(attributes, Attributes::no_warn)) device.roles->log(failure, device.name);
  return std::unexpected{failure};
}

/// The same of a verb that knows only the pool.
[[nodiscard]] inline std::unexpected<Failure> refused(const Pool& pool, const Failure& failure) {
  pool.log()(failure);
  return std::unexpected{failure};
}

namespace detail {

/// A failure on its way to refused(), which nobody has heard of yet.
[[nodiscard]] inline std::unexpected<Failure> failed(
    Error code, std::uint64_t asked_bytes, std::string_view pool = {},
    std::optional<std::uint64_t> stated = std::nullopt) {
  return std::unexpected{
      Failure{.code = code, .pool = pool, .asked_bytes = asked_bytes, .stated = stated}};
}

}  // namespace detail

}  // namespace carveout
