#include "moments.hpp"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

#include "longest_run.hpp"
#include "refusal.hpp"
#include "replay.hpp"
#include "stage.hpp"

namespace carveout::cli {
namespace {

std::uint64_t cell_bytes(std::uint64_t size_bytes) { return (size_bytes - 1) / kMaxCells + 1; }

/// Says of each cell who has the most of it.
class Cells {
 public:
  explicit Cells(std::uint64_t size_bytes)
      : bytes_{cell_bytes(size_bytes)}, cells_(cells_of(size_bytes)) {}

  /// Blocks come by ascending offset.
  void add(std::uint64_t offset, std::uint64_t size_bytes, std::uint32_t asker) {
    const std::uint64_t end = offset + size_bytes;
    for (std::uint64_t at = offset; at < end;) {
      const std::uint64_t next = std::min((at / bytes_ + 1) * bytes_, end);
      Cell& cell = cells_[at / bytes_];
      // Those of an asker are counted together only where no other's block is between them: a cell
      // has one colour, and whose is no more than a hint.
      cell.last_bytes = cell.last == asker ? cell.last_bytes + (next - at) : next - at;
      cell.last = asker;
      cell.bytes += next - at;
      if (cell.last_bytes > cell.most_bytes) {
        cell.most_bytes = cell.last_bytes;
        cell.most = asker;
      }
      at = next;
    }
  }

  [[nodiscard]] std::vector<HeldCells> held() const {
    std::vector<HeldCells> runs;
    for (std::uint64_t i = 0; i < cells_.size(); ++i) {
      const Cell& cell = cells_[i];
      if (cell.bytes == 0) continue;
      const bool mostly = cell.bytes >= bytes_ / 2;
      if (!runs.empty() && runs.back().first + runs.back().count == i &&
          runs.back().asker == cell.most && runs.back().mostly == mostly) {
        ++runs.back().count;
      } else {
        runs.push_back({.first = i, .count = 1, .asker = cell.most, .mostly = mostly});
      }
    }
    return runs;
  }

 private:
  struct Cell {
    std::uint64_t bytes = 0;
    std::uint64_t most_bytes = 0;
    std::uint64_t last_bytes = 0;
    std::uint32_t most = 0;
    std::uint32_t last = ~std::uint32_t{0};
  };

  std::uint64_t bytes_;
  std::vector<Cell> cells_;
};

PoolMoment look_at(const Pool& pool, std::uint64_t size_bytes, std::size_t askers) {
  PoolMoment moment{.longest_run_bytes = longest_run(pool), .shares = {}, .cells = {}};
  Cells cells{size_bytes};
  std::vector<PoolMoment::Share> shares(askers);
  const auto chunks = pool.chunks();
  std::size_t chunk = 0;
  std::uint64_t before = 0;  // bytes in chunks that were passed
  pool.visit([&](const Held& held) {
    while (!chunks[chunk].range.contains(held.range.base)) {
      before += chunks[chunk++].range.size_bytes;
    }
    const std::uint64_t bytes = held.range.size_bytes;
    cells.add(before + (held.range.base.raw() - chunks[chunk].range.base.raw()), bytes,
              held.holder);
    moment.used_bytes += bytes;
    ++shares[held.holder].blocks;
    shares[held.holder].bytes += bytes;
  });
  for (std::uint32_t asker = 0; asker < askers; ++asker) shares[asker].asker = asker;
  std::ranges::stable_sort(shares, std::ranges::greater{}, &PoolMoment::Share::bytes);
  for (const PoolMoment::Share& share : shares) {
    if (share.bytes == 0) break;
    if (moment.shares.size() < kMaxShares) {
      moment.shares.push_back(share);
      continue;
    }
    ++moment.more_holders;
    moment.more_blocks += share.blocks;
    moment.more_bytes += share.bytes;
  }
  moment.cells = cells.held();
  return moment;
}

/// A line of the trace behind which to look.
struct Mark {
  std::uint64_t line;
  std::vector<EventOf> events;
};

std::vector<Mark> marks_of(const Simulation& simulation) {
  std::vector<Mark> marks;
  const auto& failure = simulation.first_failure;
  if (failure) marks.push_back({failure->line, {{Event::first_failure}}});
  for (std::size_t i = 0; i < std::min(simulation.pools.size(), kMaxTimedPools); ++i) {
    const PoolRefusal* const refusal = refusal_of(simulation, i);
    if (refusal != nullptr && refusal->line != failure->line) {
      marks.push_back({refusal->line, {{Event::refused, i}}});
    }
    const Fill& fill = simulation.pools[i].ours;
    if (fill.peak_bytes != 0) marks.push_back({fill.peak_line, {{Event::peak, i}}});
  }
  std::ranges::stable_sort(marks, {}, &Mark::line);
  // What is behind one line is one moment.
  std::vector<Mark> joined;
  for (Mark& mark : marks) {
    if (!joined.empty() && joined.back().line == mark.line) {
      joined.back().events.push_back(mark.events.front());
    } else {
      joined.push_back(std::move(mark));
    }
  }
  return joined;
}

/// Steps of equal length from the first event to the last, both of them included.
class Steps {
 public:
  explicit Steps(const TraceCounts& counts)
      : first_ns_{counts.first_ns}, length_ns_{counts.last_ns - counts.first_ns} {}

  [[nodiscard]] bool any() const { return next_ <= kSteps; }
  [[nodiscard]] std::uint64_t time_ns() const {
    // In two parts, so that nothing overflows.
    return first_ns_ + length_ns_ / kSteps * next_ + length_ns_ % kSteps * next_ / kSteps;
  }
  void pass() { ++next_; }

 private:
  std::uint64_t first_ns_;
  std::uint64_t length_ns_;
  std::uint64_t next_ = 0;
};

}  // namespace

const PoolRefusal* refusal_of(const Simulation& simulation, std::size_t pool) {
  const auto& all = simulation.refusals;
  const auto found = std::ranges::find(all, simulation.pools[pool].name, &PoolRefusal::pool);
  return found == all.end() ? nullptr : &*found;
}

std::uint64_t cells_of(std::uint64_t size_bytes) {
  return (size_bytes - 1) / cell_bytes(size_bytes) + 1;
}

Moments moments_of(const Board& board, Trace& trace, const SimulateRequest& request,
                   const Simulation& simulation) {
  Stage stage{board, trace, request, simulation.blocks};
  Moments result;
  for (std::uint32_t asker = 0; asker < stage.devices.askers.size(); ++asker) {
    result.askers.push_back(stage.name_of(asker));
  }
  const auto look = [&](std::uint64_t time_ns, std::uint64_t line, std::vector<EventOf> events) {
    Moment& moment = result.moments.emplace_back(
        Moment{.time_ns = time_ns, .line = line, .events = std::move(events), .pools = {}});
    const auto pools = stage.first_pools.pools();
    for (std::size_t i = 0; i < std::min(pools.size(), kMaxTimedPools); ++i) {
      moment.pools.push_back(
          look_at(*pools[i], simulation.pools[i].size_bytes, result.askers.size()));
    }
  };
  const std::vector<Mark> marks = marks_of(simulation);
  auto mark = marks.begin();
  Steps steps{simulation.counts};
  Replay replay{trace, stage, simulation.counts.last_ns};
  trace.rewind();
  TraceStep step;
  while (trace.next(step)) {
    for (; steps.any() && steps.time_ns() < step.request.time_ns; steps.pass()) {
      look(steps.time_ns(), 0, {});
    }
    if (step.request.device >= stage.devices.asker_of.size() || !replay.play(step)) {
      throw Refusal{trace.source(), "changed while it was read", "simulate"};
    }
    if (mark != marks.end() && step.request.line == mark->line) {
      look(step.request.time_ns, mark->line, mark->events);
      ++mark;
    }
  }
  for (; steps.any(); steps.pass()) look(steps.time_ns(), 0, {});
  return result;
}

}  // namespace carveout::cli
