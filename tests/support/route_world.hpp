// One device and the roles of its board, put together by hand: what route() is asked about. Floors
// over map take no part.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carveout/map/device.hpp"
#include "carveout/map/route.hpp"
#include "tests/support/made_pool.hpp"

namespace carveout::test {

/// Where pools of a RouteWorld lie: the device reaches the first, and nothing of the second.
inline constexpr std::uint64_t kReachedBase = 0x6'1000'0000;
inline constexpr std::uint64_t kUnreachedBase = 0x9'2000'0000;

class RouteWorld {
 public:
  RouteWorld() = default;
  RouteWorld(const RouteWorld&) = delete;
  RouteWorld& operator=(const RouteWorld&) = delete;

  /// A pool of the size of one page at a place of its own.
  MadePool& pool(std::string name, Memory memory, Views views = Views::both, bool reached = true) {
    const std::uint64_t base = reached ? kReachedBase : kUnreachedBase;
    const PhysRange range{PhysAddr{base + 0x1000 * pools_.size()}, 0x1000};
    return pools_.emplace_back(std::move(name), memory, range, views);
  }

  /// Gives the device a pool of its own, behind those that it has.
  void bind(MadePool& pool, std::optional<Error> refused = std::nullopt,
            std::string_view name = {}) {
    Binding* const binding =
        &bindings_.emplace_back(Binding{.index = static_cast<std::uint32_t>(bindings_.size()),
                                        .name = name,
                                        .pool_name = pool.name(),
                                        .memory = pool.get()->memory(),
                                        .pool = pool.get(),
                                        .reaches = reaches_,
                                        .refused = refused});
    Binding** end = &device.bindings;
    while (*end != nullptr) end = &(*end)->next;
    *end = binding;
  }

  void give(Role role, MadePool& pool) { roles.pools[static_cast<std::size_t>(role)] = pool.get(); }

  void give_node(std::uint32_t numa_node, MadePool& pool) {
    nodes_.push_back({.numa_node = numa_node, .pool = pool.get(), .next = roles.contiguous_nodes});
    roles.contiguous_nodes = &nodes_.back();
  }

  /// Every candidate that route() names, as long as nobody stops it.
  [[nodiscard]] std::vector<Candidate> walk(const Options& options = {}) const {
    std::vector<Candidate> candidates;
    route(device, options, [&](const Candidate& candidate) {
      candidates.push_back(candidate);
      return Step::next;
    });
    return candidates;
  }

  Roles roles;
  Device device{.name = "the device",
                .id = 7,
                .translation = Translation::through(kWindows),
                .coherent_mask = DmaAddr{0xffff'ffff},
                .reaches = reaches_,
                .coherent = false,
                .behind_iommu = false,
                .numa_node = 3,
                .roles = &roles};

 private:
  static constexpr std::array kWindows{
      Window{DmaAddr{0x4c80'0000}, PhysAddr{kReachedBase}, 0x10'0000}};
  static constexpr std::array reaches_{
      Reach{PhysAddr{kReachedBase}, PhysAddr{kReachedBase + 0xf'ffff}, DmaAddr{0x4c80'0000}}};

  std::deque<MadePool> pools_;
  std::deque<Binding> bindings_;
  std::deque<Roles::NodePool> nodes_;
};

/// A candidate in a word or two: "default", "!atomic" (refused), "-bounce" (skipped), and behind a
/// colon the pool where there is one.
inline std::string brief(const Candidate& candidate) {
  std::string text = candidate.verdict == Verdict::skipped   ? "-"
                     : candidate.verdict == Verdict::refused ? "!"
                                                             : "";
  text += name_of(candidate.role);
  if (!candidate.pool_name.empty()) text += ":" + std::string{candidate.pool_name};
  return text;
}

inline std::vector<std::string> brief(const std::vector<Candidate>& candidates) {
  std::vector<std::string> texts;
  for (const Candidate& candidate : candidates) texts.push_back(brief(candidate));
  return texts;
}

}  // namespace carveout::test
