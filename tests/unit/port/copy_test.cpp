#include "carveout/port/copy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace carveout {
namespace {

constexpr std::size_t kRoom = 64;

using Room = std::array<std::byte, kRoom>;

Room counting(unsigned first) {
  Room room;
  for (std::size_t i = 0; i < kRoom; ++i) room[i] = static_cast<std::byte>(first + i);
  return room;
}

TEST(CopyWords, MovesEveryLengthBetweenEveryTwoPlacesWithinAWordAndNothingElse) {
  alignas(16) const Room from = counting(1);
  for (std::size_t to_at = 0; to_at < 9; ++to_at) {
    for (std::size_t from_at = 0; from_at < 9; ++from_at) {
      for (std::size_t size = 0; size < 40; ++size) {
        alignas(16) Room to = counting(100);
        Room expected = to;
        std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(from_at), size,
                    expected.begin() + static_cast<std::ptrdiff_t>(to_at));
        copy_words(to.data() + to_at, from.data() + from_at, size);
        ASSERT_EQ(to, expected) << to_at << " " << from_at << " " << size;
      }
    }
  }
}

}  // namespace
}  // namespace carveout
