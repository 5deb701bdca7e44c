#include "carveout/core/error.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cctype>
#include <set>
#include <string>
#include <string_view>

#include "carveout/core/attributes.hpp"
#include "carveout/core/text.hpp"

namespace carveout {
namespace {

constexpr auto kLast = Error::no_such_node;

template <class Check>
void for_every_error(Check check) {
  for (unsigned code = 0; code <= static_cast<unsigned>(kLast); ++code) {
    check(static_cast<Error>(code));
  }
}

std::string described(const Failure& failure) {
  std::array<char, 512> buffer{};
  Text text{buffer};
  describe(failure, text);
  EXPECT_FALSE(text.truncated());
  return std::string{text.view()};
}

TEST(Error, NamesAreThoseOfTheCodeAndAllDifferent) {
  EXPECT_EQ(name_of(Error::zero_size), "zero_size");
  EXPECT_EQ(name_of(Error::crosses_boundary), "crosses_boundary");
  EXPECT_EQ(name_of(Error::exhausted), "exhausted");
  EXPECT_EQ(name_of(Error::no_such_node), "no_such_node");
  std::set<std::string_view> names;
  for_every_error([&](Error error) {
    const std::string_view name = name_of(error);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_NE(name, "unknown");
    for (const char letter : name) {
      EXPECT_TRUE(letter == '_' || std::islower(static_cast<unsigned char>(letter))) << name;
    }
  });
}

TEST(Error, EveryOneHasAMeaningOfItsOwnThatIsNoSentence) {
  std::set<std::string_view> meanings;
  for_every_error([&](Error error) {
    const std::string_view meaning = meaning_of(error);
    EXPECT_TRUE(meanings.insert(meaning).second) << meaning;
    ASSERT_GE(meaning.size(), 10U) << name_of(error);
    EXPECT_NE(meaning.back(), '.') << meaning;
  });
}

TEST(Error, AValueFromOutsideTheListIsSaidToBeUnknown) {
  EXPECT_EQ(name_of(static_cast<Error>(200)), "unknown");
}

TEST(Failure, OfAFullPoolSaysWhichPoolWhatWasAskedAndWhatThereIs) {
  EXPECT_EQ(described({.code = Error::exhausted,
                       .pool = "/reserved-memory/linux,cma",
                       .asked_bytes = 0x100000,
                       .free_bytes = 0xff000,
                       .largest_run_bytes = 0x7f000}),
            "/reserved-memory/linux,cma: nothing of that length, alignment and boundary is free in "
            "the reachable part: 1 MiB asked, 1020 KiB free, the longest free run 508 KiB");
}

TEST(Failure, OfAnExhaustedPoolSaysZeroWhereNothingIsFree) {
  EXPECT_EQ(described({.code = Error::exhausted, .pool = "p", .asked_bytes = 4096}),
            "p: nothing of that length, alignment and boundary is free in the reachable part: "
            "4 KiB asked, 0 bytes free, the longest free run 0 bytes");
}

TEST(Failure, OfAnAtomicPoolSaysHowLargeItWouldHaveHadToBe) {
  EXPECT_EQ(described({.code = Error::exhausted,
                       .pool = "atomic",
                       .asked_bytes = 4096,
                       .needed_bytes = 0x11000}),
            "atomic: nothing of that length, alignment and boundary is free in the reachable part: "
            "4 KiB asked, 0 bytes free, the longest free run 0 bytes; it would have had to have "
            "68 KiB");
}

TEST(Failure, OfAttributesNamesThoseThatContradictEachOther) {
  constexpr auto kBoth = Attributes::non_coherent | Attributes::require_coherent;
  EXPECT_EQ(described({.code = Error::bad_attributes,
                       .asked_bytes = 64,
                       .stated = static_cast<std::uint32_t>(kBoth)}),
            "the attributes contradict each other: non_coherent and require_coherent");
}

TEST(Failure, OfTooLittleStorageSaysHowMuchIsNeeded) {
  EXPECT_EQ(described({.code = Error::storage_too_small, .asked_bytes = 3120, .free_bytes = 1024}),
            "the storage given is less than the tables need: 3120 bytes needed, 1 KiB given");
}

TEST(Failure, OfABlockGivenBackSaysItsSize) {
  EXPECT_EQ(described({.code = Error::wrong_size, .pool = "dma", .asked_bytes = 8192}),
            "dma: the size is not the one that was given: 8 KiB given back");
}

TEST(Failure, WithASecondPartyNamesBoth) {
  EXPECT_EQ(described({.code = Error::overlaps, .pool = "a", .other = "b"}),
            "a: the range shares bytes with another, which is b");
  EXPECT_EQ(described({.code = Error::in_use, .pool = "a", .other = "/soc/eth0"}),
            "a: blocks of it are in use, by /soc/eth0");
}

TEST(Failure, WithoutDetailsIsItsMeaningAlone) {
  for_every_error([](Error error) { EXPECT_EQ(described({.code = error}), meaning_of(error)); });
}

TEST(Failure, IsEqualOnlyToOneWithTheSameReasonAndFigures) {
  constexpr Failure one{.code = Error::exhausted, .pool = "p", .asked_bytes = 1};
  Failure other = one;
  EXPECT_EQ(one, other);
  other.asked_bytes = 2;
  EXPECT_NE(one, other);
}

}  // namespace
}  // namespace carveout
