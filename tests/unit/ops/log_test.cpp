// What the board's log hears: refusals of verbs, with who asked, and nothing else.
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "carveout/ops/buffer.hpp"
#include "carveout/ops/coherent.hpp"
#include "carveout/ops/quarantine.hpp"
#include "carveout/ops/stream_buffer.hpp"
#include "carveout/ops/streaming.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::must;
using test::ram;
using test::SimBoard;
using Heard = std::vector<std::pair<Failure, std::string>>;

/// The board's ear.
Heard& heard() {
  static Heard list;
  return list;
}

class RefusalLog : public testing::Test {
 protected:
  RefusalLog() { heard().clear(); }

  SimBoard board_{{}, [](Platform& platform) {
                    platform.log =
                        Log{[](void* context, const Failure& failure, std::string_view device) {
                              static_cast<Heard*>(context)->emplace_back(failure, device);
                            },
                            &heard()};
                  }};
  Pool& pool_ = board_.default_pool("d", ram(0, 0x1000));
  Device& eth_ = board_.device("/soc/eth");
};

TEST_F(RefusalLog, HearsTheFailureThatTheCallerGetsAndWhoAsked) {
  const auto refused = alloc_coherent(eth_, 0x2000);
  ASSERT_FALSE(refused);
  ASSERT_EQ(heard().size(), 1U);
  EXPECT_EQ(heard()[0].first, refused.error());
  EXPECT_EQ(heard()[0].second, "/soc/eth");
}

TEST_F(RefusalLog, HearsNothingOfWhatIsGranted) {
  must(free_coherent(must(alloc_coherent(eth_, 64))));
  EXPECT_TRUE(heard().empty());
}

TEST_F(RefusalLog, HearsNothingOfARefusalThatIsExpected) {
  EXPECT_FALSE(alloc_coherent(eth_, 0x2000, {.attributes = Attributes::no_warn}));
  EXPECT_TRUE(heard().empty());
}

TEST_F(RefusalLog, HearsOfARequestThatIsMalformed) {
  EXPECT_FALSE(alloc_coherent(eth_, 0));
  ASSERT_EQ(heard().size(), 1U);
  EXPECT_EQ(heard()[0].first.code, Error::zero_size);
}

TEST_F(RefusalLog, HearsOfEveryVerbOfARole) {
  EXPECT_FALSE(alloc_from_device_pool(eth_, 64));
  EXPECT_FALSE(alloc_from_default_pool(eth_, 0x2000));
  EXPECT_FALSE(alloc_from_default_contiguous(eth_, 64));
  EXPECT_EQ(heard().size(), 3U);
}

TEST_F(RefusalLog, HearsOfAnOwnersRefusalOnce) {
  EXPECT_FALSE((alloc_coherent<std::uint32_t[]>(eth_, 0x1000)));
  EXPECT_FALSE((alloc_coherent<std::uint32_t[]>(eth_, SIZE_MAX)));
  EXPECT_FALSE((alloc_coherent<std::uint32_t>(eth_, 1, {.align_bytes = 3})));
  EXPECT_FALSE((alloc_coherent<std::uint32_t>(eth_, 1, {.attributes = Attributes::non_coherent})));
  EXPECT_EQ(heard().size(), 4U);
}

TEST_F(RefusalLog, HearsOfABlockThatIsGivenBackTwiceWithoutADevice) {
  const Block block = must(alloc_coherent(eth_, 64));
  must(free_coherent(block));
  EXPECT_FALSE(free_coherent(block));
  ASSERT_EQ(heard().size(), 1U);
  EXPECT_EQ(heard()[0].first.code, Error::double_free);
  EXPECT_EQ(heard()[0].second, "");
}

TEST_F(RefusalLog, IsAskedWithNoLockHeld) {
  static SimBoard* board;
  static Device* device;
  SimBoard other{{}, [](Platform& platform) {
                   platform.log = Log{[](void*, const Failure&, std::string_view) {
                     // Deadlocks where the lock of the pool is held.
                     EXPECT_TRUE(alloc_coherent(*device, 64));
                   }};
                 }};
  other.default_pool("d", ram(0, 0x1000));
  board = &other;
  device = &board->device("eth");
  EXPECT_FALSE(alloc_coherent(*device, 0x2000));
}

TEST_F(RefusalLog, MayBeAbsent) {
  SimBoard quiet;
  EXPECT_FALSE(alloc_coherent(quiet.device("eth"), 64));
}

TEST_F(RefusalLog, HearsOfEveryVerbThatRefusesAndOnce) {
  CpuBytes nothing = board_.cpu_bytes(ram(0x2000, 0x40));
  nothing.size_bytes = 0;
  const std::array list{nothing};
  std::array<std::optional<MappedBytes>, 1> entries;
  const MappedBytes mapped =
      must(map(eth_, board_.cpu_bytes(ram(0x2000, 0x40)), Direction::to_device));
  constexpr Part kOutside{.offset_bytes = 0x40, .size_bytes = 1};
  std::array<std::byte, 8> storage{};
  const Block block = must(alloc_coherent(eth_, 64));
  MappedBytes copied = mapped;
  copied.copy = block;
  copied.copy->pool->give_back(block);
  heard().clear();

  std::size_t expected = 0;
  const auto hears = [&](bool done, std::string_view verb) {
    EXPECT_FALSE(done) << verb;
    EXPECT_EQ(heard().size(), ++expected) << verb;
  };
  hears(map(eth_, nothing, Direction::to_device).has_value(), "map");
  hears(map_each(eth_, list, Direction::to_device, entries).has_value(), "map_each");
  hears(sync_for_cpu(eth_, mapped, kOutside).has_value(), "sync_for_cpu");
  hears(sync_for_device(eth_, mapped, kOutside).has_value(), "sync_for_device");
  hears(unmap(eth_, copied, Attributes::skip_cpu_sync).has_value(), "unmap");
  hears(abandon(eth_, copied).has_value(), "abandon");
  entries[0] = copied;
  hears(unmap_each(eth_, entries, Attributes::skip_cpu_sync).has_value(), "unmap_each");
  hears(map_resource(eth_, {PhysAddr{0}, 0}).has_value(), "map_resource");
  hears(bytes_at(eth_, nullptr, 0).has_value(), "bytes_at");
  hears(alloc_stream(eth_, 64, {.attributes = Attributes::require_coherent}).has_value(),
        "alloc_stream");
  hears(create_block_pool(eth_, {.size_bytes = 0}, storage).has_value(), "create_block_pool");
  hears(create_block_pool(eth_, {.size_bytes = 8}, storage).has_value(), "create_block_pool");
  hears(create_block_pool(eth_, {.size_bytes = 8}, storage,
                          {.attributes = Attributes::no_cpu_mapping})
            .has_value(),
        "create_block_pool");
  hears(quarantine(eth_, block).has_value(), "quarantine");
  Device& full = board_.device("full", {.quarantine_blocks = 1});
  must(quarantine(full, block));
  hears(quiesced(full).has_value(), "quiesced");
}

TEST_F(RefusalLog, HearsNothingOfAMapThatWasExpectedToFail) {
  CpuBytes nothing = board_.cpu_bytes(ram(0x2000, 0x40));
  nothing.size_bytes = 0;
  EXPECT_FALSE(map(eth_, nothing, Direction::to_device, {.attributes = Attributes::no_warn}));
  EXPECT_FALSE(
      alloc_stream(eth_, 64, {.attributes = Attributes::require_coherent | Attributes::no_warn}));
  EXPECT_FALSE(create_block_pool(eth_, {.size_bytes = 0}, {}, {.attributes = Attributes::no_warn}));
  EXPECT_TRUE(heard().empty());
}

}  // namespace
}  // namespace carveout
