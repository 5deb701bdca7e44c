// What the board's log hears: refusals of verbs, with who asked, and nothing else.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "carveout/ops/buffer.hpp"
#include "carveout/ops/coherent.hpp"
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

}  // namespace
}  // namespace carveout
