// How full pools were over the time of a trace whose end is not known while it is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "carveout/core/function_ref.hpp"
#include "simulation.hpp"

namespace carveout::cli {

/// At most kMost periods of equal length. A trace that goes on behind the last has them joined in
/// pairs, so what is kept does not grow with the trace.
class Timeline {
 public:
  static constexpr std::size_t kMost = 64;
  /// Fills in how each pool is now: what it uses, and its longest free run.
  using Look = FunctionRef<void(Period&)>;

  /// @param end_ns  where the trace is thought to end.
  Timeline(std::uint64_t begin_ns, std::uint64_t end_ns);

  /// Whether an event at that time is past the last period that was begun.
  [[nodiscard]] bool is_due(std::uint64_t time_ns) const { return time_ns >= due_ns_; }
  /// Ends periods and begins others, up to that of an event that is due.
  void reach(std::uint64_t time_ns, Look look);
  /// What a pool uses now, in the period that was begun last.
  void note(std::size_t pool, std::uint64_t used_bytes, std::uint64_t used_in_linux_bytes);
  /// Ends the last period. The periods are good afterwards.
  [[nodiscard]] std::vector<Period> finish(Look look);

 private:
  void close(const Period& now);
  void join_pairs();

  std::uint64_t begin_ns_;
  std::uint64_t width_ns_;
  std::uint64_t due_ns_;
  std::vector<Period> periods_;  ///< the last one has begun and not ended
};

}  // namespace carveout::cli
