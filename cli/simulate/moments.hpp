// Who holds what of each pool, at some moments of a trace.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulation.hpp"

namespace carveout::cli {

/// A pool is shown as so many cells at most, each an equal part of it.
inline constexpr std::uint64_t kMaxCells = 128;
/// So many equal steps of the trace's time are shown, beside the first failure and each pool's
/// peak.
inline constexpr std::uint64_t kSteps = 64;
/// So many pools are looked at, those that the trace came to first, and so many that hold of each.
inline constexpr std::size_t kMaxTimedPools = 32;
inline constexpr std::size_t kMaxShares = 16;

/// Cells beside each other that one has the most of.
struct HeldCells {
  std::uint64_t first;
  std::uint64_t count;
  std::uint32_t asker;
  bool mostly;  ///< at least half of each of them is held
};

struct PoolMoment {
  /// What one asker has of the pool.
  struct Share {
    std::uint32_t asker;
    std::uint64_t blocks;
    std::uint64_t bytes;
  };

  std::uint64_t used_bytes = 0;
  std::uint64_t longest_run_bytes = 0;
  std::vector<Share> shares;  ///< the largest first, at most kMaxShares
  std::vector<HeldCells> cells;
};

struct Moment {
  std::uint64_t time_ns;
  std::uint64_t line = 0;  ///< behind this line of the trace; 0: at the end of a step
  std::string mark;        ///< "peak of ...", "first refused"; empty for a step
  std::vector<PoolMoment>
      pools;  ///< in the order of the records; those that came later are missing
};

struct Moments {
  std::vector<std::string> askers;  ///< by number
  std::vector<Moment> moments;      ///< in the order of the trace
};

/// The cells of a pool of that size.
[[nodiscard]] std::uint64_t cells_of(std::uint64_t size_bytes);

/// Replays a trace that was replayed before, and looks at kSteps + 1 times, at the peaks and at the
/// first failure. Throws Refusal.
/// Cost: that of one replay, and the live blocks at each moment.
[[nodiscard]] Moments moments_of(const Board& board, Trace& trace, const SimulateRequest& request,
                                 const Simulation& simulation);

}  // namespace carveout::cli
