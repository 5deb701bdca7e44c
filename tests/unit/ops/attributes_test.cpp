// What each attribute changes about an allocation: which memory serves it, and what it spends.
#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "carveout/ops/coherent.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout {
namespace {

using test::error_of;
using test::must;
using test::ram;
using test::SimBoard;

/// A board with memory of every kind, a device that does not see the caches, and one that does.
class AllocAttributes : public testing::Test {
 protected:
  [[nodiscard]] std::string_view served(const Device& device, Attributes attributes) {
    const auto block = alloc_coherent(device, 64, {.attributes = attributes});
    return block ? block->pool->name() : name_of(block.error().code);
  }
  [[nodiscard]] std::uint64_t coherent_bytes() const {
    return default_.usage().peak_bytes + own_.usage().peak_bytes + atomic_.usage().peak_bytes;
  }

  SimBoard board_;
  Pool& default_ = board_.default_pool("default", ram(0, 0x1000));
  Pool& atomic_ = board_.default_pool("atomic", ram(0x1000, 0x1000), Role::atomic);
  Pool& contiguous_ = board_.default_pool("cma", ram(0x2000, 0x1000), Role::contiguous_default);
  Pool& ordinary_ = board_.default_pool("ram", ram(0x3000, 0x1000), Role::ordinary);
  Pool& own_ = board_.pool("own", ram(0x4000, 0x1000));
  Device& plain_ = board_.device("plain");
  Device& coherent_ = board_.device("coherent", {.coherent = true});
  Device& with_own_ = board_.device("with own");
};

struct Row {
  Attributes attributes;
  std::string_view plain;     ///< the pool that serves a device that is not coherent
  std::string_view coherent;  ///< one that is
};

TEST_F(AllocAttributes, EachAloneChoosesTheKindOfMemory) {
  using enum Attributes;
  constexpr std::array kRows{
      Row{none, "default", "ram"},
      Row{non_coherent, "ram", "ram"},
      Row{no_cpu_mapping, "ram", "ram"},
      Row{uninitialized, "default", "ram"},
      Row{force_contiguous, "default", "cma"},
      Row{write_combine, "default", "ram"},
      Row{single_pages, "default", "ram"},
      Row{skip_cpu_sync, "default", "ram"},
      Row{no_warn, "default", "ram"},
      Row{privileged, "default", "ram"},
      Row{require_coherent, "default", "ram"},
      Row{non_coherent | force_contiguous, "cma", "cma"},
      Row{no_cpu_mapping | force_contiguous, "cma", "cma"},
      Row{no_cpu_mapping | require_coherent, "ram", "ram"},
      Row{require_coherent | force_contiguous, "default", "cma"},
  };
  for (const Row& row : kRows) {
    const auto number = static_cast<std::uint32_t>(row.attributes);
    EXPECT_EQ(served(plain_, row.attributes), row.plain) << number;
    EXPECT_EQ(served(coherent_, row.attributes), row.coherent) << number;
  }
}

TEST_F(AllocAttributes, ThatDoWithoutCoherentMemorySpendNoneNotEvenTheDevicesOwn) {
  must(board_.system->bind(with_own_, own_));
  for (const Attributes attributes : {Attributes::non_coherent, Attributes::no_cpu_mapping}) {
    EXPECT_EQ(served(with_own_, attributes), "ram");
  }
  EXPECT_EQ(coherent_bytes(), 0U);
}

TEST_F(AllocAttributes, ThatContradictEachOtherAreRefusedBeforeAnyMemoryIsTaken) {
  using enum Attributes;
  for (const Attributes pair : {non_coherent | require_coherent, force_contiguous | single_pages}) {
    const auto refused = alloc_coherent(plain_, 64, {.attributes = pair | uninitialized});
    ASSERT_EQ(error_of(refused), Error::bad_attributes);
    EXPECT_EQ(refused.error().stated, static_cast<std::uint32_t>(pair));
  }
  EXPECT_EQ(coherent_bytes() + contiguous_.usage().peak_bytes + ordinary_.usage().peak_bytes, 0U);
}

TEST_F(AllocAttributes, ThatContradictEachOtherAreRefusedByEveryVerb) {
  const Options options{.attributes = Attributes::force_contiguous | Attributes::single_pages};
  EXPECT_EQ(error_of(alloc_from_device_pool(plain_, 64, options)), Error::bad_attributes);
  EXPECT_EQ(error_of(alloc_from_default_pool(plain_, 64, options)), Error::bad_attributes);
  EXPECT_EQ(error_of(alloc_from_default_contiguous(plain_, 64, options)), Error::bad_attributes);
  EXPECT_EQ(error_of(take_by_route(plain_, 64, options, [](const Candidate&) {})),
            Error::bad_attributes);
}

TEST_F(AllocAttributes, RequireCoherentIsServedCoherentMemoryAlsoWhereOnlyContiguousMemoryIsLeft) {
  SimBoard board;
  board.default_pool("cma", ram(0, 0x1000), Role::contiguous_default);
  const Block block =
      must(alloc_coherent(board.device("eth"), 64, {.attributes = Attributes::require_coherent}));
  EXPECT_EQ(block.cpu, block.pool->pointer(block, View::uncached));
}

TEST_F(AllocAttributes, RequireCoherentIsRefusedMemoryThatTheCpuReachesThroughItsCacheOnly) {
  SimBoard board{{}, [](Platform& platform) { platform.aliases = {}; }};
  board.default_pool("cma", ram(0, 0x1000), Role::contiguous_default);
  EXPECT_EQ(error_of(alloc_coherent(board.device("eth"), 64,
                                    {.attributes = Attributes::require_coherent})),
            Error::no_pool);
}

}  // namespace
}  // namespace carveout
