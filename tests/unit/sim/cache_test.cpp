// The cache against models of it that are too simple to be wrong.
#include "carveout_sim/cache.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cstring>
#include <map>

#include "bytes.hpp"
#include "carveout_sim/dma_engine.hpp"

namespace carveout::sim {
namespace {

constexpr PhysAddr kRam{0x3'5a00'0000};
constexpr std::size_t kRegion = 0x1000;  ///< the bytes that random steps touch

TEST(Cache, EvictsTheLineThatWasUsedLeastRecently) {
  Machine machine{{.cache = CacheGeometry{.line_bytes = 32, .sets = 4, .ways = 2}}};
  const std::size_t stride = 32 * 4;
  std::byte* const a = machine.cpu_view({kRam, kRegion});
  std::byte* const b = a + stride;
  std::byte* const c = b + stride;
  static_cast<void>(machine.load(a));
  static_cast<void>(machine.load(b));
  static_cast<void>(machine.load(a));

  static_cast<void>(machine.load(c));

  EXPECT_TRUE(machine.line(a).valid);
  EXPECT_FALSE(machine.line(b).valid);
  EXPECT_TRUE(machine.line(c).valid);
}

TEST(Cache, FillsAnInvalidLineBeforeItEvictsAValidOne) {
  Machine machine{{.cache = CacheGeometry{.line_bytes = 32, .sets = 4, .ways = 2}}};
  const std::size_t stride = 32 * 4;
  std::byte* const a = machine.cpu_view({kRam, kRegion});
  static_cast<void>(machine.load(a));
  static_cast<void>(machine.load(a + stride));
  machine.invalidate(a + stride, 1);

  static_cast<void>(machine.load(a + 2 * stride));

  EXPECT_TRUE(machine.line(a).valid);
}

TEST(Cache, AllocatesOnAStoreAndKeepsTheRestOfTheLine) {
  Machine machine;
  const Bytes old = pattern(32, 1);
  machine.bus_write(kRam, old);
  std::byte* const line = machine.cpu_view({kRam, 32});

  machine.store(line + 5, std::byte{0});

  EXPECT_EQ(machine.line(line), (LineState{.valid = true, .dirty = true}));
  Bytes expected = old;
  expected[5] = std::byte{0};
  EXPECT_EQ(read(machine, line, 32), expected);
}

TEST(Cache, AnAccessAcrossLinesBringsInEachOfThem) {
  Machine machine;
  std::byte* const line = machine.cpu_view({kRam, 128});
  machine.store(reinterpret_cast<std::uint64_t*>(line + 28), 0x1122'3344'5566'7788U);
  EXPECT_TRUE(machine.line(line).dirty);
  EXPECT_TRUE(machine.line(line + 32).dirty);
  EXPECT_FALSE(machine.line(line + 64).valid);
  EXPECT_EQ(machine.load(reinterpret_cast<std::uint64_t*>(line + 28)), 0x1122'3344'5566'7788U);
}

TEST(Cache, TheSameStepsLeaveTheSameLines) {
  const auto run = [] {
    Machine machine;
    std::byte* const base = machine.cpu_view({kRam, kRegion});
    std::uint32_t random = 1;
    for (int step = 0; step < 2000; ++step) {
      random = random * 1664525U + 1013904223U;
      machine.store(base + (random >> 8) % kRegion, static_cast<std::byte>(step));
    }
    std::vector<std::pair<bool, bool>> lines;
    for (std::size_t at = 0; at < kRegion; at += 32) {
      lines.emplace_back(machine.line(base + at).valid, machine.line(base + at).dirty);
    }
    return std::pair{lines, ram(machine, kRam, kRegion)};
  };
  EXPECT_EQ(run(), run());
}

/// Sizes of a cache from the smallest to one that a test of kRegion does not fill.
CacheGeometry any_geometry() {
  const auto power = [](int low, int high) {
    return std::size_t{1} << *rc::gen::inRange(low, high + 1);
  };
  return {.line_bytes = power(0, 7), .sets = power(0, 5), .ways = power(0, 3)};
}

struct Piece {
  std::size_t offset;
  std::size_t length;
};
Piece any_piece() {
  const auto offset = *rc::gen::inRange<std::size_t>(0, kRegion);
  const auto length =
      *rc::gen::inRange<std::size_t>(1, std::min<std::size_t>(200, kRegion - offset) + 1);
  return {offset, length};
}

RC_GTEST_PROP(CacheProperty, TheCpuAloneAlwaysReadsWhatItWrote, ()) {
  Machine machine{{.cache = any_geometry()}};
  std::byte* const view = machine.cpu_view({kRam, kRegion});
  Bytes naive(kRegion);

  const int steps = *rc::gen::inRange(1, 200);
  for (int step = 0; step < steps; ++step) {
    const Piece piece = any_piece();
    switch (*rc::gen::inRange(0, 4)) {
      case 0: {
        const Bytes data = pattern(piece.length, static_cast<std::uint8_t>(step));
        machine.write(view + piece.offset, data);
        std::ranges::copy(data, naive.begin() + static_cast<std::ptrdiff_t>(piece.offset));
        break;
      }
      case 1:
        machine.clean(view + piece.offset, piece.length);
        break;
      case 2:
        machine.clean_invalidate(view + piece.offset, piece.length);
        break;
      default:
        break;
    }
    const auto first = naive.begin() + static_cast<std::ptrdiff_t>(piece.offset);
    RC_ASSERT(read(machine, view + piece.offset, piece.length) ==
              Bytes(first, first + static_cast<std::ptrdiff_t>(piece.length)));
  }
  machine.clean(view, kRegion);
  RC_ASSERT(ram(machine, kRam, kRegion) == naive);
}

/// A cache that is never full: a copy of each line, and whether it was written.
class EndlessCache {
 public:
  explicit EndlessCache(std::size_t line_bytes) : line_bytes_{line_bytes} {}

  std::byte load(std::size_t at) { return line_of(at).bytes[at % line_bytes_]; }
  void store(std::size_t at, std::byte value) {
    line_of(at).bytes[at % line_bytes_] = value;
    line_of(at).dirty = true;
  }
  void clean(std::size_t at) {
    const auto line = lines_.find(at / line_bytes_);
    if (line == lines_.end() || !line->second.dirty) return;
    std::ranges::copy(line->second.bytes,
                      ram.begin() + static_cast<std::ptrdiff_t>(at / line_bytes_ * line_bytes_));
    line->second.dirty = false;
  }
  void invalidate(std::size_t at) { lines_.erase(at / line_bytes_); }
  LineState state(std::size_t at) const {
    const auto line = lines_.find(at / line_bytes_);
    if (line == lines_.end()) return {};
    return {.valid = true, .dirty = line->second.dirty};
  }

  Bytes ram = Bytes(kRegion);

 private:
  struct Line {
    Bytes bytes;
    bool dirty;
  };
  Line& line_of(std::size_t at) {
    const std::size_t index = at / line_bytes_;
    const auto first = ram.begin() + static_cast<std::ptrdiff_t>(index * line_bytes_);
    return lines_
        .try_emplace(index, Bytes(first, first + static_cast<std::ptrdiff_t>(line_bytes_)), false)
        .first->second;
  }

  std::size_t line_bytes_;
  std::map<std::size_t, Line> lines_;
};

RC_GTEST_PROP(CacheProperty, WithADeviceEveryByteIsStaleExactlyWhenItsLineSaysSo, ()) {
  const std::size_t line_bytes = std::size_t{1} << *rc::gen::inRange(2, 8);
  // Large enough for all of the region, so that nothing is evicted and the naive cache is exact.
  Machine machine{{.cache = CacheGeometry{line_bytes, kRegion / line_bytes, 1}}};
  static constexpr std::array kWindows{kOddWindow};
  DmaEngine device{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
  std::byte* const view = machine.cpu_view({kRam, kRegion});
  EndlessCache naive{line_bytes};

  const int steps = *rc::gen::inRange(1, 100);
  for (int step = 0; step < steps; ++step) {
    const Piece piece = any_piece();
    const auto each = [&](auto&& act) {
      for (std::size_t at = piece.offset; at < piece.offset + piece.length; ++at) act(at);
    };
    const Bytes data = pattern(piece.length, static_cast<std::uint8_t>(step));
    switch (*rc::gen::inRange(0, 6)) {
      case 0: {
        const Bytes seen = read(machine, view + piece.offset, piece.length);
        each([&](std::size_t at) { RC_ASSERT(seen[at - piece.offset] == naive.load(at)); });
        break;
      }
      case 1:
        machine.write(view + piece.offset, data);
        each([&](std::size_t at) { naive.store(at, data[at - piece.offset]); });
        break;
      case 2:
        machine.clean(view + piece.offset, piece.length);
        each([&](std::size_t at) { naive.clean(at); });
        break;
      case 3:
        machine.invalidate(view + piece.offset, piece.length);
        each([&](std::size_t at) { naive.invalidate(at); });
        break;
      case 4:
        machine.clean_invalidate(view + piece.offset, piece.length);
        each([&](std::size_t at) {
          naive.clean(at);
          naive.invalidate(at);
        });
        break;
      default:
        RC_ASSERT(device.write(DmaAddr{kOddWindow.dma.raw() + piece.offset}, data).has_value());
        each([&](std::size_t at) { naive.ram[at] = data[at - piece.offset]; });
        break;
    }
    RC_ASSERT(ram(machine, kRam, kRegion) == naive.ram);
    for (std::size_t at = 0; at < kRegion; at += line_bytes) {
      RC_ASSERT(machine.line(view + at) == naive.state(at));
    }
  }
}

}  // namespace
}  // namespace carveout::sim
