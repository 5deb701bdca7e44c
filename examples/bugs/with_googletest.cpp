// The same drivers under GoogleTest; and that each bug is found, whatever the hardware does.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "bug.hpp"

namespace bugs {

void PrintTo(const Bug* bug, std::ostream* out) { *out << bug->name; }

namespace {

/// A test of a driver, as its author would write it.
void test(Driver driver) {
  sim::Machine machine{Board::facts()};
  sim::Adversary worst = sim::Adversary::worst();
  std::string reports;
  Board board{machine, worst, [&](const sim::Report& report) { reports += report.text(); }};
  EXPECT_TRUE(driver(board)) << "the data is wrong";
  EXPECT_EQ(reports, "");
}

class Bugs : public testing::TestWithParam<const Bug*> {
 protected:
  sim::Machine machine_{Board::facts()};
};

TEST_P(Bugs, FailWithAReportThatNamesTheMistake) {
  testing::TestPartResultArray failures;
  {
    const testing::ScopedFakeTestPartResultReporter caught{&failures};
    test(GetParam()->wrong);
  }
  const auto says = [&](int failure, std::string_view words) {
    return std::string_view{failures.GetTestPartResult(failure).message()}.contains(words);
  };
  ASSERT_EQ(failures.size(), 2);
  EXPECT_TRUE(says(0, "the data is wrong"));
  EXPECT_TRUE(says(1, "carveout: " + std::string{name_of(GetParam()->mistake)}));
}

TEST_P(Bugs, PassWhenFixed) { test(GetParam()->right); }

TEST_P(Bugs, AreNamedInEachOfAThousandSeedsAndInTheWorstSchedule) {
  const auto [bug, mistake] = std::pair{GetParam()->wrong, GetParam()->mistake};
  EXPECT_TRUE(run(machine_, bug, mistake, sim::Adversary::worst()).named);
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    ASSERT_TRUE(run(machine_, bug, mistake, sim::Adversary::seeded(seed)).named) << seed;
  }
}

TEST_P(Bugs, SpoilTheDataInTheWorstSchedule) {
  EXPECT_FALSE(
      run(machine_, GetParam()->wrong, GetParam()->mistake, sim::Adversary::worst()).data_right);
}

TEST_P(Bugs, AreSilentOnceFixedInAThousandSeedsAndInTheWorstSchedule) {
  const auto silent = [&](sim::Adversary adversary) {
    const Outcome outcome =
        run(machine_, GetParam()->right, GetParam()->mistake, std::move(adversary));
    return outcome.data_right && outcome.mistakes == 0;
  };
  EXPECT_TRUE(silent(sim::Adversary::worst()));
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    ASSERT_TRUE(silent(sim::Adversary::seeded(seed))) << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Bugs, testing::ValuesIn(kBugs));

}  // namespace
}  // namespace bugs
