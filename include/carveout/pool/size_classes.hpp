// The lengths of free runs, sorted into classes: sixteen to each power of two, exact up to sixteen
// granules.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace carveout {

/// Where runs of a length are kept, and from which class on every run is that long. Constant time,
/// without a branch on the length.
///
/// A length n is biased to m = n + 15; its class is made of the position of m's highest bit and of
/// the four bits behind that.
struct SizeClass {
  static constexpr unsigned kPerOctave = 16;
  static constexpr unsigned kOctaves = 27;
  static constexpr unsigned kCount = kPerOctave * kOctaves;
  static constexpr std::uint32_t kBias = kPerOctave - 1;
  /// The longest run that has a class.
  static constexpr std::uint32_t kMost = (std::uint32_t{1} << 31) - 1 - kBias;

  unsigned floor;  ///< the class of runs of this length
  unsigned ceil;   ///< the first class that has no shorter run; kCount where there is none

  /// @param granules  1 up to kMost.
  [[nodiscard]] static constexpr SizeClass of(std::uint32_t granules) {
    const std::uint32_t biased = granules + kBias;
    // The position of the highest bit, in the form that costs one instruction.
    const unsigned octave = (static_cast<unsigned>(std::countl_zero(biased)) ^ 31U) - 4;
    const unsigned floor = octave * kPerOctave + (biased >> octave) - kPerOctave;
    const bool between = (biased & ((std::uint32_t{1} << octave) - 1)) != 0;
    return {floor, floor + unsigned{between}};
  }
};

/// Which classes have a run: a bit for each, and a bit for each octave that has one.
class ClassMap {
 public:
  [[nodiscard]] static constexpr std::size_t octave_of(unsigned size_class) {
    return size_class / SizeClass::kPerOctave;
  }

  constexpr void set(unsigned size_class) {
    const std::size_t octave = octave_of(size_class);
    classes_[octave] = static_cast<std::uint16_t>(classes_[octave] | bit_of(size_class));
    octaves_ |= std::uint32_t{1} << octave;
  }

  constexpr void clear(unsigned size_class) {
    const std::size_t octave = octave_of(size_class);
    const auto left = static_cast<std::uint16_t>(classes_[octave] & ~bit_of(size_class));
    classes_[octave] = left;
    if (left == 0) octaves_ &= ~(std::uint32_t{1} << octave);
  }

  /// Whether a class from `from` on has a run; `found` is then the first.
  ///
  /// @param from  at most SizeClass::kCount.
  [[nodiscard]] constexpr bool first_from(unsigned from, unsigned& found) const {
    std::size_t octave = octave_of(from);
    std::uint32_t classes =
        classes_[octave] & (~std::uint32_t{0} << (from % SizeClass::kPerOctave));
    if (classes == 0) {
      const std::uint32_t octaves = octaves_ & (~std::uint32_t{1} << octave);
      if (octaves == 0) return false;
      octave = static_cast<std::size_t>(std::countr_zero(octaves));
      classes = classes_[octave];
    }
    found = static_cast<unsigned>(octave) * SizeClass::kPerOctave +
            static_cast<unsigned>(std::countr_zero(classes));
    return true;
  }

  /// The same for a class of the first octave, whose runs all have one length.
  [[nodiscard]] constexpr bool first_from_exact(unsigned from, unsigned& found) const {
    const std::uint32_t classes = classes_[0] & (~std::uint32_t{0} << from);
    if (classes == 0) return first_from(SizeClass::kPerOctave, found);
    found = static_cast<unsigned>(std::countr_zero(classes));
    return true;
  }

  /// The last class that has a run; SizeClass::kCount where none has.
  [[nodiscard]] constexpr unsigned last() const {
    if (octaves_ == 0) return SizeClass::kCount;
    const auto octave = static_cast<unsigned>(std::bit_width(octaves_)) - 1;
    return octave * SizeClass::kPerOctave +
           static_cast<unsigned>(std::bit_width(unsigned{classes_[octave]})) - 1;
  }

  constexpr bool operator==(const ClassMap&) const = default;

 private:
  static constexpr std::uint32_t bit_of(unsigned size_class) {
    return std::uint32_t{1} << (size_class % SizeClass::kPerOctave);
  }

  std::uint32_t octaves_ = 0;
  /// One octave more than there are classes, always empty: first_from(kCount) reads it.
  std::array<std::uint16_t, SizeClass::kOctaves + 1> classes_{};
};

}  // namespace carveout
