// Carveout's own verbs on the machine, under hardware at its worst and by seed, and under the
// checker: the data is right and nothing is reported. And with a sync taken out, both say so.
#include <gtest/gtest.h>

#include <span>
#include <string>

#include "carveout_sim/adversary.hpp"
#include "carveout_sim/checker.hpp"
#include "tests/support/sim_board.hpp"

namespace carveout::test {
namespace {

constexpr std::size_t kBytes = 192;
constexpr std::uint64_t kSeeds = 200;

/// A board, a device and memory that no pool has; everything is told to a checker.
struct Watched {
  explicit Watched(sim::Adversary& adversary) { board.machine.set_adversary(&adversary); }

  SimBoard board{{.write_buffer_stores = 4, .early_loads = 16}};
  Device& device = board.device("eth");
  sim::Checker checker{board.machine, {.callback = sim::Checker::silent}};
  sim::Master eth = checker.attach("eth");
  sim::DmaEngine engine{board.machine, device.translation, device.coherent_mask, eth};
  CpuBytes bytes = board.cpu_bytes(ram(0x4000, kBytes));

  MappedBytes give(Direction direction) {
    const MappedBytes mapped = must(map(device, bytes, direction));
    checker.map(eth, {bytes.phys, kBytes}, direction);
    return mapped;
  }
  void take_back(const MappedBytes& mapped) {
    checker.unmap(eth, {bytes.phys, kBytes}, mapped.direction);
    must(unmap(device, mapped));
  }
  [[nodiscard]] std::string reports() const {
    std::string text;
    for (const sim::Report& report : checker.reports()) text += report.text();
    return text;
  }
};

enum class Step : std::uint8_t { all, no_map, no_unmap };

bool send(sim::Adversary& adversary, Step done, std::string& reports) {
  Watched w{adversary};
  w.board.store(w.bytes.cpu, pattern(kBytes, 1));
  DmaAddr dma = *w.device.translation.to_dma({w.bytes.phys, kBytes});
  std::optional<MappedBytes> mapped;
  if (done == Step::all) {
    mapped = w.give(Direction::to_device);
    dma = mapped->dma;
  } else {
    w.checker.map(w.eth, {w.bytes.phys, kBytes}, Direction::to_device);
  }
  Bytes seen(kBytes);
  static_cast<void>(w.engine.read(dma, seen));
  if (mapped) w.take_back(*mapped);
  reports = w.reports();
  return seen == pattern(kBytes, 1);
}

bool receive(sim::Adversary& adversary, Step done, std::string& reports) {
  Watched w{adversary};
  w.board.store(w.bytes.cpu, pattern(kBytes, 1));
  const MappedBytes mapped = w.give(Direction::from_device);
  static_cast<void>(w.engine.write(mapped.dma, pattern(kBytes, 2)));
  if (done == Step::all) {
    w.take_back(mapped);
  } else {
    w.checker.unmap(w.eth, {w.bytes.phys, kBytes}, Direction::from_device);
  }
  const Bytes seen = w.board.load(w.bytes.cpu, kBytes);
  reports = w.reports();
  if (done != Step::all) must(unmap(w.device, mapped));
  return seen == pattern(kBytes, 2);
}

bool exchange(sim::Adversary& adversary, Step done, std::string& reports) {
  Watched w{adversary};
  w.board.store(w.bytes.cpu, pattern(kBytes, 1));
  const MappedBytes mapped = w.give(Direction::bidirectional);
  bool right = true;
  for (std::uint8_t round = 0; round < 3; ++round) {
    Bytes seen(kBytes);
    static_cast<void>(w.engine.read(mapped.dma, seen));
    right = right && seen == pattern(kBytes, round == 0 ? 1 : 10 + round - 1U);
    static_cast<void>(w.engine.write(mapped.dma, pattern(kBytes, 20U + round)));
    w.checker.sync_for_cpu(w.eth, {w.bytes.phys, kBytes}, Direction::bidirectional);
    if (done == Step::all) must(sync_for_cpu(w.device, mapped));
    right = right && w.board.load(w.bytes.cpu, kBytes) == pattern(kBytes, 20U + round);
    w.board.store(w.bytes.cpu, pattern(kBytes, 10U + round));
    if (done == Step::all) must(sync_for_device(w.device, mapped));
    w.checker.sync_for_device(w.eth, {w.bytes.phys, kBytes}, Direction::bidirectional);
  }
  w.take_back(mapped);
  reports = w.reports();
  return right;
}

struct Driver {
  const char* what;
  bool (*run)(sim::Adversary&, Step, std::string&);
  Step forgets;
  sim::Mistake mistake;
};
void PrintTo(const Driver& driver, std::ostream* out) { *out << driver.what; }

class Verbs : public testing::TestWithParam<Driver> {};

TEST_P(Verbs, AreRightAndSilentAtTheWorstAndUnderEverySeed) {
  std::string reports;
  sim::Adversary worst = sim::Adversary::worst();
  EXPECT_TRUE(GetParam().run(worst, Step::all, reports)) << to_text(worst.done());
  EXPECT_EQ(reports, "");
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    sim::Adversary adversary = sim::Adversary::seeded(seed);
    ASSERT_TRUE(GetParam().run(adversary, Step::all, reports)) << "seed " << seed << "\n"
                                                               << to_text(adversary.done());
    ASSERT_EQ(reports, "") << "seed " << seed;
  }
}

TEST_P(Verbs, AreMissedByNameUnderEverySeedWhereOneIsForgotten) {
  std::string reports;
  sim::Adversary worst = sim::Adversary::worst();
  EXPECT_FALSE(GetParam().run(worst, GetParam().forgets, reports));
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    sim::Adversary adversary = sim::Adversary::seeded(seed);
    static_cast<void>(GetParam().run(adversary, GetParam().forgets, reports));
    ASSERT_NE(reports.find(name_of(GetParam().mistake)), std::string::npos)
        << "seed " << seed << "\n"
        << reports;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Verbs,
                         testing::Values(Driver{"send", send, Step::no_map,
                                                sim::Mistake::missing_sync_before_device_reads},
                                         Driver{"receive", receive, Step::no_unmap,
                                                sim::Mistake::missing_sync_after_device_wrote},
                                         Driver{"exchange", exchange, Step::no_unmap,
                                                sim::Mistake::missing_sync_after_device_wrote}));

TEST(CoherentMemory, IsRightAndSilentUnderEverySeed) {
  for (std::uint64_t seed = 0; seed <= kSeeds; ++seed) {
    sim::Adversary adversary = seed == 0 ? sim::Adversary::worst() : sim::Adversary::seeded(seed);
    Watched w{adversary};
    w.board.default_pool("dma", ram(0x8000, 0x4000));
    // What an earlier use left in the cache.
    w.board.store(w.board.machine.cached_view(ram(0x8000, 0x1000)), pattern(0x1000, 9));
    const Block block = must(alloc_coherent(w.device, kBytes));
    w.checker.alloc(w.eth, {block.phys, kBytes}, block.size_bytes);
    Bytes seen(kBytes, std::byte{1});
    ASSERT_TRUE(w.engine.read(block.dma, seen));
    ASSERT_EQ(seen, Bytes(kBytes)) << "seed " << seed;
    ASSERT_TRUE(w.engine.write(block.dma, pattern(kBytes, 3)));
    ASSERT_EQ(w.board.load(block.cpu, kBytes), pattern(kBytes, 3)) << "seed " << seed;
    w.board.store(block.cpu, pattern(kBytes, 4));
    w.board.port.publish_barrier();
    ASSERT_TRUE(w.engine.read(block.dma, seen));
    ASSERT_EQ(seen, pattern(kBytes, 4)) << "seed " << seed;
    w.checker.free(w.eth, {block.phys, kBytes});
    must(free_coherent(block));
    w.checker.detach(w.eth);
    ASSERT_EQ(w.reports(), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace carveout::test
