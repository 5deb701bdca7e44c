// The smallest pools that would have served a trace: found by replaying it on others.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "first_pools.hpp"
#include "replay.hpp"
#include "simulation.hpp"
#include "trace.hpp"

namespace carveout::cli {

/// Looks for the least number that does, where more mostly does if less did. Doubles its steps from
/// the least that can be, then halves what is left between one that failed and one that did.
///
/// The answer did, and one less failed or cannot be. Where it is not true that more always does,
/// that is all: there may be a smaller one that would have done, and a larger one that would not.
class LeastSearch {
 public:
  LeastSearch(std::uint64_t least, std::uint64_t most) : next_{least}, most_{most} {}

  /// What to try; nothing once the answer is known, or there is none.
  [[nodiscard]] std::optional<std::uint64_t> next() const;
  /// How next() did.
  void tell(bool did);
  [[nodiscard]] std::optional<std::uint64_t> answer() const { return did_; }

 private:
  std::uint64_t next_;
  std::uint64_t most_;
  std::uint64_t step_ = 1;
  std::optional<std::uint64_t> failed_;  ///< the most that failed
  std::optional<std::uint64_t> did_;     ///< the least that did
  bool exhausted_ = false;               ///< the most that may be tried failed
};

/// Fills in `smallest` and `linux_smallest` of each pool: its part of the trace, which is what
/// comes to it first, on a pool of one piece that begins where it begins, whatever else lies
/// behind, and as if every device that asks it reached all of it. Requests that are not is_sound()
/// are left out. The trace is read as often as sizes are tried.
void find_smallest(Trace& trace, FirstPools& first_pools, std::span<const Demand> demands,
                   std::span<PoolRecord> pools);

}  // namespace carveout::cli
