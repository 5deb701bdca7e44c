// The table of T5 and T6: {coherent, contiguous} x {one device's, the board's} x {found in a device
// tree, declared by code}. One test, eight cells: in each a block is allocated, written by the CPU,
// read by a device, and given back, and it is the same Pool code that did it.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <tuple>

#include "carveout/ops/coherent.hpp"
#include "carveout/ops/streaming.hpp"
#include "tests/unit/setup/three_ways.hpp"

namespace carveout {
namespace {

using test::BoardFacts;
using test::BuiltBoard;
using test::Bytes;
using test::must;
using test::pattern;
using test::ram;
using test::Source;

enum class Whose : std::uint8_t { one_device, board };
using Cell = std::tuple<Memory, Whose, Source>;

std::string cell_name(const testing::TestParamInfo<Cell>& info) {
  const auto [memory, whose, source] = info.param;
  std::string name = memory == Memory::coherent ? "Coherent" : "Contiguous";
  name += whose == Whose::one_device ? "OfOneDevice" : "OfTheBoard";
  constexpr std::array kSources{"FoundInATree", "ListedInTables", "DeclaredByCode"};
  return name + kSources[static_cast<std::size_t>(source)];
}

/// The role that a cell's pool plays.
Role role_of(Memory memory, Whose whose) {
  if (memory == Memory::coherent)
    return whose == Whose::one_device ? Role::device : Role::default_pool;
  return whose == Whose::one_device ? Role::contiguous_device : Role::contiguous_default;
}

class EightCells : public testing::TestWithParam<Cell> {
 protected:
  static BoardFacts facts() {
    const auto [memory, whose, source] = GetParam();
    BoardFacts facts{.pools = {{.name = "pool",
                                .chunks = {ram(0x2000, 0x1000)},
                                .memory = memory,
                                .is_default = whose == Whose::board}},
                     .devices = {{.name = "eth"}}};
    if (whose == Whose::one_device) facts.devices[0].own = {{0}};
    return facts;
  }

  BuiltBoard board_{facts(), std::get<Source>(GetParam())};
  Pool& pool_ = *board_.pool(0);
  const Device& eth_ = board_.device(0);
  sim::DmaEngine engine_{board_.machine, eth_.translation, eth_.coherent_mask};
};

TEST_P(EightCells, ABlockIsAllocatedWrittenReadByTheDeviceAndGivenBackByThePool) {
  const auto [memory, whose, source] = GetParam();
  Role served = Role::bounce;
  const auto log = [&](const Candidate& candidate) {
    if (candidate.verdict == Verdict::taken) served = candidate.role;
  };
  const Taken taken = must(take_by_route(eth_, 0x180, {}, log));
  EXPECT_EQ(served, role_of(memory, whose));
  must(free_coherent(*taken.block));

  const Block block = must(alloc_coherent(eth_, 0x180));
  EXPECT_EQ(block.pool, &pool_);
  EXPECT_EQ(block.size_bytes, 0x180U);
  EXPECT_EQ(block.dma.raw() - sim::kOddWindow.dma.raw(),
            block.phys.raw() - sim::kOddWindow.cpu.raw());
  EXPECT_EQ(block.cpu, pool_.pointer(block, View::uncached));

  const Bytes from_cpu = pattern(0x180, 3);
  board_.machine.write(block.cpu, from_cpu);
  board_.port.publish_barrier();
  Bytes at_device(0x180);
  ASSERT_TRUE(engine_.read(block.dma, at_device));
  EXPECT_EQ(at_device, from_cpu);

  const Bytes from_device = pattern(0x180, 7);
  ASSERT_TRUE(engine_.write(block.dma, from_device));
  Bytes at_cpu(0x180);
  board_.machine.read(block.cpu, at_cpu);
  EXPECT_EQ(at_cpu, from_device);

  EXPECT_EQ(pool_.usage().blocks, 1U);
  pool_.visit([&](const Held& held) {
    EXPECT_EQ(held.range, (PhysRange{block.phys, block.size_bytes}));
    EXPECT_EQ(held.holder, eth_.id);
  });
  must(free_coherent(block));
  EXPECT_EQ(pool_.usage().used_bytes, 0U);
  EXPECT_EQ(pool_.usage().peak_bytes, 0x180U);
}

INSTANTIATE_TEST_SUITE_P(Table, EightCells,
                         testing::Combine(testing::Values(Memory::coherent, Memory::contiguous),
                                          testing::Values(Whose::one_device, Whose::board),
                                          testing::Values(Source::tree, Source::code)),
                         cell_name);

/// The same boards as constexpr tables state them: code, too, and a way of its own through setup.
INSTANTIATE_TEST_SUITE_P(Listed, EightCells,
                         testing::Combine(testing::Values(Memory::coherent, Memory::contiguous),
                                          testing::Values(Whose::one_device, Whose::board),
                                          testing::Values(Source::tables)),
                         cell_name);

// ---- every role
// ----------------------------------------------------------------------------------

/// What a role needs to be the one that serves.
struct RoleFacts {
  Role role;
  Options options = {};
  bool coherent = false;  ///< the device
};

class EveryRole : public testing::TestWithParam<RoleFacts> {};

TEST_P(EveryRole, IsThePoolCodeAndNoOther) {
  const RoleFacts facts = GetParam();
  test::SimBoard board;
  Pool& pool = board.pool("pool", ram(0, 0x1000), memory_for(facts.role));
  Device& device = board.device("eth", {.coherent = facts.coherent, .numa_node = 2});
  if (facts.role == Role::device || facts.role == Role::contiguous_device ||
      facts.role == Role::bounce) {
    must(board.system->bind(device, pool));
  } else {
    must(board.system->set_default(facts.role, pool, 2));
  }

  const auto locks = board.port.count(sim::PortOp::lock);
  const Block block = must(alloc_coherent(device, 0x80, facts.options));
  EXPECT_EQ(block.pool, &pool);
  // The tables of the pool know the block, were changed under its lock, and take it back: once.
  EXPECT_EQ(board.port.count(sim::PortOp::lock), locks + 1);
  unsigned seen = 0;
  pool.visit([&](const Held& held) {
    EXPECT_EQ(held.range, (PhysRange{block.phys, block.size_bytes}));
    ++seen;
  });
  EXPECT_EQ(seen, 1U);
  EXPECT_EQ(pool.usage().used_bytes, 0x80U);
  EXPECT_EQ(test::error_of(board.system->release(pool)), Error::in_use);
  must(free_coherent(block));
  EXPECT_EQ(test::error_of(free_coherent(block)), Error::double_free);
  EXPECT_EQ(pool.usage().used_bytes, 0U);
}

/// The board's bounce pool serves no allocation: what it is asked for are copies.
TEST(BoardsBouncePool, IsThePoolCodeAndNoOther) {
  test::SimBoard board;
  Pool& pool = board.pool("copies", ram(0, 0x1000), Memory::bounce);
  must(board.system->set_default(Role::bounce, pool));
  Device& device = board.device("eth");
  std::byte* const cpu = board.machine.cpu_view(ram(0x2004, 0x40));
  const CpuBytes bytes{.cpu = cpu, .phys = ram(0x2004, 0x40).base, .size_bytes = 0x40};

  const auto locks = board.port.count(sim::PortOp::lock);
  const MappedBytes mapped = must(map(device, bytes, Direction::from_device));
  ASSERT_TRUE(mapped.copy.has_value());
  EXPECT_EQ(mapped.copy->pool, &pool);
  EXPECT_EQ(board.port.count(sim::PortOp::lock), locks + 1);
  EXPECT_EQ(pool.usage().blocks, 1U);
  must(unmap(device, mapped));
  EXPECT_EQ(pool.usage().blocks, 0U);
}

constexpr Options kMustNotWait{.context = Context::must_not_wait};

constexpr std::array kEveryRole{
    RoleFacts{.role = Role::device},
    RoleFacts{.role = Role::bounce},
    RoleFacts{.role = Role::atomic, .options = kMustNotWait},
    RoleFacts{.role = Role::default_pool},
    RoleFacts{.role = Role::contiguous_device},
    RoleFacts{.role = Role::contiguous_node},
    RoleFacts{.role = Role::contiguous_default},
    RoleFacts{.role = Role::ordinary, .coherent = true},
};
static_assert(kEveryRole.size() == kRoles);

std::string role_name(const testing::TestParamInfo<RoleFacts>& info) {
  return std::string{name_of(info.param.role)};
}

INSTANTIATE_TEST_SUITE_P(Table, EveryRole, testing::ValuesIn(kEveryRole), role_name);

}  // namespace
}  // namespace carveout
