// Random programs of CPU accesses, speculation, maps, syncs and device accesses that keep the
// rules: everybody sees memory as if there were no cache and no copy.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "carveout/ops/streaming.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::must;
using test::ram;
using test::SimBoard;

/// Where decisions come from: a number below the limit.
using Below = std::function<std::uint64_t(std::uint64_t)>;

/// A table, and what the CPU that has it does by itself.
struct Cpu {
  const SyncTable* table;
  bool speculates;
};
/// Without xtensa and openrisc, whose tables are only right for programs that do less.
constexpr std::array kCpus{
    Cpu{&sync_tables::safe, true},
    Cpu{&sync_tables::arm, true},
    Cpu{&sync_tables::arm64, true},
    Cpu{&sync_tables::mips_speculating, true},
    Cpu{&sync_tables::nios2, true},
    Cpu{&sync_tables::csky, true},
    Cpu{&sync_tables::mips_not_speculating, false},
    Cpu{&sync_tables::hexagon, false},
};

struct Tally {
  std::size_t direct = 0, bounced = 0, refused = 0, turns = 0, by_device = 0, by_cpu = 0;
};

constexpr std::uint64_t kRegionAt = 0x2000;
constexpr std::uint64_t kRegionBytes = 0x400;  ///< twice the cache, so that lines are evicted
constexpr PhysRange kBounce = ram(0x8000, 0x800);
constexpr PhysRange kOwn = ram(0x9000, 0x400);

/// Brings one line in, at whatever happens next.
class Fetch final : public sim::Watcher {
 public:
  void line_of(PhysAddr address) { next_ = address; }
  void at(const sim::Moment& /*moment*/, sim::Hands& hands) override {
    const auto address = std::exchange(next_, std::nullopt);
    if (address) hands.act({.what = sim::Act::speculate, .cpu = 0, .at = *address});
  }

 private:
  std::optional<PhysAddr> next_;
};

class Program {
 public:
  Program(const Below& below, Tally& tally)
      : below_{below}, tally_{tally}, cpu_{kCpus[below(kCpus.size())]} {
    board_.port.use(*cpu_.table);
    board_.under_checker.use(cpu_.speculates ? sim::Speculation::may_happen
                                             : sim::Speculation::never);
    // A table that drops lines before the device writes loses what the CPU had there; where the
    // device then writes less, a copy of those bytes is made all the same.
    board_.under_checker.expect({sim::Mistake::store_lost_by_invalidate});
    board_.machine.set_adversary(&fetch_);
    if (below(4) != 0) board_.default_pool("bounce", kBounce, Role::bounce);
    Pool& own = board_.pool("own", kOwn, Memory::bounce);
    Device& restricted = board_.device("restricted");
    devices_ = {
        &board_.device("near"),
        &board_.device("far", {.windows = {{DmaAddr{0x40'0000}, kBounce.base, 0x1000}}}),
        &board_.device("bounded", {.streaming = {.segment_boundary_bytes = 0x80}}),
        &board_.device("keeps", {.streaming = {.keep_low_bits = 0x3f}}),
        &restricted,
    };
    must(board_.system->bind(restricted, own));
  }

  /// What went wrong; empty where nothing did.
  std::string step() {
    switch (below_(10)) {
      case 0:
      case 1:
        return cpu_reads();
      case 2:
      case 3:
        cpu_writes();
        return {};
      case 4:
        speculate();
        return {};
      case 5:
        return map_some();
      case 6:
        return device_acts();
      case 7:
        return device_acts();
      case 8:
        begin_or_end_turn();
        return {};
      default:
        if (below_(2) == 0) unmap_one();
        return {};
    }
  }

  std::string finish() {
    while (!lent_.empty()) unmap_one();
    return check(0, kRegionBytes);
  }

 private:
  struct Lent {
    MappedBytes mapped;
    const Device* device;
    std::uint64_t at;  ///< in the region
    std::optional<Part> turn = std::nullopt;
  };

  [[nodiscard]] static bool inside(std::uint64_t byte, std::uint64_t at, Part part) {
    return byte >= at + part.offset_bytes && byte < at + part.offset_bytes + part.size_bytes;
  }
  [[nodiscard]] const Lent* lent_at(std::uint64_t byte) const {
    for (const Lent& lent : lent_) {
      if (inside(byte, lent.at, {0, lent.mapped.bytes.size_bytes})) return &lent;
    }
    return nullptr;
  }
  [[nodiscard]] bool cpu_may_read(std::uint64_t byte) const {
    const Lent* const lent = lent_at(byte);
    return lent == nullptr || (lent->turn && inside(byte, lent->at, *lent->turn));
  }
  [[nodiscard]] bool cpu_may_write(std::uint64_t byte) const {
    const Lent* const lent = lent_at(byte);
    return cpu_may_read(byte) &&
           (lent == nullptr || lent->mapped.direction != Direction::from_device);
  }
  [[nodiscard]] std::byte* pointer(std::uint64_t byte) const { return region_.cpu + byte; }
  [[nodiscard]] std::byte any_byte() { return static_cast<std::byte>(below_(256)); }
  /// A range of the region.
  [[nodiscard]] Part some(std::uint64_t most) {
    const std::uint64_t size = 1 + below_(most);
    return {below_(kRegionBytes - size + 1), size};
  }

  std::string check(std::uint64_t from, std::uint64_t size) {
    for (std::uint64_t i = from; i < from + size; ++i) {
      if (!cpu_may_read(i) || !shadow_[i]) continue;
      if (board_.machine.load(pointer(i)) != *shadow_[i])
        return "the CPU reads something else at " + std::to_string(i);
      ++tally_.by_cpu;
    }
    return {};
  }
  std::string cpu_reads() {
    const Part range = some(40);
    return check(range.offset_bytes, range.size_bytes);
  }
  void cpu_writes() {
    const Part range = some(40);
    for (std::uint64_t i = range.offset_bytes; i < range.offset_bytes + range.size_bytes; ++i) {
      if (!cpu_may_write(i)) continue;
      shadow_[i] = any_byte();
      board_.machine.store(pointer(i), *shadow_[i]);
    }
  }
  /// Any line may come in at any time, one that is lent, too.
  void speculate() {
    if (!cpu_.speculates) return;
    const std::array places{PhysRange{ram(kRegionAt, kRegionBytes)}, kBounce, kOwn};
    const PhysRange place = places[below_(places.size())];
    fetch_.line_of(PhysAddr{place.base.raw() + below_(place.size_bytes)});
  }

  std::string map_some() {
    const Device& device = *devices_[below_(devices_.size())];
    const auto direction = static_cast<Direction>(below_(kDirections));
    Part range = some(0xa0);
    if (below_(2) == 0) {  // whole lines, which can be mapped as they are
      range.offset_bytes &= ~std::uint64_t{31};
      range.size_bytes =
          std::min((range.size_bytes + 31) & ~std::uint64_t{31}, kRegionBytes - range.offset_bytes);
    }
    const std::uint64_t end = range.offset_bytes + range.size_bytes;
    for (std::uint64_t i = range.offset_bytes; i < end; ++i) {
      if (lent_at(i) != nullptr) return {};
    }
    const CpuBytes bytes = board_.cpu_bytes(ram(kRegionAt + range.offset_bytes, range.size_bytes));
    const auto mapped = map(device, bytes, direction);
    const bool whole_lines = ((range.offset_bytes | range.size_bytes) & 31) == 0;
    if (!mapped) {
      ++tally_.refused;
      if (&device == devices_[0] && (direction == Direction::to_device || whole_lines))
        return "what needs no help is refused";
      return {};
    }
    ++(mapped->copy ? tally_.bounced : tally_.direct);
    // A table that drops lines before the device writes loses what the CPU had there.
    const CacheWork before = cpu_.table->of(direction).before;
    if (!mapped->copy && before == CacheWork::invalidate) {
      for (std::uint64_t i = range.offset_bytes; i < end; ++i) shadow_[i].reset();
    }
    lent_.push_back({.mapped = *mapped, .device = &device, .at = range.offset_bytes});
    return {};
  }

  std::string device_acts() {
    if (lent_.empty()) return {};
    const Lent& lent = lent_[below_(lent_.size())];
    const MappedBytes& mapped = lent.mapped;
    const std::uint64_t size = 1 + below_(mapped.bytes.size_bytes);
    const std::uint64_t first = below_(mapped.bytes.size_bytes - size + 1);
    // Its own turn ends at the lines of the CPU's.
    const std::optional<Part> kept_off =
        lent.turn ? std::optional{whole_lines(*lent.device, mapped, *lent.turn)} : std::nullopt;
    sim::DmaEngine engine = board_.engine(*lent.device);
    const bool writes = mapped.direction == Direction::from_device ||
                        (device_writes(mapped.direction) && below_(2) == 0);
    for (std::uint64_t i = first; i < first + size; ++i) {
      if (kept_off && inside(i, 0, *kept_off)) continue;
      const DmaAddr at{mapped.dma.raw() + i};
      std::optional<std::byte>& shadow = shadow_[lent.at + i];
      ++tally_.by_device;
      if (writes) {
        shadow = any_byte();
        if (!engine.fill(at, 1, *shadow)) return "the device does not reach its mapping";
      } else {
        std::array<std::byte, 1> seen{};
        if (!engine.read(at, seen)) return "the device does not reach its mapping";
        if (shadow && seen[0] != *shadow) return "the device reads something else";
      }
    }
    return {};
  }

  void begin_or_end_turn() {
    if (lent_.empty()) return;
    Lent& lent = lent_[below_(lent_.size())];
    if (lent.turn) {
      must(sync_for_device(*lent.device, lent.mapped, *lent.turn));
      lent.turn.reset();
      return;
    }
    const std::uint64_t size = 1 + below_(lent.mapped.bytes.size_bytes);
    lent.turn = Part{below_(lent.mapped.bytes.size_bytes - size + 1), size};
    must(sync_for_cpu(*lent.device, lent.mapped, *lent.turn));
    ++tally_.turns;
  }

  void unmap_one() {
    if (lent_.empty()) return;
    const auto which = lent_.begin() + static_cast<std::ptrdiff_t>(below_(lent_.size()));
    if (which->turn) must(sync_for_device(*which->device, which->mapped, *which->turn));
    must(unmap(*which->device, which->mapped));
    lent_.erase(which);
  }

  const Below& below_;
  Tally& tally_;
  const Cpu cpu_;
  Fetch fetch_;
  SimBoard board_;
  std::vector<const Device*> devices_;
  const CpuBytes region_ = board_.cpu_bytes(ram(kRegionAt, kRegionBytes));
  std::array<std::optional<std::byte>, kRegionBytes> shadow_ = zeros();
  std::vector<Lent> lent_;

  static std::array<std::optional<std::byte>, kRegionBytes> zeros() {
    std::array<std::optional<std::byte>, kRegionBytes> all;
    all.fill(std::byte{0});
    return all;
  }
};

std::string run(const Below& below, std::size_t steps, Tally& tally) {
  Program program{below, tally};
  for (std::size_t i = 0; i < steps; ++i) {
    if (std::string fault = program.step(); !fault.empty()) return fault;
  }
  return program.finish();
}

TEST(StreamingProperty, EverybodySeesMemoryAsIfThereWereNoCacheInALongSeededRun) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    std::mt19937_64 engine{seed};
    const Below below = [&](std::uint64_t limit) { return (engine() >> 16) % limit; };
    ASSERT_EQ(run(below, 400, tally), "") << "seed " << seed;
  }
  // The run is only worth something if it went everywhere.
  EXPECT_GT(tally.direct, 500U);
  EXPECT_GT(tally.bounced, 500U);
  EXPECT_GT(tally.refused, 200U);
  EXPECT_GT(tally.turns, 500U);
  EXPECT_GT(tally.by_device, 10'000U);
  EXPECT_GT(tally.by_cpu, 10'000U);
}

TEST(StreamingProperty, EverybodySeesMemoryAsIfThereWereNoCacheWhateverTheDecisions) {
  EXPECT_TRUE(rc::check("no cache and no copy shows", [] {
    const auto numbers = *rc::gen::container<std::vector<std::uint32_t>>(
        *rc::gen::inRange<std::size_t>(0, 1500), rc::gen::arbitrary<std::uint32_t>());
    std::size_t next = 0;
    const Below below = [&](std::uint64_t limit) {
      return next < numbers.size() ? numbers[next++] % limit : 0;
    };
    Tally tally;
    const std::string fault = run(below, numbers.size() / 8, tally);
    if (!fault.empty()) RC_FAIL(fault);
  }));
}

}  // namespace
}  // namespace carveout
