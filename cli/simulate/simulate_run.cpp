// A trace, a board, and the passes over the trace that answer what is asked.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "refusal.hpp"
#include "replay.hpp"
#include "simulation.hpp"
#include "smallest_pool.hpp"
#include "stage.hpp"

namespace carveout::cli {
namespace {

/// How many events are read before the board is set up: most traces name all their devices in them.
constexpr std::uint64_t kFirstLook = 65536;
constexpr std::size_t kLeastBlocks = 1024;

/// Reads on until the end, or so many steps more.
/// @return whether that was the end.
bool read_on(Trace& trace, std::uint64_t steps) {
  TraceStep step;
  for (; steps != 0; --steps) {
    if (!trace.next(step)) return true;
  }
  return false;
}

/// What was learnt of a trace before it is replayed.
struct Look {
  std::size_t blocks;
  std::uint64_t end_ns;
};

/// Replays from the first event, and looks for the smallest pools. Nothing where the trace turned
/// out to name a device, or to have more alive, than was known.
std::optional<Simulation> attempt(const Board& board, Trace& trace, const SimulateRequest& request,
                                  const Look& look) {
  Stage stage{board, trace, request, look.blocks};
  trace.rewind();
  std::optional<Replay> replay;
  TraceStep step;
  while (trace.next(step)) {
    if (step.request.device >= stage.devices.asker_of.size()) return std::nullopt;
    if (!replay) replay.emplace(trace, stage, look.end_ns);
    if (!replay->play(step)) return std::nullopt;
  }
  if (!replay) throw Refusal{trace.source(), "has no event to replay", "simulate"};
  Simulation result = replay->finish();
  result.trace = trace.source();
  result.form = trace.form();
  result.counts = trace.counts();
  result.never_freed = trace.ids().count();
  for (const std::uint32_t asker : stage.devices.asker_of) {
    result.devices.push_back(stage.name_of(asker));
  }
  result.blocks = look.blocks;
  if (request.smallest) find_smallest(trace, stage.first_pools, replay->demands(), result.pools);
  return result;
}

}  // namespace

Simulation simulate(const Board& board, Trace& trace, const SimulateRequest& request) {
  const bool whole = read_on(trace, kFirstLook);
  const std::size_t live = trace.counts().most_live;
  auto result = attempt(board, trace, request,
                        {.blocks = kSpareBlocks + (whole ? live : std::max(live * 4, kLeastBlocks)),
                         .end_ns = trace.counts().last_ns});
  if (!result && !whole) {
    read_on(trace, ~std::uint64_t{0});
    result = attempt(
        board, trace, request,
        {.blocks = kSpareBlocks + trace.counts().most_live, .end_ns = trace.counts().last_ns});
  }
  if (!result) throw Refusal{trace.source(), "changed while it was read", "simulate"};
  return std::move(*result);
}

}  // namespace carveout::cli
