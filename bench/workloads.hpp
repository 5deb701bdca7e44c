// The workloads of the benchmarks, as traces: what is taken and given back, in which order. A trace
// is made before the clock runs, and every peer plays the same one.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
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
  std::size_t pairs = 0;  ///< takes in `steps`, each of which is given back
  std::uint32_t slots = 0;
};

/// FIFO of live 2 KiB buffers.
inline Trace ring(const PoolShape& pool, std::size_t pairs) {
  const std::uint32_t live = pool.bytes == kLarge.bytes ? 512 : 256;
  Trace trace{.before = {}, .steps = {}, .pairs = pairs, .slots = live};
  for (std::uint32_t i = 0; i < live; ++i) trace.before.push_back({i, 2048});
  for (std::size_t i = 0; i < pairs; ++i) {
    const auto slot = static_cast<std::uint32_t>(i % live);
    trace.steps.push_back({slot, 0});
    trace.steps.push_back({slot, 2048});
  }
  return trace;
}

/// Eight live buffers, uniform between 3/128 and 1/8 of the pool, replaced at random.
inline Trace frames(const PoolShape& pool, std::size_t pairs, std::uint64_t seed = 2) {
  std::mt19937_64 random{seed};
  std::uniform_int_distribution<std::uint64_t> size{pool.bytes * 3 / 128, pool.bytes / 8};
  Trace trace{.before = {}, .steps = {}, .pairs = pairs, .slots = 8};
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

/// Log-uniform sizes and random lifetimes at an occupancy of requested bytes.
///
/// @param natural  each request is aligned to the power of two above its size, up to 64 KiB.
inline Trace mixed(const PoolShape& pool, std::uint32_t per_cent, std::size_t pairs,
                   bool natural = false, std::uint64_t seed = 3) {
  std::mt19937_64 random{seed};
  const double most = pool.bytes == kLarge.bytes ? 256.0 * 1024 : 16.0 * 1024;
  std::uniform_real_distribution<double> exponent{std::log(64.0), std::log(most)};
  const std::uint64_t limit = pool.bytes / 100 * per_cent;

  Trace trace;
  struct Live {
    std::uint32_t slot;
    std::uint32_t size_bytes;
  };
  std::vector<Live> live;
  std::vector<std::uint32_t> vacant;
  std::uint64_t used = 0;
  bool full = false;
  while (trace.pairs < pairs) {
    const auto size = static_cast<std::uint32_t>(std::exp(exponent(random)));
    std::vector<Step>& steps = full ? trace.steps : trace.before;
    while (used + size > limit) {
      const std::size_t at = random() % live.size();
      used -= live[at].size_bytes;
      (full ? trace.steps : trace.before).push_back({live[at].slot, 0});
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
    std::uint32_t align = 1;
    while (natural && align < size && align < 64 * 1024) align *= 2;
    live.push_back({slot, size});
    used += size;
    steps.push_back({slot, size, align});
    if (full) ++trace.pairs;
    // One turnover after the first time that it is full, the state is a typical one.
    if (!full && trace.before.size() > 6 * live.size()) full = true;
  }
  return trace;
}

/// One block, again and again, in an empty pool.
inline Trace hot(std::uint32_t size_bytes, std::size_t pairs) {
  Trace trace{.before = {}, .steps = {}, .pairs = pairs, .slots = 1};
  for (std::size_t i = 0; i < pairs; ++i) {
    trace.steps.push_back({0, size_bytes});
    trace.steps.push_back({0, 0});
  }
  return trace;
}

/// The same inside a pool that is half full, and churned.
inline Trace hot_in_churned(const PoolShape& pool, std::uint32_t size_bytes, std::size_t pairs) {
  Trace churned = mixed(pool, 50, 20'000);
  Trace trace = hot(size_bytes, pairs);
  for (Step& step : trace.steps) step.slot = churned.slots;
  trace.before = std::move(churned.before);
  trace.before.insert(trace.before.end(), churned.steps.begin(), churned.steps.end());
  trace.slots = churned.slots + 1;
  return trace;
}

/// All single granules taken, every other given back, a hole only at the end: two granules.
inline Trace adversary(const PoolShape& pool, std::size_t pairs) {
  const auto granule = static_cast<std::uint32_t>(pool.granule_bytes);
  const auto granules = static_cast<std::uint32_t>(pool.bytes / granule);
  Trace trace{.before = {}, .steps = {}, .pairs = pairs, .slots = granules + 1};
  for (std::uint32_t i = 0; i < granules; ++i) trace.before.push_back({i, granule});
  for (std::uint32_t i = 0; i < granules - 2; i += 2) trace.before.push_back({i, 0});
  trace.before.push_back({granules - 2, 0});
  trace.before.push_back({granules - 1, 0});
  for (std::size_t i = 0; i < pairs; ++i) {
    trace.steps.push_back({granules, 2 * granule});
    trace.steps.push_back({granules, 0});
  }
  return trace;
}

}  // namespace carveout::bench
