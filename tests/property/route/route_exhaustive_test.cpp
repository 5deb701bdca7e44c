// Every board that differs for the route, every device and every request, against the model.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "carveout/map/route.hpp"
#include "tests/property/route/route_model.hpp"
#include "tests/support/made_pool.hpp"

namespace carveout {
namespace {

using test::MadePool;
using test::RouteFacts;
using test::RouteLine;
using test::RouteModel;
using test::There;
using test::Views;

constexpr Reach kReach{PhysAddr{0x6'1000'0000}, PhysAddr{0x6'100f'ffff}, DmaAddr{0x4c80'0000}};
constexpr std::array kReaches{kReach};

/// The pools of all worlds with the same views: two of each role, the second out of reach.
class Pools {
 public:
  explicit Pools(Views views)
      : second_{
            "second", Memory::coherent, {PhysAddr{kReach.first.raw() + 0x8000}, 0x1000}, views} {
    for (std::size_t i = 0; i < kRoles; ++i) {
      const auto role = static_cast<Role>(i);
      for (const std::uint64_t base : {kReach.first.raw(), std::uint64_t{0x9'2000'0000}}) {
        pools_.emplace_back(std::string{name_of(role)}, memory_for(role),
                            PhysRange{PhysAddr{base + i * 0x1000}, 0x1000}, views);
      }
    }
  }

  [[nodiscard]] Pool* of(Role role, There how) {
    return pools_[2 * static_cast<std::size_t>(role) + (how == There::useless ? 1 : 0)].get();
  }
  [[nodiscard]] Pool* second() { return second_.get(); }

 private:
  std::deque<MadePool> pools_;
  MadePool second_;
};

constexpr PhysRange kAllMemory[] = {{PhysAddr{0}, std::uint64_t{1} << 40}};

/// The facts as the objects that route() reads.
class World {
 public:
  World(const RouteFacts& facts, Pools& pools) {
    device_.coherent = facts.coherent;
    device_.fallback = facts.fallback;
    bind(Role::bounce, facts.restricted, pools.of(Role::bounce, There::yes));
    bind(Role::device, facts.own, pools.of(Role::device, There::yes));
    bind(Role::contiguous_device, facts.contiguous_device,
         pools.of(Role::contiguous_device, There::yes));
    if (facts.own != There::no) bind(Role::device, facts.second_own, pools.second());
    give(Role::bounce, facts.board_bounce, pools);
    give(Role::atomic, facts.atomic, pools);
    give(Role::default_pool, facts.default_pool, pools);
    give(Role::contiguous_default, facts.contiguous_default, pools);
    give(Role::ordinary, facts.ordinary, pools);
    if (facts.contiguous_node != There::no) {
      node_.pool = pools.of(Role::contiguous_node, facts.contiguous_node);
      roles_.contiguous_nodes = &node_;
    }
    if (facts.ordinary == There::elsewhere) roles_.ordinary_elsewhere = kAllMemory;
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] std::vector<RouteLine> answer(const Options& options) const {
    std::vector<RouteLine> lines;
    const auto error = route(device_, options, [&](const Candidate& candidate) {
      const bool open = candidate.verdict == Verdict::open;
      lines.push_back({.role = candidate.role,
                       .pool = std::string{candidate.pool_name},
                       .verdict = candidate.verdict,
                       .reason = candidate.reason,
                       .error = candidate.error,
                       .view = open ? std::optional{candidate.view} : std::nullopt});
      return Step::next;
    });
    EXPECT_FALSE(error);
    return lines;
  }

 private:
  void bind(Role role, There how, Pool* pool) {
    if (how == There::no) return;
    Binding& binding = bindings_[bound_];
    binding = {
        .index = bound_,
        .name = {},
        .pool_name = pool->name(),
        .memory = memory_for(role),
        .pool = pool,
        .reaches = kReaches,
        .refused = how == There::useless ? std::optional{Error::not_in_window} : std::nullopt};
    *(bound_ == 0 ? &device_.bindings : &bindings_[bound_ - 1].next) = &binding;
    ++bound_;
  }

  void give(Role role, There how, Pools& pools) {
    if (how == There::yes || how == There::useless) {
      roles_.pools[static_cast<std::size_t>(role)] = pools.of(role, how);
    }
  }

  static constexpr Binding kUnused{.index = 0,
                                   .name = {},
                                   .pool_name = {},
                                   .memory = Memory::coherent,
                                   .pool = nullptr,
                                   .reaches = {},
                                   .refused = std::nullopt};
  std::array<Binding, 4> bindings_{kUnused, kUnused, kUnused, kUnused};
  std::uint32_t bound_ = 0;
  Roles roles_;
  Roles::NodePool node_{.numa_node = 5, .pool = nullptr, .next = nullptr};
  Device device_{.name = "the device",
                 .id = 0,
                 .translation = Translation::identity(),
                 .coherent_mask = DmaAddr{0xffff'ffff},
                 .reaches = kReaches,
                 .coherent = false,
                 .behind_iommu = false,
                 .numa_node = 5,
                 .roles = &roles_};
};

std::string printed(const std::vector<RouteLine>& lines) {
  std::string text;
  for (const RouteLine& line : lines) {
    text += "  " + std::string{name_of(line.role)} + " '" + line.pool + "' verdict " +
            std::to_string(static_cast<int>(line.verdict)) + " reason " +
            std::to_string(static_cast<int>(line.reason)) + " error " +
            (line.error ? std::string{name_of(*line.error)} : "-") + " view " +
            (line.view ? std::to_string(static_cast<int>(*line.view)) : "-") + "\n";
  }
  return text;
}

/// All requests that differ for the route: four attributes, two contexts.
std::vector<Options> requests() {
  std::vector<Options> all;
  for (std::uint32_t attributes = 0; attributes < 16; ++attributes) {
    for (const Context context : {Context::may_wait, Context::must_not_wait}) {
      all.push_back({.attributes = static_cast<Attributes>(attributes), .context = context});
    }
  }
  return all;
}

/// Numbers that have nothing to do with the order of the loops (Knuth's multiplicative hash).
constexpr std::uint32_t mixed(std::size_t number) {
  return static_cast<std::uint32_t>(number * 2'654'435'761U) >> 16;
}

constexpr std::array kThree{There::no, There::yes, There::useless};
constexpr std::array kFour{There::no, There::yes, There::useless, There::elsewhere};

constexpr std::array kEveryFallback{
    Role::contiguous_device, Role::ordinary,     Role::atomic,
    Role::contiguous_node,   Role::default_pool, Role::contiguous_default};
constexpr std::array kOrdinaryFirst{Role::ordinary, Role::default_pool};
constexpr std::array kContiguous{Role::contiguous_default};
/// With each of these and without any.
constexpr std::span<const Role> kFallbacks[] = {kEveryFallback, kOrdinaryFirst, kContiguous};

std::string views_name(const testing::TestParamInfo<Views>& views) {
  constexpr std::array kNames{"Both", "UncachedOnly", "CachedOnly", "None"};
  return kNames[static_cast<std::size_t>(views.param)];
}

class EveryRoute : public testing::TestWithParam<Views> {};

TEST_P(EveryRoute, IsTheModels) {
  Pools pools{GetParam()};
  const std::vector<Options> all_requests = requests();
  std::size_t compared = 0;
  const auto compare = [&](const RouteFacts& facts) {
    const World world{facts, pools};
    for (const Options& options : all_requests) {
      const auto expected = RouteModel{facts, options}.answer();
      const auto got = world.answer(options);
      ++compared;
      if (got == expected) continue;
      ADD_FAILURE() << "attributes " << static_cast<unsigned>(options.attributes) << ", context "
                    << static_cast<unsigned>(options.context) << ", coherent " << facts.coherent
                    << "\nexpected\n"
                    << printed(expected) << "got\n"
                    << printed(got);
      return false;
    }
    return true;
  };

  for (const bool coherent : {false, true})
    for (const There own : kThree)
      for (const There restricted : kThree)
        for (const There atomic : kThree)
          for (const There default_pool : kThree)
            for (const There contiguous_device : kThree)
              for (const There contiguous_default : kThree)
                for (const There ordinary : kFour) {
                  // The node's memory stands where the default one stands, and a second own pool
                  // only beside a first: both take turns instead of multiplying the worlds.
                  const std::size_t number = compared / all_requests.size() / 2;
                  const auto turn = kThree[mixed(number) % 3];
                  RouteFacts facts{.coherent = coherent,
                                   .views = GetParam(),
                                   .own = own,
                                   .second_own = own == There::no ? There::no : turn,
                                   .restricted = restricted,
                                   .atomic = atomic,
                                   .default_pool = default_pool,
                                   .contiguous_device = contiguous_device,
                                   .contiguous_node = turn,
                                   .contiguous_default = contiguous_default,
                                   .ordinary = ordinary,
                                   .board_bounce = turn};
                  if (!compare(facts)) return;
                  facts.fallback = kFallbacks[number % std::size(kFallbacks)];
                  if (!compare(facts)) return;
                }
  EXPECT_EQ(compared, std::size_t{2} * (2 * 729 * 4) * all_requests.size());
}

INSTANTIATE_TEST_SUITE_P(Views, EveryRoute,
                         testing::Values(Views::both, Views::uncached_only, Views::cached_only,
                                         Views::none),
                         views_name);

}  // namespace
}  // namespace carveout
