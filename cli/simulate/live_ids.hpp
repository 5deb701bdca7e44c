// Which allocations of a trace live, by the name that the trace gives them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace carveout::cli {

/// A number for each name that lives, from 0 on. The number of a name that went is given again, so
/// there are never more than names lived at once, and who keeps something about each name keeps it
/// in an array. Memory and numbers are bounded by the names that lived at once.
class LiveIds {
 public:
  static constexpr std::size_t kMaxIdBytes = 47;

  LiveIds();

  struct Added {
    std::uint32_t slot;
    bool is_new;  ///< false: the name lives already, under this number
  };
  /// @param owner  names of different owners are different.
  /// @param id     at most kMaxIdBytes.
  Added add(std::uint32_t owner, std::string_view id);
  /// Forgets a name. @return the number that it had; nothing where it does not live.
  std::optional<std::uint32_t> remove(std::uint32_t owner, std::string_view id);
  void clear();

  /// Of a name that lives.
  [[nodiscard]] std::string_view id(std::uint32_t slot) const { return names_[slot].text(); }
  /// Whether a number below slots() is one of a name that lives.
  [[nodiscard]] bool lives(std::uint32_t slot) const { return names_[slot].lives; }
  /// One more than the largest number that was ever given.
  [[nodiscard]] std::uint32_t slots() const { return static_cast<std::uint32_t>(names_.size()); }
  [[nodiscard]] std::uint32_t count() const { return count_; }

 private:
  /// A name that is looked for.
  struct Key {
    Key(std::uint64_t seed, std::uint32_t owner, std::string_view id);

    std::string_view id;
    std::uint64_t last;  ///< of its bytes, at most eight
    std::uint32_t owner;
    std::uint32_t hash;
  };
  struct Name {
    std::array<char, kMaxIdBytes> bytes;
    std::uint8_t size;
    std::uint64_t last;
    std::uint32_t owner;
    bool lives;

    [[nodiscard]] std::string_view text() const { return {bytes.data(), size}; }
    [[nodiscard]] bool is(const Key& key) const;
  };
  /// A place of the hash table. The names are found by walking on from the place of their hash.
  struct Place {
    std::uint32_t hash;
    std::uint32_t slot_and_one;  ///< 0: nobody is here
  };

  /// The place of a name, or the free one where it would stand.
  [[nodiscard]] std::size_t find(const Key& key) const;
  void grow();

  std::uint64_t seed_;
  std::vector<Place> places_;  ///< a power of two of them, at most half of them taken
  std::vector<Name> names_;    ///< by slot
  std::vector<std::uint32_t> free_;
  std::uint32_t count_ = 0;
};

}  // namespace carveout::cli
