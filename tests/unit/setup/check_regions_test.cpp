// Which regions of a tree can be no pools, whoever lists them.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "carveout/port/no_machine.hpp"
#include "carveout/setup/from_device_tree.hpp"
#include "tests/support/tree_maker.hpp"

namespace carveout::test {
namespace {

/// A tree with regions that nobody lists, and with a device that lists `listed`.
class Regions {
 public:
  explicit Regions(std::vector<std::uint32_t> listed) : tree_{blob(std::move(listed))} {}

  [[nodiscard]] const device_tree::Tree& tree() const { return tree_.tree(); }
  [[nodiscard]] Platform platform() {
    return {
        .port = port_, .granule_bytes = 4096, .store = TagStore::sparse(1), .described_only = true};
  }
  [[nodiscard]] std::string path(device_tree::Node node) const { return tree_.path(node); }

 private:
  static std::vector<std::byte> blob(std::vector<std::uint32_t> listed) {
    TreeMaker maker;
    maker.counts(1, 1).begin("reserved-memory").counts(1, 1).empty("ranges");
    std::uint32_t next = 1;
    const auto region = [&](const char* name, const char* compatible,
                            std::initializer_list<std::uint32_t> reg) -> TreeMaker& {
      return maker.begin(name).phandle(next++).string("compatible", compatible).cells("reg", reg);
    };
    region("sound", "shared-dma-pool", {0x9100'0000, 0x1'0000}).end();
    region("first", "shared-dma-pool", {0x9200'0000, 0x2'0000}).end();
    region("second", "shared-dma-pool", {0x9201'0000, 0x2'0000}).empty("reusable").end();
    region("empty", "restricted-dma-pool", {0x9300'0000, 0}).end();
    region("small", "shared-dma-pool", {0x9400'0100, 0x800}).end();
    region("firmware", "vendor,firmware", {0x9500'0000, 0}).end();
    region("off", "shared-dma-pool", {0x9600'0000, 0}).string("status", "disabled").end();
    maker.end();
    maker.begin("device").cells("memory-region", listed).end();
    return maker.finish();
  }

  OpenTree tree_;
  NoMachine port_;
};

using Refused = std::vector<std::pair<std::string, Error>>;

Refused checked(Regions& regions) {
  std::vector<std::byte> storage(
      setup::measure_regions(regions.tree(), regions.platform()).value());
  Refused refused;
  const auto result = setup::check_regions(
      regions.tree(), regions.platform(), storage,
      [&](device_tree::Node node, Error why) { refused.emplace_back(regions.path(node), why); });
  EXPECT_TRUE(result);
  return refused;
}

TEST(CheckRegions, NamesInTreeOrderThoseThatCanBeNoPool) {
  Regions regions{{}};
  EXPECT_EQ(checked(regions), (Refused{{"/reserved-memory/first", Error::overlaps},
                                       {"/reserved-memory/second", Error::overlaps},
                                       {"/reserved-memory/empty", Error::empty_range},
                                       {"/reserved-memory/small", Error::below_granule}}));
}

TEST(CheckRegions, SaysWhatADeviceIsToldThatListsThem) {
  Regions regions{{1, 2, 3, 4, 5, 6, 7}};
  const std::array specs{
      setup::DeviceSpec{.node = "/device", .coherent_mask = DmaAddr{~std::uint64_t{0}}}};
  std::vector<std::byte> storage(setup::measure(regions.tree(), specs, regions.platform()).value());
  const auto system =
      setup::build(regions.tree(), specs, regions.platform(), storage, [](const Finding&) {});
  ASSERT_TRUE(system);
  Refused told;
  for (const Binding* own = (*system)->device(0)->bindings; own != nullptr; own = own->next) {
    if (own->refused) told.emplace_back(own->pool_name, *own->refused);
  }
  EXPECT_EQ(checked(regions), told);
}

TEST(CheckRegions, FailsWithoutTheRoomThatItNeeds) {
  Regions regions{{}};
  std::vector<std::byte> storage(
      setup::measure_regions(regions.tree(), regions.platform()).value() - 1);
  const auto result = setup::check_regions(regions.tree(), regions.platform(), storage,
                                           [](device_tree::Node, Error) {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Error::storage_too_small);
}

}  // namespace
}  // namespace carveout::test
