// A trace, replayed on the pools of a board by the code that hands them out on the target.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "linux_pool.hpp"
#include "simulation.hpp"
#include "stage.hpp"
#include "timeline.hpp"
#include "trace.hpp"

namespace carveout::cli {

/// What lived at once of a pool's requests, granted or not: no pool of less can serve them.
struct Demand {
  std::uint64_t most_bytes = 0;           ///< in whole granules
  std::uint64_t most_bytes_in_linux = 0;  ///< in powers of two of pages
  std::uint64_t most_blocks = 0;

  std::uint64_t bytes = 0;
  std::uint64_t bytes_in_linux = 0;
  std::uint64_t blocks = 0;
};

/// Room in the tables of a pool for more than live, so that the block which the allocator keeps
/// parked is not merged for want of room: where blocks lie is then the same however large the
/// tables.
inline constexpr std::size_t kSpareBlocks = 1;

/// The largest pool that is tried; 2^24 requests that live at once and are no larger make a number.
inline constexpr std::uint64_t kLargestPoolBytes = std::uint64_t{512} << 30;

/// Whether there may be a pool that would grant a request: one of no bytes, of more than that, or
/// aligned to what is no power of two, is refused by all.
[[nodiscard]] bool is_sound(const TraceRequest& request);

/// One replay, from the first event to the last.
class Replay {
 public:
  /// @param end_ns  where the trace is thought to end.
  Replay(const Trace& trace, Stage& stage, std::uint64_t end_ns);

  /// @return false where the tables of a pool are full: the replay means nothing then.
  [[nodiscard]] bool play(const TraceStep& step);
  /// Moves the record out, once, behind the last event.
  [[nodiscard]] Simulation finish();

  /// By the number of a pool.
  [[nodiscard]] std::span<const Demand> demands() const { return demands_; }

 private:
  static constexpr std::uint32_t kNowhere = ~std::uint32_t{0};

  /// What an allocation of the trace has here, and would have in Linux.
  struct Held {
    std::optional<Block> block;
    std::uint32_t pool = kNowhere;     ///< number of the block's
    std::uint32_t first = kNowhere;    ///< number of the pool that it came to first
    std::uint64_t granules_bytes = 0;  ///< what it takes there; 0: it is not sound
    std::uint64_t rounded_bytes = 0;   ///< what it takes in Linux; 0 likewise
    std::optional<std::uint64_t> linux_offset;
  };

  bool allocate(const TraceStep& step, Held& held);
  void release(const TraceStep& step, Held& held);
  void demand(const TraceRequest& request, Held& held);
  void demand_no_more(const Held& held);
  void in_linux(const TraceRequest& request, Held& held);
  [[nodiscard]] Result<Taken> take(const TraceRequest& request) const;
  void fail(const TraceStep& step, const Failure& failure, std::uint32_t first);
  [[nodiscard]] FirstFailure first_failure(const TraceStep& step, const Failure& failure) const;
  [[nodiscard]] std::uint32_t number_of(const Pool& pool, Role role);
  void add_records();
  void look(Period& period);
  [[nodiscard]] const Device& device_of(const TraceRequest& request) const {
    return offline_.device(devices_.asker_of[request.device]);
  }
  void note(std::uint32_t pool);

  const Trace& trace_;
  const Offline& offline_;
  const TraceDevices& devices_;
  FirstPools& first_pools_;
  Timeline timeline_;
  Simulation result_;
  std::vector<Held> held_;                       ///< by slot
  std::vector<Demand> demands_;                  ///< by number of the pool, as all below
  std::vector<std::optional<LinuxPool>> linux_;  ///< nothing: not a pool that Linux has
};

}  // namespace carveout::cli
