// Which pool a request comes to first, for each device and each wish: what its route says.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "carveout/core/window.hpp"
#include "carveout/pool/pool.hpp"
#include "offline.hpp"
#include "trace.hpp"
#include "trace_devices.hpp"

namespace carveout::cli {

/// The pools that a trace comes to, numbered as it comes to them, and which of them each request
/// comes to first. The answer of route() does not depend on what is free, so it is asked once for
/// each device, attributes and context.
class FirstPools {
 public:
  struct First {
    std::uint32_t number;
    Pool* pool;
    std::span<const Reach> reaches;  ///< how the device reaches it
    View view;
    Role role;
    DmaAddr dma;  ///< where the device sees the first byte of the pool, or would
  };

  FirstPools(const Offline& offline, const TraceDevices& devices)
      : offline_{offline}, devices_{devices}, known_(devices.askers.size()) {}

  /// Nothing where no pool serves: ordinary memory does, or nobody.
  [[nodiscard]] const std::optional<First>& of(const TraceRequest& request) {
    Known& known =
        known_[devices_.asker_of[request.device]][place_of(request.attributes, request.context)];
    if (!known.asked) ask(request, known);
    return known.first;
  }
  /// The number of a pool, which it gets now if it has none yet.
  [[nodiscard]] std::uint32_t number_of(const Pool& pool);
  [[nodiscard]] std::span<const Pool* const> pools() const { return pools_; }

 private:
  struct Known {
    bool asked = false;
    std::optional<First> first;
  };

  /// Of the attributes that a trace can state.
  static std::size_t place_of(Attributes attributes, Context context) {
    return (has(attributes, Attributes::no_cpu_mapping) ? 1U : 0U) |
           (has(attributes, Attributes::force_contiguous) ? 2U : 0U) |
           (context == Context::must_not_wait ? 4U : 0U);
  }
  void ask(const TraceRequest& request, Known& known);

  const Offline& offline_;
  const TraceDevices& devices_;
  std::vector<std::array<Known, 8>> known_;
  std::vector<const Pool*> pools_;
};

}  // namespace carveout::cli
