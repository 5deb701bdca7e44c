// Linux's allocator as it is modelled, judged by a bitmap that is searched page by page.
#include "simulate/linux_pool.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <vector>

namespace carveout::cli {
namespace {

constexpr std::uint64_t kPage = LinuxPool::kPageBytes;

/// The rule, as it is told in reference form: the lowest multiple of 2^order with all pages free.
class Bitmap {
 public:
  explicit Bitmap(std::size_t pages) : taken_(pages) {}

  std::optional<std::uint64_t> take(std::size_t pages) {
    const std::size_t count = rounded(pages);
    for (std::size_t at = 0; at + count <= taken_.size(); at += count) {
      if (is_free(at, count)) return mark(at, count, true);
    }
    return std::nullopt;
  }
  void give_back(std::uint64_t offset, std::size_t pages) {
    mark(static_cast<std::size_t>(offset / kPage), rounded(pages), false);
  }

 private:
  static std::size_t rounded(std::size_t pages) {
    std::size_t count = 1;
    while (count < pages) count *= 2;
    return count;
  }
  [[nodiscard]] bool is_free(std::size_t at, std::size_t count) const {
    for (std::size_t page = at; page < at + count; ++page) {
      if (taken_[page]) return false;
    }
    return true;
  }
  std::uint64_t mark(std::size_t at, std::size_t count, bool taken) {
    for (std::size_t page = at; page < at + count; ++page) taken_[page] = taken;
    return at * kPage;
  }

  std::vector<bool> taken_;
};

TEST(LinuxPool, GivesThePlacesOfTheVectors) {
  // Rows 2 to 5, 7, 8 and 17 of tests/vectors.
  LinuxPool a{0x100000};
  EXPECT_EQ(a.take(4096), 0U);
  EXPECT_EQ(a.take(5000), 0x2000U);
  EXPECT_EQ(a.take(4096), 0x1000U);
  EXPECT_EQ(a.take(1), 0x4000U);
  LinuxPool halves{0x100000};
  EXPECT_EQ(halves.take(1), 0U);
  EXPECT_EQ(halves.take(0x100000), std::nullopt);
  EXPECT_EQ(halves.take(0x80000), 0x80000U);
  LinuxPool thirds{0x100000};
  EXPECT_EQ(thirds.take(0x41000), 0U);
  EXPECT_EQ(thirds.take(0x41000), 0x80000U);
  EXPECT_EQ(thirds.take(0x41000), std::nullopt);
  LinuxPool odd{3 * kPage};
  EXPECT_EQ(odd.take(8192), 0U);
  EXPECT_EQ(odd.take(8192), std::nullopt);
  EXPECT_EQ(odd.take(4096), 2 * kPage);
}

TEST(LinuxPool, HoldsFourFramesOf1080pNv12InSixteenMiB) {
  LinuxPool pool{16 << 20};
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(pool.take(1920 * 1080 * 3 / 2));
  EXPECT_EQ(pool.take(1920 * 1080 * 3 / 2), std::nullopt);
  EXPECT_EQ(pool.used_bytes(), pool.total_bytes());
}

TEST(LinuxPool, RefusesNoBytesAndWhatIsLargerThanItself) {
  LinuxPool pool{4 * kPage};
  EXPECT_EQ(pool.take(0), std::nullopt);
  EXPECT_EQ(pool.take(5 * kPage), std::nullopt);
  EXPECT_EQ(pool.take(~std::uint64_t{0}), std::nullopt);
  EXPECT_EQ(LinuxPool::rounded(5 * kPage), 8 * kPage);
  LinuxPool none{kPage - 1};
  EXPECT_EQ(none.take(1), std::nullopt);
  EXPECT_EQ(none.largest_grant_bytes(), 0U);
}

TEST(LinuxPool, DecidesAsABitmapDoesThatIsSearchedPageByPage) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random{seed};
    const std::size_t pages = 1 + random() % 200;
    LinuxPool pool{pages * kPage + random() % kPage};
    Bitmap bitmap{pages};
    struct Block {
      std::uint64_t offset;
      std::size_t pages;
    };
    std::vector<Block> live;
    for (int step = 0; step < 400; ++step) {
      if (live.empty() || random() % 5 < 3) {
        const std::size_t size = 1 + random() % (random() % 4 == 0 ? 40 : 6);
        const auto got = pool.take(size * kPage - random() % kPage);
        ASSERT_EQ(got, bitmap.take(size)) << "seed " << seed << " step " << step;
        if (got) live.push_back({*got, size});
      } else {
        const std::size_t which = random() % live.size();
        pool.give_back(live[which].offset, live[which].pages * kPage);
        bitmap.give_back(live[which].offset, live[which].pages);
        live.erase(live.begin() + static_cast<std::ptrdiff_t>(which));
      }
      const std::uint64_t largest = pool.largest_grant_bytes();
      Bitmap trial = bitmap;
      ASSERT_TRUE(largest == 0 || trial.take(static_cast<std::size_t>(largest / kPage)));
      trial = bitmap;
      ASSERT_FALSE(trial.take(static_cast<std::size_t>(largest / kPage * 2 + 1)) && largest != 0);
    }
  }
}

}  // namespace
}  // namespace carveout::cli
