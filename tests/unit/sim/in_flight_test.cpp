// Transfers in steps: what moved when the test looks, and what CPU and bus make of it meanwhile.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "bytes.hpp"
#include "carveout_sim/dma_engine.hpp"

namespace carveout::sim {
namespace {

constexpr PhysAddr kRam{0x3'5a00'0000};
constexpr std::array kWindows{kOddWindow};

PhysAddr phys(std::size_t offset) { return PhysAddr{kRam.raw() + offset}; }
DmaRange piece(std::size_t offset, std::size_t size_bytes) {
  return {DmaAddr{kOddWindow.dma.raw() + offset}, size_bytes};
}

/// Counts up: 1, 2, 3, ...
Source counter() {
  return [next = 0U](std::span<std::byte> burst) mutable {
    for (std::byte& byte : burst) byte = static_cast<std::byte>(++next);
  };
}
/// Appends to `seen`.
Sink into(Bytes& seen) {
  return [&seen](std::span<const std::byte> burst) {
    seen.insert(seen.end(), burst.begin(), burst.end());
  };
}

class InFlightTest : public testing::Test {
 protected:
  Machine machine_;
  DmaEngine engine_{machine_, Translation::through(kWindows), DmaAddr{0xffff'ffff}};
};

TEST_F(InFlightTest, MovesNothingBeforeItsFirstStepAndThenWhatItIsTold) {
  const std::array list{piece(0, 100)};
  auto flight = engine_.begin_write(list, counter());
  ASSERT_TRUE(flight);
  EXPECT_EQ(ram(machine_, phys(0), 1), Bytes(1));

  EXPECT_EQ(flight->step(3), 3U);
  EXPECT_EQ(ram(machine_, phys(0), 5),
            (Bytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{0}, std::byte{0}}));
  EXPECT_EQ(flight->left_bytes(), 97U);

  flight->finish();
  EXPECT_EQ(ram(machine_, phys(99), 2), (Bytes{std::byte{100}, std::byte{0}}));
  EXPECT_EQ(flight->step(1), 0U);
  EXPECT_EQ(flight->moved_bytes(), 100U);
}

TEST_F(InFlightTest, TheCpuActsBetweenTwoSteps) {
  std::byte* const line = machine_.cpu_view({kRam, 64});
  const std::array list{piece(0, 64)};
  auto flight = engine_.begin_write(list, counter());
  ASSERT_TRUE(flight);
  flight->step(32);
  static_cast<void>(machine_.load(line + 32));  // fetches what the device has not written yet
  flight->finish();
  EXPECT_EQ(machine_.load(line), std::byte{1});
  EXPECT_EQ(machine_.load(line + 32), std::byte{0});
}

TEST_F(InFlightTest, DroppedItStopsWhereItIs) {
  const std::array list{piece(0, 64)};
  {
    auto flight = engine_.begin_write(list, counter());
    ASSERT_TRUE(flight);
    flight->step(1);
  }
  EXPECT_EQ(ram(machine_, phys(0), 2), (Bytes{std::byte{1}, std::byte{0}}));
}

TEST_F(InFlightTest, FillsAScatterListPieceAfterPiece) {
  const std::array list{piece(0x100, 3), piece(0, 0), piece(0x40, 2)};
  auto flight = engine_.begin_write(list, counter());
  ASSERT_TRUE(flight);
  EXPECT_EQ(flight->step(4), 4U);
  EXPECT_EQ(ram(machine_, phys(0x102), 2), (Bytes{std::byte{3}, std::byte{0}}));
  EXPECT_EQ(ram(machine_, phys(0x40), 2), (Bytes{std::byte{4}, std::byte{0}}));
  flight->finish();
  EXPECT_EQ(ram(machine_, phys(0x41), 1), Bytes{std::byte{5}});
}

TEST_F(InFlightTest, GathersAListIntoTheDevice) {
  machine_.bus_write(phys(0), pattern(200, 1));
  machine_.bus_write(phys(0x1000), pattern(5, 2));
  const std::array list{piece(0x1000, 5), piece(0, 200)};
  Bytes seen;
  auto flight = engine_.begin_read(list, into(seen));
  ASSERT_TRUE(flight);
  flight->finish();
  Bytes expected = pattern(5, 2);
  std::ranges::copy(pattern(200, 1), std::back_inserter(expected));
  EXPECT_EQ(seen, expected);
}

TEST_F(InFlightTest, GoesRoundWhereItIsCircular) {
  const std::array list{piece(0, 4)};
  auto flight = engine_.begin_write(list, counter(), Shape::circular);
  ASSERT_TRUE(flight);
  EXPECT_EQ(flight->step(10), 10U);
  EXPECT_EQ(ram(machine_, phys(0), 5),
            (Bytes{std::byte{9}, std::byte{10}, std::byte{7}, std::byte{8}, std::byte{0}}));
  EXPECT_EQ(flight->left_bytes(), 2U);
  flight->finish();
  EXPECT_EQ(flight->moved_bytes(), 12U);
  EXPECT_EQ(flight->left_bytes(), 4U) << "of the next round";
}

TEST_F(InFlightTest, CopiesBetweenListsOfDifferentPieces) {
  machine_.bus_write(phys(0), pattern(300, 3));
  const std::array from{piece(0, 300)};
  const std::array to{piece(0x1000, 1), piece(0x2000, 299)};
  auto flight = engine_.begin_copy(from, to);
  ASSERT_TRUE(flight);
  flight->finish();
  EXPECT_EQ(ram(machine_, phys(0x1000), 2), (Bytes{pattern(300, 3)[0], std::byte{0}}));
  EXPECT_EQ(ram(machine_, phys(0x2000 + 298), 2), (Bytes{pattern(300, 3)[299], std::byte{0}}));
}

TEST_F(InFlightTest, RefusesAListOfWhichOnePieceIsNotReached) {
  const std::array list{piece(0, 64), DmaRange{DmaAddr{0x1000}, 4}};
  EXPECT_EQ(engine_.begin_write(list, counter()).error(), BusError::not_in_window);
  EXPECT_EQ(ram(machine_, phys(0), 64), Bytes(64));
}

TEST_F(InFlightTest, RefusesACopyOfDifferentLengths) {
  const std::array from{piece(0, 4)};
  const std::array to{piece(64, 5)};
  EXPECT_THROW(static_cast<void>(engine_.begin_copy(from, to)), std::invalid_argument);
}

}  // namespace
}  // namespace carveout::sim
