// A port that can take memory away from the CPU is told whose it is, by every verb that changes
// that.
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "carveout/ops/quarantine.hpp"
#include "carveout/ops/stream_buffer.hpp"
#include "carveout/ops/streaming.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::must;
using test::ram;

constexpr auto kFrom = Direction::from_device;
constexpr PhysRange kBytes = ram(0x2000, 0x100);

/// The model's port, and what it was told; nobody else may have what a device has.
class OwningPort : public sim::HostPort {
 public:
  using HostPort::HostPort;

  void device_owns(PhysRange range, Direction direction) noexcept {
    EXPECT_EQ(direction, kFrom);
    for (const PhysRange& other : devices) EXPECT_FALSE(other.overlaps(range));
    devices.push_back(range);
  }
  /// Opens all of what it has a part of.
  void cpu_owns(PhysRange range) noexcept {
    std::erase_if(devices, [&](const PhysRange& each) { return each.overlaps(range); });
  }
  void copy(std::byte* to, const std::byte* from, std::size_t size_bytes) noexcept {
    EXPECT_TRUE(devices.empty()) << "a copy of what the device has";
    HostPort::copy(to, from, size_bytes);
  }

  std::vector<PhysRange> devices;
};
static_assert(PortWithOwnership<OwningPort>);

class Ownership : public testing::Test {
 protected:
  Ownership() : port_{machine_}, storage_(8192) {
    system_ = must(System::create({.port = port_, .aliases = machine_.aliases()},
                                  std::as_writable_bytes(std::span{storage_})));
    const PhysRange bounce = ram(0x8000, 0x1000);
    const PhysRange packets = ram(0xc000, 0x1000);
    must(system_->set_default(
        Role::bounce,
        *must(system_->declare(
            {.name = "bounce", .memory = Memory::bounce, .chunks = std::span{&bounce, 1}}))));
    must(system_->set_default(
        Role::ordinary,
        *must(system_->declare(
            {.name = "packets", .memory = Memory::ordinary, .chunks = std::span{&packets, 1}}))));
    eth_ = must(system_->add_device({.name = "eth",
                                     .coherent_mask = test::k32Bits,
                                     .translation = Translation::through(kWindows),
                                     .quarantine_blocks = 2}));
  }

  [[nodiscard]] CpuBytes bytes(PhysRange range = kBytes) const {
    return {.cpu = machine_.cached_view(range), .phys = range.base, .size_bytes = range.size_bytes};
  }
  using Ranges = std::vector<PhysRange>;

  static constexpr Window kWindows[] = {sim::kOddWindow};
  sim::Machine machine_;
  OwningPort port_;
  std::vector<std::uint64_t> storage_;
  System* system_ = nullptr;
  Device* eth_ = nullptr;
};

TEST_F(Ownership, IsTheDevicesFromMapToUnmap) {
  const MappedBytes mapped = must(map(*eth_, bytes(), kFrom));
  EXPECT_EQ(port_.devices, Ranges{kBytes});
  must(unmap(*eth_, mapped));
  EXPECT_EQ(port_.devices, Ranges{});
}

TEST_F(Ownership, IsTheSameWhereTheCachesAreTheCallersBusiness) {
  const MappedBytes mapped =
      must(map(*eth_, bytes(), kFrom, {.attributes = Attributes::skip_cpu_sync}));
  EXPECT_EQ(port_.devices, Ranges{kBytes});
  must(unmap(*eth_, mapped, Attributes::skip_cpu_sync));
  EXPECT_EQ(port_.devices, Ranges{});
}

TEST_F(Ownership, IsTheCpusBetweenTheSyncs) {
  const MappedBytes mapped = must(map(*eth_, bytes(), kFrom));
  must(sync_for_cpu(*eth_, mapped, {.offset_bytes = 0x20, .size_bytes = 0x40}));
  EXPECT_EQ(port_.devices, Ranges{});
  must(sync_for_device(*eth_, mapped, {.offset_bytes = 0x20, .size_bytes = 0x40}));
  EXPECT_EQ(port_.devices, Ranges{ram(0x2020, 0x40)});
  must(unmap(*eth_, mapped));
  EXPECT_EQ(port_.devices, Ranges{});
}

TEST_F(Ownership, OfWhatIsCopiedIsTheDevicesToo) {
  const CpuBytes shared = bytes(ram(0x2010, 0x30));  // lines shared with others: a copy is made
  const MappedBytes mapped = must(map(*eth_, shared, kFrom));
  ASSERT_TRUE(mapped.copy);
  EXPECT_EQ(port_.devices, Ranges{ram(0x2010, 0x30)});
  must(unmap(*eth_, mapped));
  EXPECT_EQ(port_.devices, Ranges{});
}

TEST_F(Ownership, IsTheCpusWhereAMappingIsRefusedOrAbandoned) {
  EXPECT_FALSE(map(*eth_, bytes(ram(0x2000, 0)), kFrom));
  EXPECT_EQ(port_.devices, Ranges{});
  must(abandon(*eth_, must(map(*eth_, bytes(), kFrom))));
  EXPECT_EQ(port_.devices, Ranges{});
}

TEST_F(Ownership, IsTheCpusAgainWhereAListIsRefusedAtItsEnd) {
  const std::array list{bytes(), bytes(ram(0x3000, 0))};
  std::array<std::optional<MappedBytes>, 2> mapped;
  EXPECT_FALSE(map_each(*eth_, list, kFrom, mapped));
  EXPECT_EQ(port_.devices, Ranges{});
}

TEST_F(Ownership, OfAListIsTheDevicesEntryByEntry) {
  const std::array list{bytes(), bytes(ram(0x3000, 0x80))};
  std::array<std::optional<MappedBytes>, 2> mapped;
  must(map_each(*eth_, list, kFrom, mapped));
  EXPECT_EQ(port_.devices, (Ranges{kBytes, ram(0x3000, 0x80)}));
  must(unmap_each(*eth_, mapped));
  EXPECT_EQ(port_.devices, Ranges{});
}

TEST_F(Ownership, OfALoanThatIsDroppedIsNobodysUntilTheDeviceIsQuiet) {
  {
    auto buffer = must(alloc_stream(*eth_, 0x100));
    const auto mapping = must(map<kFrom>(*eth_, std::move(buffer)));
    ASSERT_EQ(port_.devices.size(), 1U);
  }
  EXPECT_EQ(port_.devices.size(), 1U);
  must(quiesced(*eth_));
  EXPECT_EQ(port_.devices, Ranges{});
}

}  // namespace
}  // namespace carveout
