// What came of a trace on a board: the record that `simulate` prints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "carveout/map/device.hpp"
#include "input.hpp"
#include "refused_request.hpp"
#include "trace.hpp"

namespace carveout::cli {

/// What is asked for, beside the trace.
struct SimulateRequest {
  std::string device;  ///< who asks where the trace names nobody; empty: any device on the root bus
  /// What the kernel calls a device, and the node that it is.
  std::vector<std::pair<std::string, std::string>> names;
  unsigned mask_bits = 64;
  bool cpu_coherent = false;
  std::optional<bool> uncached_view;
  bool smallest = true;  ///< look for the smallest pools
};

/// How full a pool was, by one allocator or the other.
struct Fill {
  std::uint64_t granted = 0;
  std::uint64_t refused = 0;  ///< of those that come to this pool first
  std::uint64_t used_bytes = 0;
  std::uint64_t asked_bytes = 0;  ///< of the same blocks, as they were asked for
  std::uint64_t peak_bytes = 0;
  std::uint64_t asked_at_peak_bytes = 0;
  std::uint64_t peak_ns = 0;
  std::uint64_t peak_line = 0;

  void take(std::uint64_t bytes, std::uint64_t asked, const TraceRequest& when) {
    ++granted;
    used_bytes += bytes;
    asked_bytes += asked;
    if (used_bytes <= peak_bytes) return;
    peak_bytes = used_bytes;
    asked_at_peak_bytes = asked_bytes;
    peak_ns = when.time_ns;
    peak_line = when.line;
  }
  void give_back(std::uint64_t bytes, std::uint64_t asked) {
    used_bytes -= bytes;
    asked_bytes -= asked;
  }
};

/// The first request that Linux's allocator would have refused.
struct LinuxRefusal {
  std::uint64_t time_ns;
  std::uint64_t line;
  std::uint64_t asked_bytes;
  std::uint64_t rounded_bytes;
  std::uint64_t free_bytes;
  std::uint64_t largest_grant_bytes;
};

/// The smallest size that serves a pool's part of the trace, as far as it was looked for.
struct Smallest {
  /// No pool of less can serve: what lived at once, rounded up.
  std::uint64_t at_least_bytes = 0;
  /// Replayed, and nothing was refused; and, where it is more than `at_least_bytes`, one step less
  /// was replayed and refused something. Nothing: no size up to the largest that is tried serves.
  std::optional<std::uint64_t> bytes;
};

/// A pool that the trace came to.
struct PoolRecord {
  std::string name;
  Memory memory;
  std::uint64_t base;  ///< of its first chunk
  std::uint64_t size_bytes;
  std::uint64_t granule_bytes;
  std::vector<Role> roles;  ///< that it played, in the order in which it did first
  Fill ours;
  std::uint64_t least_run_bytes;  ///< the shortest longest free run, of those that were looked at
  std::optional<Fill> in_linux;   ///< coherent pools of one chunk, in whole pages
  std::optional<LinuxRefusal> linux_refusal;
  std::optional<Smallest> smallest;
  std::optional<Smallest> linux_smallest;
};

/// A stretch of the trace's time, and how each pool was in it.
struct Period {
  struct Pool {
    std::uint64_t most_used_bytes = 0;
    std::uint64_t most_used_in_linux_bytes = 0;
    std::uint64_t longest_run_bytes = 0;  ///< at the end of the stretch
  };

  std::uint64_t begin_ns;
  std::vector<Pool> pools;  ///< in the order of the records; those that came later are missing
};

/// A live block at the moment of the first failure.
struct HeldBlock {
  std::string id;
  std::uint32_t device;
  std::uint64_t phys;
  std::uint64_t size_bytes;
  std::uint64_t asked_bytes;
  std::uint64_t since_ns;
  std::uint64_t line;
};

/// The blocks of one device at that moment.
struct DeviceShare {
  std::uint32_t device;
  std::uint64_t blocks;
  std::uint64_t bytes;
};

struct FirstFailure {
  std::uint64_t time_ns;
  std::uint64_t line;
  std::string id;
  std::uint32_t device;
  std::uint64_t size_bytes;
  std::uint64_t align_bytes;
  RefusedRequest refused;
  std::vector<DeviceShare> shares;  ///< of the refusing pool, the largest first
  std::vector<HeldBlock> blocks;    ///< of the refusing pool, by address; at most kMaxHeld
  std::uint64_t more_blocks;
};

inline constexpr std::size_t kMaxHeld = 1000;

/// The first request that a pool refused; or that was refused without a pool.
struct PoolRefusal {
  std::string pool;  ///< empty: none was asked
  Error code;
  std::uint64_t time_ns;
  std::uint64_t line;
  std::uint64_t size_bytes;
};

struct Simulation {
  std::string trace;
  TraceForm form;
  TraceCounts counts;
  std::uint64_t never_freed = 0;
  std::vector<std::string> devices;  ///< the node of each device of the trace, by its number there
  std::uint64_t ordinary = 0;        ///< requests that memory serves which Carveout does not manage
  std::size_t blocks = 0;            ///< for how many in each pool the board was set up
  std::vector<PoolRecord> pools;     ///< in the order in which the trace came to them
  std::vector<Period> periods;
  std::uint64_t failures = 0;
  std::vector<std::pair<Error, std::uint64_t>> failures_by_code;  ///< in the order of first sight
  std::optional<FirstFailure> first_failure;
  std::vector<PoolRefusal> refusals;  ///< one for each pool that refused anything, by time
};

/// Replays a trace on the pools of a board. Throws Refusal.
[[nodiscard]] Simulation simulate(const Board& board, Trace& trace, const SimulateRequest& request);

/// "0.0105 s": exact.
[[nodiscard]] std::string seconds(std::uint64_t ns);

[[nodiscard]] std::string simulation_text(const Board& board, const SimulateRequest& request,
                                          const Simulation& simulation, bool colour);
/// Schema carveout.simulate/1, one line.
[[nodiscard]] std::string simulation_json(const Board& board, const SimulateRequest& request,
                                          const Simulation& simulation);

}  // namespace carveout::cli
