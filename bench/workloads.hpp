// The workloads of the benchmarks, as traces: what is taken and given back, in which order. A trace
// is made before the clock runs, and every peer plays the same one.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

namespace carveout::bench {

struct PoolShape {
  std::string_view name;
  std::uint64_t bytes;
  std::uint64_t granule_bytes;
};

inline constexpr PoolShape kLarge{"64M/4K", 64 << 20, 4096};
inline constexpr PoolShape kSmall{"1M/64", 1 << 20, 64};

/// Size 0: what is in the slot is given back. Otherwise so many bytes are taken into it.
struct Step {
  std::uint32_t slot;
  std::uint32_t size_bytes;
  std::uint32_t align_bytes = 1;
};

struct Trace {
  std::vector<Step> before;  ///< not measured: brings the pool to the state that is meant
  std::vector<Step> steps;
  std::size_t pairs = 0;              ///< takes in `steps`, each of which is given back
  std::uint32_t slots = 0;            ///< the most blocks that live at once
  bool cyclic = false;                ///< `steps` end in the state in which they began
  bool aligned = false;               ///< steps have alignments
  bool punched = false;               ///< after `before` comes punch()
  std::uint32_t only_size_bytes = 0;  ///< of every request; 0 where they differ
};

/// The sizes of a workload, in turn: what is taken is never of the length that was given back last.
struct Turns {
  std::uint32_t size_bytes;
  std::uint32_t other_bytes;  ///< the same: of one size

  [[nodiscard]] std::uint32_t of(std::size_t turn) const {
    return turn % 2 == 0 ? size_bytes : other_bytes;
  }
  /// 0 where sizes differ.
  [[nodiscard]] std::uint32_t only() const { return size_bytes == other_bytes ? size_bytes : 0; }
};

/// FIFO of `live` buffers.
///
/// @param pairs  a multiple of twice `live`.
inline Trace ring(std::uint32_t live, Turns turns, std::size_t pairs) {
  Trace trace;
  trace.pairs = pairs;
  trace.slots = live;
  trace.cyclic = true;
  trace.only_size_bytes = turns.only();
  // A slot has the one size and then the other.
  for (std::uint32_t i = 0; i < live; ++i) trace.before.push_back({i, turns.of(i)});
  for (std::size_t i = 0; i < pairs; ++i) {
    const auto slot = static_cast<std::uint32_t>(i % live);
    trace.steps.push_back({slot, 0});
    trace.steps.push_back({slot, turns.of(slot + i / live + 1)});
  }
  return trace;
}

/// Eight live buffers, uniform between 3/128 and 1/8 of the pool, replaced at random.
inline Trace frames(const PoolShape& pool, std::size_t pairs, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  std::uniform_int_distribution<std::uint64_t> size{pool.bytes * 3 / 128, pool.bytes / 8};
  Trace trace;
  trace.pairs = pairs;
  trace.slots = 8;
  for (std::uint32_t i = 0; i < 8; ++i) {
    trace.before.push_back({i, static_cast<std::uint32_t>(size(random))});
  }
  for (std::size_t i = 0; i < pairs; ++i) {
    const auto slot = static_cast<std::uint32_t>(random() % 8);
    trace.steps.push_back({slot, 0});
    trace.steps.push_back({slot, static_cast<std::uint32_t>(size(random))});
  }
  return trace;
}

/// What the mixed workload is made of.
struct Mix {
  std::uint32_t per_cent;  ///< requested bytes of those of the pool
  /// Each request is aligned to the power of two above its size, up to 64 KiB.
  bool natural = false;
  /// The occupancy rises over the trace, up to this many per cent at its end.
  std::uint32_t rises_to_per_cent = 0;
};

/// Log-uniform sizes and random lifetimes at an occupancy of requested bytes. A request that a peer
/// refuses counts as if it had been granted, so that all peers play the same trace.
inline Trace mixed(const PoolShape& pool, const Mix& mix, std::size_t pairs, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  const double most = pool.bytes == kLarge.bytes ? 256.0 * 1024 : 16.0 * 1024;
  std::uniform_real_distribution<double> exponent{std::log(64.0), std::log(most)};

  Trace trace;
  trace.aligned = mix.natural;
  struct Live {
    std::uint32_t slot;
    std::uint32_t size_bytes;
  };
  std::vector<Live> live;
  std::vector<std::uint32_t> vacant;
  std::uint64_t used = 0;
  bool full = false;
  while (trace.pairs < pairs) {
    double per_cent = mix.per_cent;
    if (mix.rises_to_per_cent != 0) {
      const double passed = static_cast<double>(trace.pairs) / static_cast<double>(pairs);
      per_cent += (mix.rises_to_per_cent - per_cent) * passed;
    }
    const auto limit = static_cast<std::uint64_t>(static_cast<double>(pool.bytes) * per_cent / 100);
    const auto size = static_cast<std::uint32_t>(std::exp(exponent(random)));
    std::vector<Step>& steps = full ? trace.steps : trace.before;
    while (used + size > limit) {
      const std::size_t at = random() % live.size();
      used -= live[at].size_bytes;
      steps.push_back({live[at].slot, 0});
      vacant.push_back(live[at].slot);
      live[at] = live.back();
      live.pop_back();
    }
    std::uint32_t slot = trace.slots;
    if (vacant.empty()) {
      ++trace.slots;
    } else {
      slot = vacant.back();
      vacant.pop_back();
    }
    const std::uint32_t align = mix.natural ? std::min(std::bit_ceil(size), 64U * 1024) : 1;
    live.push_back({slot, size});
    used += size;
    steps.push_back({slot, size, align});
    if (full) ++trace.pairs;
    // Turned over several times since it was full for the first time, the state is a typical one.
    if (!full && trace.before.size() > 6 * live.size()) full = true;
  }
  return trace;
}

/// One block, again and again, in an empty pool.
///
/// @param pairs  even.
inline Trace hot(Turns turns, std::size_t pairs) {
  Trace trace;
  trace.pairs = pairs;
  trace.slots = 1;
  trace.cyclic = true;
  trace.only_size_bytes = turns.only();
  for (std::size_t i = 0; i < pairs; ++i) {
    trace.steps.push_back({0, turns.of(i)});
    trace.steps.push_back({0, 0});
  }
  return trace;
}

/// The same inside a pool that is half full, and churned.
inline Trace hot_in_churned(const PoolShape& pool, Turns turns, std::size_t pairs,
                            std::uint64_t seed) {
  Trace churned = mixed(pool, {.per_cent = 50}, 20'000, seed);
  Trace trace = hot(turns, pairs);
  trace.only_size_bytes = 0;
  for (Step& step : trace.steps) step.slot = churned.slots;
  trace.before = std::move(churned.before);
  trace.before.insert(trace.before.end(), churned.steps.begin(), churned.steps.end());
  trace.slots = churned.slots + 1;
  return trace;
}

/// Of two granules each, as many as are held at a time at most where every other single granule is
/// free.
inline constexpr std::uint32_t kHeld = 16;

/// All single granules taken, every other given back, a hole only at the end: blocks of two
/// granules are taken, and given back.
///
/// @param held  how many at a time: of 1, whoever keeps the block that was given back last finds it
///              without a search; of kHeld, once in so many. It divides `pairs`.
///
/// How many single granules there are depends on a peer's headers, so the preparation is the
/// peer's: `before` takes as many as there could be, and after it comes punch().
inline Trace adversary(const PoolShape& pool, std::uint32_t held, std::size_t pairs) {
  const auto granule = static_cast<std::uint32_t>(pool.granule_bytes);
  const auto granules = static_cast<std::uint32_t>(pool.bytes / granule);
  Trace trace;
  trace.pairs = pairs;
  trace.slots = granules + kHeld;
  trace.cyclic = true;
  trace.punched = true;
  for (std::uint32_t i = 0; i < granules; ++i) trace.before.push_back({i, granule});
  for (std::size_t i = 0; i < pairs; i += held) {
    for (std::uint32_t k = 0; k < held; ++k) trace.steps.push_back({granules + k, 2 * granule});
    for (std::uint32_t k = 0; k < held; ++k) trace.steps.push_back({granules + k, 0});
  }
  return trace;
}

/// What is given back once the first `taken` slots are taken: every other one, and the last ones,
/// in which the held blocks find room, whatever a peer adds to each of them.
inline std::vector<Step> punch(std::uint32_t taken) {
  const std::uint32_t hole = std::min(taken, 2 * kHeld);
  std::vector<Step> steps;
  for (std::uint32_t i = taken % 2; i < taken - hole; i += 2) steps.push_back({i, 0});
  for (std::uint32_t i = taken - hole; i < taken; ++i) steps.push_back({i, 0});
  return steps;
}

/// The workloads of one thread, in the order of the table.
inline constexpr std::array<std::string_view, 14> kWorkloads{
    "W1",       "W1-turns", "W2",  "W3-50",     "W3-85", "W3-85-natural", "W4-64", "W4-4096",
    "W4-turns", "W4-65536", "W4c", "W4c-turns", "W5",    "W5-held"};
/// The workloads of two threads.
inline constexpr std::array<std::string_view, 2> kWorkloadsOfTwo{"W6", "W6b"};

/// A workload by its name; of a workload of two threads, the trace of one of them.
///
/// @param pairs  how many are wanted; a cyclic trace has fewer, and is played again.
/// @param seed   of what is random: another seed is another trace of the same kind.
inline std::optional<Trace> workload(std::string_view name, const PoolShape& pool,
                                     std::size_t pairs, std::uint64_t seed) {
  // A short trace stays in the cache, as the code of a driver would.
  const std::size_t few = std::min<std::size_t>(pairs, 2048);
  const std::uint32_t ring_live = pool.bytes == kLarge.bytes ? 512 : 256;
  const auto granule = static_cast<std::uint32_t>(pool.granule_bytes);
  const Turns buffers{2048, 2048 + granule};
  const Turns pages{4096, 4096 + granule};
  if (name == "W1") return ring(ring_live, {2048, 2048}, few);
  if (name == "W1-turns") return ring(ring_live, buffers, few);
  if (name == "W2") return frames(pool, pairs, seed);
  if (name == "W3-50") return mixed(pool, {.per_cent = 50}, pairs, seed);
  if (name == "W3-85") return mixed(pool, {.per_cent = 85}, pairs, seed);
  if (name == "W3-85-natural") {
    return mixed(pool, {.per_cent = 85, .natural = true}, pairs, seed);
  }
  if (name == "W4-64") return hot({64, 64}, few);
  if (name == "W4-4096") return hot({4096, 4096}, few);
  if (name == "W4-turns") return hot(pages, few);
  if (name == "W4-65536") return hot({65536, 65536}, few);
  if (name == "W4c") return hot_in_churned(pool, {4096, 4096}, few, seed);
  if (name == "W4c-turns") return hot_in_churned(pool, pages, few, seed);
  // Few, because there are peers that need 70 us for one.
  if (name == "W5") return adversary(pool, 1, std::min<std::size_t>(pairs, 256));
  if (name == "W5-held") return adversary(pool, kHeld, std::min<std::size_t>(pairs, 256));
  if (name == "W6") return mixed(pool, {.per_cent = 25}, pairs, seed);
  if (name == "W6b") return ring(64, {2048, 2048}, few);
  return std::nullopt;
}

}  // namespace carveout::bench
