// A machine that is watched, and how a mistake is shown: made once, and nearly made.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>
#include <vector>

#include "bytes.hpp"
#include "carveout_sim/checker.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/machine.hpp"

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
};

struct World {
  World() : World{Watched{}} {}
  explicit World(const Watched& watched)
      : checker{machine,
                {.callback = Checker::silent,
                 .speculation = watched.speculation,
                 .errors = watched.errors,
                 .entries = watched.entries}} {}

  Machine machine{{.write_buffer_stores = 8, .early_loads = 16}};
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
  DmaEngine poller{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}, kAnyMaster,
                   Started::by_itself};
  /// A device that the checker knows no mappings of.
  DmaEngine bare{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  std::byte* cached = machine.cached_view({kCached, 0x1'0000});
  std::byte* uncached = machine.cpu_view({kUncached, 0x1'0000});

  void store(std::size_t offset, std::size_t count = 1) {
    machine.write(cached + offset, pattern(count, 1));
  }
  void load(std::size_t offset, std::size_t count = 1) {
    static_cast<void>(read(machine, cached + offset, count));
  }
  void load_past(std::size_t offset, std::size_t count = 1) {
    static_cast<void>(read(machine, uncached + offset, count));
  }
  void device_reads(DmaEngine& device, std::size_t offset, std::size_t count = 1) {
    Bytes bytes(count);
    ASSERT_TRUE(device.read(dma(offset), bytes));
  }
  void device_writes(DmaEngine& device, std::size_t offset, std::size_t count = 1) {
    ASSERT_TRUE(device.write(dma(offset), pattern(count, 2)));
  }
};

/// One mistake: made once, and all but made.
struct Case {
  Mistake mistake;
  void (*wrong)(World&);
  void (*right)(World&);
  Watched watched = {};
};
inline void PrintTo(const Case& test, std::ostream* out) { *out << name_of(test.mistake); }

/// Whether there is a case for each mistake from `first` up to `end`, in their order.
constexpr bool has_each(std::span<const Case> cases, std::size_t first, std::size_t end) {
  if (cases.size() != end - first) return false;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (cases[i].mistake != static_cast<Mistake>(first + i)) return false;
    if (cases[i].wrong == nullptr || cases[i].right == nullptr) return false;
  }
  return true;
}

inline void expect_it_alone_and_once(const Case& test) {
  World world{test.watched};
  test.wrong(world);
  EXPECT_EQ(world.checker.count(test.mistake), 1U);
  for (const Report& report : world.checker.reports()) {
    EXPECT_EQ(name_of(report.mistake), name_of(test.mistake)) << report.text();
  }
}

inline void expect_silence(const Case& test) {
  World world{test.watched};
  test.right(world);
  for (const Report& report : world.checker.reports()) ADD_FAILURE() << report.text();
}

}  // namespace carveout::sim
