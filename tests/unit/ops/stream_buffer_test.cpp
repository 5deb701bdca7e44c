// StreamBuffer, Mapping and CpuTurn: whose turn it is, in types.
#include "carveout/ops/stream_buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "carveout/ops/quarantine.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::Bytes;
using test::error_of;
using test::must;
using test::pattern;
using test::ram;
using test::SimBoard;

constexpr Direction kFrom = Direction::from_device;
constexpr Direction kTo = Direction::to_device;
constexpr Direction kBoth = Direction::bidirectional;

static_assert(!std::is_copy_constructible_v<StreamBuffer>);
static_assert(!std::is_copy_assignable_v<StreamBuffer>);
static_assert(!std::is_copy_constructible_v<Mapping<kTo>>);
static_assert(!std::is_copy_constructible_v<CpuTurn<kTo>>);
static_assert(std::is_nothrow_move_constructible_v<StreamBuffer>);
static_assert(std::is_nothrow_move_constructible_v<Mapping<kTo>>);
static_assert(!std::is_default_constructible_v<StreamBuffer>);
static_assert(!std::is_convertible_v<Mapping<kTo>, Mapping<kFrom>>);

class StreamOwner : public testing::Test {
 protected:
  [[nodiscard]] StreamBuffer make(std::uint64_t size_bytes = 0x80) {
    return must(alloc_stream(device_, size_bytes));
  }
  [[nodiscard]] StreamBuffer adopted(PhysRange range) {
    return must(adopt(
        device_, {board_.machine.cached_view(range), static_cast<std::size_t>(range.size_bytes)}));
  }
  [[nodiscard]] Bytes load(StreamBuffer& buffer) {
    return board_.load(buffer.bytes().data(), buffer.bytes().size());
  }
  void store(StreamBuffer& buffer, const Bytes& bytes) {
    board_.store(buffer.bytes().data(), bytes);
  }
  template <Direction direction>
  [[nodiscard]] Bytes device_reads(const Mapping<direction>& mapping) {
    Bytes seen(static_cast<std::size_t>(mapping.size_bytes()));
    EXPECT_TRUE(board_.engine(device_).read(mapping.dma(), seen));
    return seen;
  }
  template <Direction direction>
  void device_writes(const Mapping<direction>& mapping, const Bytes& bytes) {
    ASSERT_TRUE(board_.engine(device_).write(mapping.dma(), bytes));
  }
  [[nodiscard]] std::uint32_t blocks() const { return pool_.usage().blocks; }

  SimBoard board_;
  Pool& pool_ = board_.default_pool("ram", ram(0x4000, 0x1000), Role::ordinary);
  Device& device_ = board_.device("eth", {.quarantine_blocks = 2});
};

// ---- buffers

TEST_F(StreamOwner, ABufferIsTakenFromOrdinaryMemoryAndUsedThroughTheCache) {
  StreamBuffer buffer = make();
  EXPECT_EQ(buffer.bytes().data(), board_.machine.cached_view(ram(0x4000, 0x80)));
  EXPECT_EQ(blocks(), 1U);
}

TEST_F(StreamOwner, ABufferIsAllZeroAtFirst) {
  board_.put_in_ram(ram(0x4000, 1).base, pattern(0x1000));
  StreamBuffer buffer = make();
  EXPECT_EQ(load(buffer), Bytes(0x80));
}

TEST_F(StreamOwner, ABufferIsAsLongAsAskedAndItsPaddingIsNobodyElses) {
  StreamBuffer buffer = make(100);
  EXPECT_EQ(buffer.size_bytes(), 100U);
  EXPECT_EQ(buffer.bytes().size(), 100U);
  EXPECT_TRUE(map<kFrom>(device_, std::move(buffer))->dma() ==
              sim::kOddWindow.to_dma(ram(0x4000, 1).base));
}

TEST_F(StreamOwner, ABufferGivesItsMemoryBackWhenItEnds) {
  {
    const StreamBuffer buffer = make();
  }
  EXPECT_EQ(blocks(), 0U);
}

TEST_F(StreamOwner, ABufferThatIsAssignedToGivesBackWhatItHad) {
  StreamBuffer buffer = make();
  buffer = make(0x20);
  EXPECT_EQ(buffer.size_bytes(), 0x20U);
  EXPECT_EQ(blocks(), 1U);
  StreamBuffer& same = buffer;
  buffer = std::move(same);
  EXPECT_EQ(buffer.size_bytes(), 0x20U);
  EXPECT_EQ(blocks(), 1U);
}

TEST_F(StreamOwner, ABufferThatWasMovedFromHasNoBytes) {
  StreamBuffer first = make();
  const StreamBuffer second = std::move(first);
  EXPECT_TRUE(first.bytes().empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(second.size_bytes(), 0x80U);
  EXPECT_EQ(blocks(), 1U);
}

TEST_F(StreamOwner, ABufferWithoutBytesForTheCpuIsRefused) {
  EXPECT_EQ(error_of(alloc_stream(device_, 64, {.attributes = Attributes::no_cpu_mapping})),
            Error::bad_attributes);
  EXPECT_EQ(error_of(alloc_stream(device_, 64, {.attributes = Attributes::require_coherent})),
            Error::bad_attributes);
}

TEST_F(StreamOwner, ABufferThatThePoolCannotServeIsRefusedAsByThePool) {
  const auto refused = alloc_stream(device_, 0x2000);
  ASSERT_EQ(error_of(refused), Error::exhausted);
  EXPECT_EQ(refused.error().pool, "ram");
}

TEST_F(StreamOwner, ABufferWhereThereIsOnlyCoherentMemoryIsSomeAndNeedsNoCacheWork) {
  SimBoard board;
  board.default_pool("d", ram(0x4000, 0x1000));
  Device& device = board.device("eth");
  StreamBuffer buffer = must(alloc_stream(device, 100));
  std::ranges::copy(pattern(100, 3), buffer.bytes().data());  // the uncached view is plain memory
  board.port.record();
  auto mapping = must(map<kBoth>(device, std::move(buffer)));
  Bytes seen(100);
  ASSERT_TRUE(board.engine(device).read(mapping.dma(), seen));
  EXPECT_EQ(seen, pattern(100, 3));
  ASSERT_TRUE(board.engine(device).write(mapping.dma(), pattern(100, 4)));
  StreamBuffer back = std::move(mapping).finish();
  EXPECT_TRUE(std::ranges::equal(back.bytes(), pattern(100, 4)));
  for (const sim::PortCall& call : board.port.recorded()) EXPECT_EQ(call.at, nullptr);
}

TEST_F(StreamOwner, AdoptedBytesLieWhereTheCallerOrThePortSays) {
  const PhysRange range = ram(0x2000, 0x40);
  EXPECT_EQ(must(map<kTo>(device_, adopted(range))).finish().size_bytes(), 0x40U);
  const std::span<std::byte> bytes{board_.machine.cached_view(range), 0x40};
  auto mapping = must(map<kTo>(device_, adopt(bytes, range.base)));
  EXPECT_EQ(mapping.dma(), sim::kOddWindow.to_dma(range.base));
  static_cast<void>(std::move(mapping).finish());
}

TEST_F(StreamOwner, BytesThatThePortDoesNotKnowAreNotAdopted) {
  std::byte on_the_stack{};
  EXPECT_EQ(error_of(adopt(device_, {&on_the_stack, 1})), Error::unknown_memory);
}

TEST_F(StreamOwner, AdoptedBytesStayWhoseTheyAre) {
  {
    const StreamBuffer buffer = adopted(ram(0x2000, 0x40));
  }
  EXPECT_EQ(blocks(), 0U);
}

// ---- mappings

TEST_F(StreamOwner, WhatTheCpuWroteTheDeviceReads) {
  StreamBuffer buffer = make();
  store(buffer, pattern(0x80, 3));
  auto mapping = must(map<kTo>(device_, std::move(buffer)));
  EXPECT_EQ(device_reads(mapping), pattern(0x80, 3));
  static_cast<void>(std::move(mapping).finish());
}

TEST_F(StreamOwner, WhatTheDeviceWroteTheCpuReadsWhenItIsFinished) {
  StreamBuffer buffer = make();
  std::byte* const at = buffer.bytes().data();
  auto mapping = must(map<kFrom>(device_, std::move(buffer)));
  static_cast<void>(board_.load(at, 0x80));  // as speculation may
  device_writes(mapping, pattern(0x80, 2));
  StreamBuffer back = std::move(mapping).finish();
  EXPECT_EQ(load(back), pattern(0x80, 2));
}

TEST_F(StreamOwner, ARefusedMapLeavesTheBufferWithItsOwner) {
  StreamBuffer buffer = adopted(ram(0x2010, 0x40));
  EXPECT_EQ(error_of(map<kFrom>(device_, std::move(buffer))), Error::partial_line);
  EXPECT_EQ(buffer.bytes().size(), 0x40U);  // NOLINT(bugprone-use-after-move): it was not moved
}

TEST_F(StreamOwner, OptionsArePassedOn) {
  EXPECT_EQ(error_of(map<kTo>(device_, make(), {.attributes = Attributes::require_coherent})),
            Error::needs_copy);
}

TEST_F(StreamOwner, AMappingThatIsMovedIsFinishedOnce) {
  auto mapping = must(map<kTo>(device_, make()));
  Mapping<kTo> other = std::move(mapping);
  EXPECT_EQ(other.size_bytes(), 0x80U);
  {
    const StreamBuffer back = std::move(other).finish();
  }
  EXPECT_EQ(blocks(), 0U);
  EXPECT_TRUE(quiesced(device_));
  EXPECT_EQ(device_.quarantine->count, 0U);
}

// ---- turns

TEST_F(StreamOwner, InItsTurnTheCpuReadsWhatTheDeviceWrote) {
  auto mapping = must(map<kFrom>(device_, make()));
  device_writes(mapping, pattern(0x80, 2));
  auto turn = std::move(mapping).sync_for_cpu();
  static_assert(std::is_same_v<decltype(turn.bytes()), std::span<const std::byte>>);
  EXPECT_EQ(board_.load(turn.bytes().data(), turn.bytes().size()), pattern(0x80, 2));
  mapping = std::move(turn).sync_for_device();
  device_writes(mapping, pattern(0x80, 5));
  StreamBuffer back = std::move(mapping).finish();
  EXPECT_EQ(load(back), pattern(0x80, 5));
}

TEST_F(StreamOwner, WhatTheCpuWritesInItsTurnTheDeviceReads) {
  auto mapping = must(map<kTo>(device_, make()));
  auto turn = std::move(mapping).sync_for_cpu();
  static_assert(std::is_same_v<decltype(turn.bytes()), std::span<std::byte>>);
  board_.store(turn.bytes().data(), pattern(0x80, 3));
  mapping = std::move(turn).sync_for_device();
  EXPECT_EQ(device_reads(mapping), pattern(0x80, 3));
  static_cast<void>(std::move(mapping).finish());
}

TEST_F(StreamOwner, ATurnIsOfThePartThatWasAskedFor) {
  auto mapping = must(map<kBoth>(device_, make()));
  auto turn = must(std::move(mapping).sync_for_cpu({.offset_bytes = 0x21, .size_bytes = 3}));
  EXPECT_EQ(turn.bytes().data(), board_.machine.cached_view(ram(0x4021, 3)));
  EXPECT_EQ(turn.bytes().size(), 3U);
  static_cast<void>(std::move(turn).finish());
}

TEST_F(StreamOwner, ATurnOfAPartTakesWholeLinesInsideTheMapping) {
  auto mapping = must(map<kBoth>(device_, make(100)));
  board_.port.record();
  auto turn = must(std::move(mapping).sync_for_cpu({.offset_bytes = 0x61, .size_bytes = 2}));
  const auto calls = board_.port.recorded();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[1].at, board_.machine.cached_view(ram(0x4060, 4)));
  EXPECT_EQ(calls[1].size_bytes, 4U);
  static_cast<void>(std::move(turn).finish());
}

TEST_F(StreamOwner, ATurnOutsideTheMappingIsRefusedAndTheMappingGoesOn) {
  auto mapping = must(map<kFrom>(device_, make()));
  EXPECT_EQ(error_of(std::move(mapping).sync_for_cpu({.offset_bytes = 0x80, .size_bytes = 1})),
            Error::outside_mapping);
  device_writes(mapping, pattern(0x80, 2));  // NOLINT(bugprone-use-after-move): it was not moved
  StreamBuffer back = std::move(mapping).finish();
  EXPECT_EQ(load(back), pattern(0x80, 2));
}

TEST_F(StreamOwner, WhatTheCpuWroteInItsTurnIsThereWhenItIsFinishedAndSoIsTheDevicesRest) {
  for (const bool bounced : {false, true}) {
    SCOPED_TRACE(bounced);
    if (bounced) board_.default_pool("bounce", ram(0x8000, 0x1000), Role::bounce);
    // Of the two, the one at the odd place shares its lines.
    const PhysRange range = ram(bounced ? 0x2008 : 0x2000, 0x80);
    StreamBuffer buffer = adopted(range);
    std::byte* const at = buffer.bytes().data();
    auto mapping = must(map<kBoth>(device_, std::move(buffer)));
    static_cast<void>(board_.load(at, 0x80));  // as speculation may
    device_writes(mapping, pattern(0x80, 2));
    auto turn = must(std::move(mapping).sync_for_cpu({.offset_bytes = 0x28, .size_bytes = 4}));
    board_.store(turn.bytes().data(), pattern(4, 9));
    StreamBuffer back = std::move(turn).finish();
    Bytes expected = pattern(0x80, 2);
    std::ranges::copy(pattern(4, 9), expected.begin() + 0x28);
    EXPECT_EQ(load(back), expected);
  }
}

// ---- ends without finish()

TEST_F(StreamOwner, AMappingThatEndsUnfinishedKeepsItsMemoryFromTheNextOwnerUntilTheDeviceIsQuiet) {
  {
    const auto mapping = must(map<kFrom>(device_, make(0x1000)));
  }
  EXPECT_EQ(error_of(alloc_stream(device_, 0x20)), Error::exhausted);
  must(quiesced(device_));
  EXPECT_TRUE(alloc_stream(device_, 0x20));
}

TEST_F(StreamOwner, ATurnThatEndsUnfinishedIsAMappingThatDoes) {
  {
    const auto turn = must(map<kFrom>(device_, make())).sync_for_cpu();
  }
  EXPECT_EQ(blocks(), 1U);
  must(quiesced(device_));
  EXPECT_EQ(blocks(), 0U);
}

TEST_F(StreamOwner, AMappingThatIsAssignedToEndsUnfinished) {
  auto mapping = must(map<kFrom>(device_, make()));
  mapping = must(map<kFrom>(device_, make()));
  EXPECT_EQ(device_.quarantine->count, 1U);
  static_cast<void>(std::move(mapping).finish());
}

TEST_F(StreamOwner, OfABouncedMappingThatEndsUnfinishedOnlyTheCopyIsKept) {
  Pool& bounce = board_.default_pool("bounce", ram(0x8000, 0x1000), Role::bounce);
  {
    const auto mapping = must(map<kFrom>(device_, adopted(ram(0x2010, 0x40))));
  }
  EXPECT_EQ(bounce.usage().blocks, 1U);
  must(quiesced(device_));
  EXPECT_EQ(bounce.usage().blocks, 0U);
}

TEST_F(StreamOwner, MemoryForWhichThereIsNoRoomInTheQuarantineStaysTaken) {
  for (int i = 0; i < 3; ++i) {
    const auto mapping = must(map<kFrom>(device_, make()));
  }
  must(quiesced(device_));
  EXPECT_EQ(blocks(), 1U);
}

using StreamOwnerDeathTest = StreamOwner;

TEST_F(StreamOwnerDeathTest, AMappingOfAdoptedMemoryThatEndsUnfinishedTraps) {
  EXPECT_DEATH({ const auto mapping = must(map<kFrom>(device_, adopted(ram(0x2000, 0x40)))); }, "");
}

TEST_F(StreamOwnerDeathTest, FinishingAMappingThatWasMovedFromTraps) {
  auto mapping = must(map<kTo>(device_, make()));
  auto other = std::move(mapping);
  // NOLINTNEXTLINE(bugprone-use-after-move): that is what is tested
  EXPECT_DEATH(static_cast<void>(std::move(mapping).finish()), "");
  static_cast<void>(std::move(other).finish());
}

// ---- lists

class StreamList : public StreamOwner {
 protected:
  std::vector<StreamBuffer> three() {
    std::vector<StreamBuffer> buffers;
    for (unsigned i = 0; i < 3; ++i) {
      buffers.push_back(make(0x40));
      store(buffers.back(), pattern(0x40, i + 1));
    }
    return buffers;
  }
};

TEST_F(StreamList, IsLentEntryByEntryAndComesBackToItsPlaces) {
  std::vector<StreamBuffer> buffers = three();
  std::array<std::optional<Mapping<kBoth>>, 3> mapped;
  must(map_each<kBoth>(device_, buffers, mapped));
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_TRUE(buffers[i].bytes().empty());
    EXPECT_EQ(device_reads(*mapped[i]), pattern(0x40, i + 1));
    device_writes(*mapped[i], pattern(0x40, i + 11));
  }
  finish_each<kBoth>(mapped, buffers);
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_FALSE(mapped[i]);
    EXPECT_EQ(load(buffers[i]), pattern(0x40, i + 11));
  }
}

TEST_F(StreamList, WithAnEntryThatIsRefusedStaysWhereItWasWithoutCacheWorkAndKeepsItsBytes) {
  std::vector<StreamBuffer> buffers = three();
  buffers.push_back(adopted(ram(0x2010, 0x40)));
  std::array<std::optional<Mapping<kFrom>>, 4> mapped;
  board_.port.record();
  EXPECT_EQ(error_of(map_each<kFrom>(device_, buffers, mapped)), Error::partial_line);
  for (const sim::PortCall& call : board_.port.recorded()) {
    EXPECT_NE(call.op, sim::PortOp::invalidate) << "the work of an unmap";
  }
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_FALSE(mapped[i]);
    EXPECT_EQ(load(buffers[i]), pattern(0x40, i + 1));
  }
  EXPECT_EQ(buffers[3].size_bytes(), 0x40U);
  EXPECT_EQ(device_.quarantine->count, 0U);
}

TEST_F(StreamList, OfBouncedEntriesThatIsRefusedGivesItsCopiesBack) {
  Pool& bounce = board_.default_pool("bounce", ram(0x8000, 0x1000), Role::bounce);
  std::vector<StreamBuffer> buffers;
  buffers.push_back(adopted(ram(0x2010, 0x40)));
  buffers.push_back(adopted(ram(0x2110, 0x2000)));
  std::array<std::optional<Mapping<kFrom>>, 2> mapped;
  EXPECT_EQ(error_of(map_each<kFrom>(device_, buffers, mapped)), Error::exhausted);
  EXPECT_EQ(bounce.usage().blocks, 0U);
  EXPECT_EQ(buffers[0].size_bytes(), 0x40U);
}

TEST_F(StreamOwnerDeathTest, AMappingOrATurnThatWasMovedFromTraps) {
  auto mapping = must(map<kTo>(device_, make()));
  auto turn = std::move(mapping).sync_for_cpu();
  // NOLINTBEGIN(bugprone-use-after-move): that is what is tested
  EXPECT_DEATH(static_cast<void>(std::move(mapping).abandon()), "");
  EXPECT_DEATH(static_cast<void>(mapping.dma()), "");
  static_cast<void>(std::move(turn).finish());
  EXPECT_DEATH(static_cast<void>(turn.bytes()), "");
  // NOLINTEND(bugprone-use-after-move)
}

}  // namespace
}  // namespace carveout
