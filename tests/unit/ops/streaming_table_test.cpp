// What is asked of the caches for a streaming mapping: every direction, table and operation,
// against a table of its own, and the bytes with it.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "carveout/ops/streaming.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using sim::PortCall;
using sim::PortOp;
using test::must;
using test::ram;
using test::SimBoard;

/// The table of the project's reference, section 6.1, in its own letters: C clean, I invalidate, CI
/// both, - nothing. Of directions in the order to, from, both.
struct ReferenceRow {
  std::string_view architecture;
  const SyncTable* table;
  std::array<std::string_view, 3> before;
  std::array<std::string_view, 3> after;
};
constexpr std::array kReference{
    ReferenceRow{"safe", &sync_tables::safe, {"C", "CI", "CI"}, {"-", "I", "I"}},
    ReferenceRow{"arm", &sync_tables::arm, {"C", "I", "C"}, {"-", "I", "I"}},
    ReferenceRow{"arm64", &sync_tables::arm64, {"C", "C", "C"}, {"-", "I", "I"}},
    ReferenceRow{"riscv", &sync_tables::riscv, {"C", "C", "C"}, {"-", "I", "I"}},
    ReferenceRow{"mips", &sync_tables::mips_not_speculating, {"C", "I", "CI"}, {"-", "-", "-"}},
    ReferenceRow{
        "mips_speculating", &sync_tables::mips_speculating, {"C", "I", "CI"}, {"-", "I", "I"}},
    ReferenceRow{"nios2", &sync_tables::nios2, {"CI", "I", "CI"}, {"-", "I", "I"}},
    ReferenceRow{"csky", &sync_tables::csky, {"C", "CI", "CI"}, {"-", "I", "I"}},
    ReferenceRow{"xtensa", &sync_tables::xtensa, {"C", "-", "C"}, {"-", "I", "I"}},
    ReferenceRow{"hexagon", &sync_tables::hexagon, {"C", "I", "CI"}, {"-", "-", "-"}},
    ReferenceRow{"openrisc", &sync_tables::openrisc, {"CI", "I", "-"}, {"-", "-", "-"}},
};

using Case = std::tuple<ReferenceRow, Direction, bool>;

class SyncTableTest : public testing::TestWithParam<Case> {
 protected:
  static constexpr PhysRange kRange = ram(0x2000, 0x80);

  SyncTableTest() { board_.port.use(*row_.table); }

  [[nodiscard]] std::string_view before() const {
    return row_.before[static_cast<std::size_t>(direction_)];
  }
  [[nodiscard]] std::string_view after() const {
    return row_.after[static_cast<std::size_t>(direction_)];
  }

  /// The calls that these letters stand for, of a range; none for a coherent device.
  [[nodiscard]] std::vector<PortCall> work(std::string_view letters, const std::byte* at,
                                           std::size_t size_bytes) const {
    if (letters == "-" || coherent_) return {};
    const PortOp op = letters == "C"   ? PortOp::clean
                      : letters == "I" ? PortOp::invalidate
                                       : PortOp::clean_invalidate;
    return {{op, at, size_bytes}};
  }
  static std::vector<PortCall> joined(std::vector<PortCall> first,
                                      const std::vector<PortCall>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
  }
  /// Where the device writes, loads of before are not to be late either.
  [[nodiscard]] PortCall barrier() const {
    return {direction_ == Direction::to_device ? PortOp::publish_barrier : PortOp::full_barrier};
  }
  [[nodiscard]] std::vector<PortCall> to_device(const std::byte* at, std::size_t size) const {
    return joined(work(before(), at, size), {barrier()});
  }
  [[nodiscard]] std::vector<PortCall> to_cpu(const std::byte* at, std::size_t size) const {
    return joined({{PortOp::observe_barrier}}, work(after(), at, size));
  }
  /// What was asked since the last time.
  std::vector<PortCall> asked() {
    auto calls = board_.port.recorded();
    board_.port.record();
    return calls;
  }

  const ReferenceRow row_ = std::get<0>(GetParam());
  const Direction direction_ = std::get<1>(GetParam());
  const bool coherent_ = std::get<2>(GetParam());
  SimBoard board_;
  Device& device_ = board_.device("eth", {.coherent = coherent_});
  const CpuBytes bytes_ = board_.cpu_bytes(kRange);
};

TEST_P(SyncTableTest, MapDoesTheWorkBeforeAndPublishes) {
  board_.port.record();
  must(map(device_, bytes_, direction_));
  EXPECT_EQ(asked(), to_device(bytes_.cpu, 0x80));
}

TEST_P(SyncTableTest, UnmapObservesAndDoesTheWorkAfter) {
  const MappedBytes mapped = must(map(device_, bytes_, direction_));
  board_.port.record();
  must(unmap(device_, mapped));
  EXPECT_EQ(asked(), to_cpu(bytes_.cpu, 0x80));
}

TEST_P(SyncTableTest, SyncForCpuObservesAndDoesTheWorkAfter) {
  const MappedBytes mapped = must(map(device_, bytes_, direction_));
  board_.port.record();
  must(sync_for_cpu(device_, mapped));
  EXPECT_EQ(asked(), to_cpu(bytes_.cpu, 0x80));
}

TEST_P(SyncTableTest, SyncForDeviceDoesTheWorkBeforeAndPublishes) {
  const MappedBytes mapped = must(map(device_, bytes_, direction_));
  board_.port.record();
  must(sync_for_device(device_, mapped));
  EXPECT_EQ(asked(), to_device(bytes_.cpu, 0x80));
}

TEST_P(SyncTableTest, ASyncOfAPartIsOfThatPartOnly) {
  const MappedBytes mapped = must(map(device_, bytes_, direction_));
  board_.port.record();
  must(sync_for_cpu(device_, mapped, {.offset_bytes = 0x20, .size_bytes = 0x21}));
  EXPECT_EQ(asked(), to_cpu(bytes_.cpu + 0x20, 0x21));
  must(sync_for_device(device_, mapped, {.offset_bytes = 0x7f, .size_bytes = 1}));
  EXPECT_EQ(asked(), to_device(bytes_.cpu + 0x7f, 1));
}

TEST_P(SyncTableTest, SkippingTheWorkLeavesTheBarriers) {
  constexpr Attributes kSkip = Attributes::skip_cpu_sync;
  board_.port.record();
  const MappedBytes mapped = must(map(device_, bytes_, direction_, {.attributes = kSkip}));
  EXPECT_EQ(asked(), (std::vector<PortCall>{barrier()}));
  must(unmap(device_, mapped, kSkip));
  EXPECT_EQ(asked(), (std::vector<PortCall>{{PortOp::observe_barrier}}));
}

TEST_P(SyncTableTest, BytesThatAreNotCachedNeedBarriersAlone) {
  CpuBytes uncached = bytes_;
  uncached.view = View::uncached;
  board_.port.record();
  const MappedBytes mapped = must(map(device_, uncached, direction_));
  must(unmap(device_, mapped));
  EXPECT_EQ(asked(), (std::vector<PortCall>{barrier(), {PortOp::observe_barrier}}));
}

TEST_P(SyncTableTest, AListIsWorkedOnEntryByEntryBetweenOneBarrierAtEachEnd) {
  const std::array list{board_.cpu_bytes(ram(0x4000, 0x20)), board_.cpu_bytes(ram(0x3000, 0x40))};
  std::array<std::optional<MappedBytes>, 2> mapped;
  board_.port.record();
  must(map_each(device_, list, direction_, mapped));
  EXPECT_EQ(asked(), joined(work(before(), list[0].cpu, 0x20), to_device(list[1].cpu, 0x40)));
  must(unmap_each(device_, mapped));
  EXPECT_EQ(asked(), joined(to_cpu(list[0].cpu, 0x20), work(after(), list[1].cpu, 0x40)));
}

/// A copy is written by the CPU, in every direction, so that its work before is more than a
/// table's: it is written back always, and where the device writes, dropped.
class SyncTableOfACopy : public SyncTableTest {
 protected:
  SyncTableOfACopy() { must(board_.system->bind(device_, pool_)); }

  [[nodiscard]] std::string_view before_of_copy() const {
    if (direction_ != Direction::to_device) return "CI";
    return before() == "CI" ? "CI" : "C";
  }

  Pool& pool_ = board_.pool("bounce", ram(0x8000, 0x1000), Memory::bounce);
};

TEST_P(SyncTableOfACopy, MapCopiesThenDoesTheWorkThenPublishes) {
  board_.port.record();
  const MappedBytes mapped = must(map(device_, bytes_, direction_));
  ASSERT_TRUE(mapped.copy);
  std::byte* const copy = mapped.copy->cpu;
  EXPECT_EQ(asked(), joined({{PortOp::lock}, {PortOp::unlock}, {PortOp::copy, copy, 0x80}},
                            joined(work(before_of_copy(), copy, 0x80), {barrier()})));
}

TEST_P(SyncTableOfACopy, UnmapObservesThenDoesTheWorkThenCopiesBackWhatTheDeviceMayHaveWritten) {
  const MappedBytes mapped = must(map(device_, bytes_, direction_));
  board_.port.record();
  must(unmap(device_, mapped));
  std::vector<PortCall> expected = to_cpu(mapped.copy->cpu, 0x80);
  if (direction_ != Direction::to_device) expected.push_back({PortOp::copy, bytes_.cpu, 0x80});
  EXPECT_EQ(asked(), joined(expected, {{PortOp::lock}, {PortOp::unlock}}));
}

TEST_P(SyncTableOfACopy, SyncsOfAPartCopyThatPart) {
  const MappedBytes mapped = must(map(device_, bytes_, direction_));
  std::byte* const copy = mapped.copy->cpu;
  board_.port.record();
  must(sync_for_cpu(device_, mapped, {.offset_bytes = 8, .size_bytes = 0x20}));
  std::vector<PortCall> expected = to_cpu(copy + 8, 0x20);
  if (direction_ != Direction::to_device) expected.push_back({PortOp::copy, bytes_.cpu + 8, 0x20});
  EXPECT_EQ(asked(), expected);
  must(sync_for_device(device_, mapped, {.offset_bytes = 8, .size_bytes = 0x20}));
  EXPECT_EQ(asked(), joined({{PortOp::copy, copy + 8, 0x20}},
                            joined(work(before_of_copy(), copy + 8, 0x20), {barrier()})));
}

TEST_P(SyncTableOfACopy, SkippingTheWorkIsNotForACopyWhichNobodyElseCouldSeeTo) {
  board_.port.record();
  constexpr Attributes kSkip = Attributes::skip_cpu_sync;
  const MappedBytes mapped = must(map(device_, bytes_, direction_, {.attributes = kSkip}));
  std::byte* const copy = mapped.copy->cpu;
  EXPECT_EQ(asked(), joined({{PortOp::lock}, {PortOp::unlock}, {PortOp::copy, copy, 0x80}},
                            joined(work(before_of_copy(), copy, 0x80), {barrier()})));
}

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  return std::string{std::get<0>(info.param).architecture} + "_" +
         std::string{name_of(std::get<1>(info.param))} +
         (std::get<2>(info.param) ? "_coherent" : "");
}

const auto kAllCases = testing::Combine(
    testing::ValuesIn(kReference),
    testing::Values(Direction::to_device, Direction::from_device, Direction::bidirectional),
    testing::Bool());
INSTANTIATE_TEST_SUITE_P(Every, SyncTableTest, kAllCases, name_of_case);
INSTANTIATE_TEST_SUITE_P(Every, SyncTableOfACopy, kAllCases, name_of_case);

}  // namespace
}  // namespace carveout
