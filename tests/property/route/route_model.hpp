// The rules of the route a second time, as tables, written from the specification and sharing no
// code with map/route.cpp. A world is stated in facts; the model answers the whole list.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carveout/core/attributes.hpp"
#include "carveout/core/error.hpp"
#include "carveout/map/device.hpp"
#include "carveout/map/route.hpp"
#include "tests/support/made_pool.hpp"

namespace carveout::test {

enum class There : std::uint8_t {
  no,
  yes,
  useless,    ///< refused when it was bound; or nothing of it is reached
  elsewhere,  ///< ordinary memory that is no pool
};

/// Everything that the route may depend on, and nothing else.
struct RouteFacts {
  bool coherent;  ///< the device
  Views views;    ///< of all pools
  There own, second_own, restricted, atomic, default_pool;
  There contiguous_device, contiguous_node, contiguous_default, ordinary;
  There board_bounce;  ///< for streaming maps: no rule of the model looks at it
  std::span<const Role> fallback = {};
};

/// One line of a route. Pools have the names of the facts.
struct RouteLine {
  Role role;
  std::string pool = {};
  Verdict verdict = Verdict::skipped;
  Reason reason = Reason::absent;
  std::optional<Error> error = std::nullopt;
  std::optional<View> view = std::nullopt;  ///< with Verdict::open

  bool operator==(const RouteLine&) const = default;
};

class RouteModel {
 public:
  RouteModel(const RouteFacts& facts, const Options& options) : facts_{facts}, options_{options} {}

  /// What the rules say, and behind the pools whose exhaustion would be final the board's fallback.
  [[nodiscard]] std::vector<RouteLine> answer() {
    std::vector<RouteLine> lines = by_the_rules();
    const auto first = std::ranges::find_if(lines, is_open);
    if (first == lines.end() || facts_.fallback.empty()) return lines;
    const Role final_role = first->role;
    auto end = first;
    for (auto line = first; line != lines.end() && line->role == final_role; ++line) {
      if (is_open(*line)) end = line;
    }
    lines.erase(end + 1, lines.end());

    const bool takes_coherent_memory =
        against_attributes_ ||
        !has(options_.attributes, Attributes::non_coherent | Attributes::no_cpu_mapping);
    for (const Role role : facts_.fallback) {
      if (role == final_role) continue;
      lines_.clear();
      against_attributes_ = false;
      look_at(role);
      for (RouteLine& line : lines_) {
        const bool coherent_memory = role == Role::atomic || role == Role::default_pool;
        if (line.verdict != Verdict::skipped) {
          if (facts_.restricted != There::no) {
            line = {.role = role, .pool = line.pool, .reason = Reason::restricted_bars};
          } else if (coherent_memory && !takes_coherent_memory) {
            line = {.role = role, .pool = line.pool, .reason = Reason::coherent_barred};
          } else if (is_open(line)) {
            line.reason = Reason::fallback;
          }
        }
        lines.push_back(line);
      }
    }
    return lines;
  }

 private:
  [[nodiscard]] std::vector<RouteLine> by_the_rules() {
    const bool no_coherent_memory =
        has(options_.attributes, Attributes::non_coherent | Attributes::no_cpu_mapping);
    const bool contiguous = has(options_.attributes, Attributes::force_contiguous);
    const bool must_not_wait = options_.context == Context::must_not_wait;
    const bool declared_ordinary = facts_.ordinary != There::no;
    constexpr bool kBars = true;

    // The three orders of mission.md, "Route".
    struct Row {
      bool applies;
      Role role;
      bool bars = false;
    };
    const std::vector<Row> for_others{
        {true, Role::device, kBars},     {true, Role::bounce, kBars},
        {must_not_wait, Role::atomic},   {true, Role::default_pool},
        {true, Role::contiguous_device}, {true, Role::contiguous_node},
        {true, Role::contiguous_default}};
    const std::vector<Row> for_coherent{{true, Role::device, kBars},
                                        {true, Role::bounce, kBars},
                                        {contiguous, Role::contiguous_device},
                                        {contiguous, Role::contiguous_node},
                                        {contiguous, Role::contiguous_default},
                                        {true, Role::ordinary},
                                        {!declared_ordinary, Role::default_pool}};
    const std::vector<Row> for_attributes{{true, Role::bounce, kBars},
                                          {contiguous, Role::contiguous_device},
                                          {contiguous, Role::contiguous_node},
                                          {contiguous, Role::contiguous_default},
                                          {true, Role::ordinary}};
    // What those attributes take after all, where nothing else is reached.
    // Contiguous memory that nobody asked for is still no coherent memory: it goes first.
    const std::vector<Row> no_other{{!contiguous, Role::contiguous_device},
                                    {!contiguous, Role::contiguous_node},
                                    {!contiguous, Role::contiguous_default}};
    const std::vector<Row> only_memory{{true, Role::device, kBars}, {true, Role::default_pool}};

    const auto walk = [&](const std::vector<Row>& rows) {
      for (const Row& row : rows) {
        if (!row.applies) continue;
        look_at(row.role);
        if (row.bars && there(row.role) != There::no) return false;
      }
      return true;
    };
    if (!no_coherent_memory) {
      walk(facts_.coherent ? for_coherent : for_others);
    } else if (walk(for_attributes) && std::ranges::none_of(lines_, is_open)) {
      walk(no_other);
      if (std::ranges::any_of(lines_, is_open)) return std::move(lines_);
      against_attributes_ = true;
      walk(only_memory);
    }
    return std::move(lines_);
  }

  static bool is_open(const RouteLine& line) { return line.verdict == Verdict::open; }

  [[nodiscard]] There there(Role role) const {
    switch (role) {
      case Role::device:
        return facts_.own;
      case Role::bounce:
        return facts_.restricted;
      case Role::atomic:
        return facts_.atomic;
      case Role::default_pool:
        return facts_.default_pool;
      case Role::contiguous_device:
        return facts_.contiguous_device;
      case Role::contiguous_node:
        return facts_.contiguous_node;
      case Role::contiguous_default:
        return facts_.contiguous_default;
      case Role::ordinary:
        return facts_.ordinary;
    }
    return There::no;
  }

  static bool devices_own(Role role) {
    return role == Role::device || role == Role::bounce || role == Role::contiguous_device;
  }

  /// A device that does not see the caches gets no cacheable memory, unless it asked for it.
  [[nodiscard]] std::optional<View> view_of(Role role) const {
    const bool uncached = facts_.views == Views::both || facts_.views == Views::uncached_only;
    const bool cached = facts_.views == Views::both || facts_.views == Views::cached_only;
    if (has(options_.attributes, Attributes::no_cpu_mapping)) return View::cached;
    const bool coherent_memory =
        role == Role::device || role == Role::atomic || role == Role::default_pool;
    const bool cacheable_will_do =
        facts_.coherent || (!coherent_memory && has(options_.attributes, Attributes::non_coherent));
    const bool past_the_cache_first = coherent_memory || !cacheable_will_do;
    const bool cached_serves = cached && cacheable_will_do;
    if (past_the_cache_first && uncached) return View::uncached;
    if (cached_serves) return View::cached;
    if (uncached) return View::uncached;
    return std::nullopt;
  }

  void look_at(Role role) {
    if (there(role) == There::no) {
      lines_.push_back({.role = role});
      return;
    }
    if (there(role) == There::elsewhere) {
      if (!facts_.coherent &&
          !has(options_.attributes, Attributes::non_coherent | Attributes::no_cpu_mapping)) {
        lines_.push_back({.role = role, .reason = Reason::no_uncached_view});
        return;
      }
      lines_.push_back({.role = role,
                        .verdict = Verdict::open,
                        .reason = Reason::elsewhere,
                        .view = View::cached});
      return;
    }
    lines_.push_back(line_of(role, std::string{name_of(role)}, there(role)));
    if (role == Role::device && facts_.second_own != There::no) {
      lines_.push_back(line_of(role, "second", facts_.second_own));
    }
  }

  [[nodiscard]] RouteLine line_of(Role role, std::string pool, There how) const {
    RouteLine line{.role = role, .pool = std::move(pool)};
    const auto refuse = [&](Error error) {
      line.verdict = Verdict::refused;
      line.reason = Reason::refused;
      line.error = error;
      return line;
    };
    const auto view = view_of(role);
    if (devices_own(role)) {
      if (how == There::useless) return refuse(Error::not_in_window);
      if (!view) return refuse(Error::no_uncached_view);
    } else {
      if (!view) {
        line.reason = Reason::no_uncached_view;
        return line;
      }
      if (how == There::useless) return refuse(Error::unreachable);
    }
    line.verdict = Verdict::open;
    line.view = view;
    line.reason = against_attributes_    ? Reason::only_memory_left
                  : role == Role::bounce ? Reason::restricted
                  : devices_own(role)    ? Reason::own_pool
                                         : Reason::role_serves;
    return line;
  }

  const RouteFacts& facts_;
  const Options& options_;
  std::vector<RouteLine> lines_;
  bool against_attributes_ = false;
};

}  // namespace carveout::test
