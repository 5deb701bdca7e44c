// A machine that is watched, and how a mistake is shown: made once, and nearly made.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>
#include <tuple>
#include <type_traits>
#include <vector>

#include "bytes.hpp"
#include "carveout_sim/checker.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/machine.hpp"
#include "carveout_sim/plain_machine.hpp"

namespace carveout::sim {

inline constexpr PhysAddr kCached{0x3'5a00'0000};
inline constexpr PhysAddr kUncached{0x7'1b40'0000};
inline constexpr Window kWindows[] = {kOddWindow};
inline constexpr auto kTo = Direction::to_device;
inline constexpr auto kFrom = Direction::from_device;
inline constexpr auto kBoth = Direction::bidirectional;

inline PhysRange at(std::size_t offset, std::size_t size_bytes) {
  return {PhysAddr{kCached.raw() + offset}, size_bytes};
}
inline PhysRange uncached_at(std::size_t offset, std::size_t size_bytes) {
  return {PhysAddr{kUncached.raw() + offset}, size_bytes};
}
inline DmaAddr dma(std::size_t offset) { return DmaAddr{kOddWindow.dma.raw() + offset}; }

/// How a World differs from the usual one.
struct Watched {
  Speculation speculation = Speculation::may_happen;
  Checker::Errors errors = Checker::Errors::by_result;
  std::size_t entries = 64;
  // No matter with plain pointers.
  OnStore on_store = OnStore::write_back;
  OnStoreMiss on_store_miss = OnStoreMiss::allocate;
};

/// A machine of either kind, and the same few words for what a program does on it.
template <class SomeMachine>
struct WorldOn {
  static constexpr bool kPlain = std::is_same_v<SomeMachine, PlainMachine>;

  static auto facts(const Watched& watched) {
    if constexpr (kPlain) {
      return PlainFacts{};
    } else {
      return MachineFacts{.cache = CacheGeometry{.on_store = watched.on_store,
                                                 .on_store_miss = watched.on_store_miss},
                          .write_buffer_stores = 8,
                          .early_loads = 16};
    }
  }

  WorldOn() : WorldOn{Watched{}} {}
  explicit WorldOn(const Watched& watched)
      : machine{facts(watched)},
        checker{machine,
                {.callback = Checker::silent,
                 .speculation = watched.speculation,
                 .errors = watched.errors,
                 .entries = watched.entries}} {}

  SomeMachine machine;
  Checker checker;
  Master eth = checker.attach("eth");
  Master usb = checker.attach("usb");
  /// It reaches the second 64 KiB of the window not, and takes 256 bytes at a time, none of them
  /// over a page.
  Master adc = checker.attach("adc", {.translation = Translation::through(kWindows),
                                      .mask = dma(0xffff),
                                      .max_segment_bytes = 256,
                                      .segment_boundary_bytes = 4096});
  DmaEngine engine{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}, eth};
  // Devices that the checker knows no mappings of.
  DmaEngine poller{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}, Master{77},
                   Started::by_itself};
  DmaEngine other_poller{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}, Master{78},
                         Started::by_itself};
  DmaEngine bare{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  std::byte* cached = view(kCached);
  std::byte* uncached = view(kUncached);

  std::byte* view(PhysAddr from) {
    if constexpr (!kPlain) {
      if (from == kCached) return machine.cached_view({from, 0x1'0000});
    }
    return machine.cpu_view({from, 0x1'0000});
  }

  void store_at(std::byte* to, std::size_t count) {
    const Bytes bytes = pattern(count, 1);
    if constexpr (kPlain) {
      std::ranges::copy(bytes, to);
    } else {
      machine.write(to, bytes);
    }
  }
  void load_at(const std::byte* from, std::size_t count) {
    if constexpr (kPlain) {
      for (std::size_t i = 0; i < count; ++i) {
        std::ignore = std::byte{*static_cast<const volatile std::byte*>(from + i)};
      }
    } else {
      std::ignore = read(machine, from, count);
    }
  }
  void store(std::size_t offset, std::size_t count = 1) { store_at(cached + offset, count); }
  void load(std::size_t offset, std::size_t count = 1) { load_at(cached + offset, count); }
  void store_past(std::size_t offset, std::size_t count = 1) { store_at(uncached + offset, count); }
  void load_past(std::size_t offset, std::size_t count = 1) { load_at(uncached + offset, count); }
  void clean(std::size_t offset, std::size_t count) { machine.clean(cached + offset, count); }
  void invalidate(std::size_t offset, std::size_t count) {
    machine.invalidate(cached + offset, count);
  }
  void publish() {
    if constexpr (!kPlain) machine.cpu(0).publish_barrier();
  }
  void observe() {
    if constexpr (!kPlain) machine.cpu(0).observe_barrier();
  }
  void device_reads(DmaEngine& device, std::size_t offset, std::size_t count = 1) {
    Bytes bytes(count);
    ASSERT_TRUE(device.read(dma(offset), bytes));
  }
  void device_writes(DmaEngine& device, std::size_t offset, std::size_t count = 1) {
    ASSERT_TRUE(device.write(dma(offset), pattern(count, 2)));
  }
  /// What a machine of plain pointers sees late, it has seen now.
  void settle() {
    if constexpr (kPlain) {
      EXPECT_TRUE(machine.touches().empty()) << "the checker was told";
    }
  }
};
using World = WorldOn<Machine>;
using PlainWorld = WorldOn<PlainMachine>;

/// Whether a mistake shows where the program uses plain pointers.
enum class WithPlainPointers : std::uint8_t { shows, does_not_show };

/// One mistake: made once, and all but made, on either machine.
struct Case {
  template <class Wrong, class Right>
  constexpr Case(Mistake its_name, Wrong its_wrong, Right its_right, const Watched& on = {},
                 WithPlainPointers with_plain = WithPlainPointers::shows)
      : mistake{its_name},
        wrong{its_wrong},
        right{its_right},
        plain_wrong{its_wrong},
        plain_right{its_right},
        watched{on},
        plain{with_plain} {}
  template <class Wrong, class Right>
  constexpr Case(Mistake its_name, Wrong its_wrong, Right its_right, WithPlainPointers with_plain)
      : Case{its_name, its_wrong, its_right, Watched{}, with_plain} {}

  Mistake mistake;
  void (*wrong)(World&);
  void (*right)(World&);
  void (*plain_wrong)(PlainWorld&);
  void (*plain_right)(PlainWorld&);
  Watched watched;
  WithPlainPointers plain;
};
inline void PrintTo(const Case& test, std::ostream* out) { *out << name_of(test.mistake); }

/// Whether there is a case for each mistake from `first` up to `end`, in their order.
constexpr bool has_each(std::span<const Case> cases, std::size_t first, std::size_t end) {
  if (cases.size() != end - first) return false;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (cases[i].mistake != static_cast<Mistake>(first + i)) return false;
  }
  return true;
}

template <class AnyWorld>
void expect_alone(const Case& test, void (*wrong)(AnyWorld&), std::uint64_t times) {
  AnyWorld world{test.watched};
  wrong(world);
  world.settle();
  EXPECT_EQ(world.checker.count(test.mistake), times);
  for (const Report& report : world.checker.reports()) {
    EXPECT_EQ(name_of(report.mistake), name_of(test.mistake)) << report.text();
  }
}

inline void expect_it_alone_and_once(const Case& test) { expect_alone(test, test.wrong, 1); }

inline void expect_it_where_plain_pointers_show_it(const Case& test) {
  expect_alone(test, test.plain_wrong, test.plain == WithPlainPointers::shows ? 1 : 0);
}

template <class AnyWorld>
void expect_nothing(const Watched& watched, void (*right)(AnyWorld&)) {
  AnyWorld world{watched};
  right(world);
  world.settle();
  for (const Report& report : world.checker.reports()) ADD_FAILURE() << report.text();
}

/// On both machines, and where stores through the cache stay in it and where they do not.
inline void expect_silence(const Case& test) {
  expect_nothing(test.watched, test.plain_right);
  for (const OnStoreMiss on_miss : {OnStoreMiss::allocate, OnStoreMiss::no_allocate}) {
    Watched other = test.watched;
    other.on_store_miss = on_miss;
    other.on_store = OnStore::write_through;
    expect_nothing(other, test.right);
    other.on_store = OnStore::write_back;
    expect_nothing(other, test.right);
  }
}

}  // namespace carveout::sim
