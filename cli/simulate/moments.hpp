// Who holds what of each pool, at some moments of a trace.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulation.hpp"

namespace carveout::cli {

/// A pool is shown as so many cells at most, each an equal part of it.
inline constexpr std::uint64_t kMaxCells = 128;
/// So many equal steps of the trace's time are shown, beside the first failure, and each pool's
/// peak and first refusal.
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
  std::uint64_t more_holders = 0;
  std::uint64_t more_blocks = 0;  ///< of those
  std::uint64_t more_bytes = 0;   ///< likewise
  std::vector<HeldCells> cells;
};

/// Why a moment is looked at that is no step.
enum class Event : std::uint8_t {
  first_failure,  ///< of the trace
  refused,        ///< the first refusal of a pool, where that is another one
  peak,           ///< of a pool
};

struct EventOf {
  Event event;
  std::size_t pool = 0;  ///< its number

  bool operator==(const EventOf&) const = default;
};

struct Moment {
  std::uint64_t time_ns;
  std::uint64_t line = 0;       ///< behind this line of the trace; 0: at the end of a step
  std::vector<EventOf> events;  ///< none: a step
  std::vector<PoolMoment>
      pools;  ///< in the order of the records; those that came later are missing
};

struct Moments {
  std::vector<std::string> askers;  ///< by number
  std::vector<Moment> moments;      ///< in the order of the trace
};

/// The first refusal of a pool; nullptr where it refused nothing.
[[nodiscard]] const PoolRefusal* refusal_of(const Simulation& simulation, std::size_t pool);

/// The cells of a pool of that size.
[[nodiscard]] std::uint64_t cells_of(std::uint64_t size_bytes);

/// Replays a trace that was replayed before, and looks at kSteps + 1 times and at the events.
/// Throws Refusal. Cost: that of one replay, and the live blocks at each moment.
[[nodiscard]] Moments moments_of(const Board& board, Trace& trace, const SimulateRequest& request,
                                 const Simulation& simulation);

}  // namespace carveout::cli
