// What the checker knows of one buffer, beside the book's entry: whose bytes it is made of now, and
// what happened to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "carveout/check/mapping_book.hpp"
#include "carveout/core/address.hpp"
#include "carveout/core/direction.hpp"
#include "carveout_sim/mistake.hpp"
#include "carveout_sim/observer.hpp"
#include "carveout_sim/range_set.hpp"
#include "carveout_sim/report.hpp"

namespace carveout::sim {

class Buffer {
 public:
  static constexpr std::size_t kHistory = 8;

  Buffer() = default;
  explicit Buffer(const MappingBook::Entry& entry);

  [[nodiscard]] bool is_of(const MappingBook::Entry& entry) const {
    return serial_ == entry.serial;
  }
  [[nodiscard]] PhysRange range() const { return range_; }
  [[nodiscard]] Master device() const { return device_; }
  [[nodiscard]] Direction direction() const { return direction_; }
  [[nodiscard]] bool is_block() const { return made_ == MappingBook::Made::by_alloc; }
  [[nodiscard]] bool is_mapped() const { return !is_block(); }

  /// What a block has more than was asked for is nobody's.
  [[nodiscard]] PhysRange granted() const { return granted_; }
  void grant(std::uint64_t size_bytes);

  /// Who owns the bytes of a mapping: the device, but for what a sync gave to the CPU.
  [[nodiscard]] bool cpu_owns(PhysRange part) const;
  void give_to_cpu(PhysRange part);
  void give_to_device(PhysRange part) { cpus_.remove(part); }

  void note(std::uint64_t number, std::string_view what, PhysRange range);
  [[nodiscard]] const std::vector<Happening>& history() const { return history_; }

  /// Whether a mistake is the first of its kind in the buffer's life.
  [[nodiscard]] bool is_first(Mistake mistake);
  /// Which it is: "0x35a000000 (64 bytes), mapped from_device for "eth" at send.cpp:12 (send)".
  /// @param device  its name, as it is to be told.
  [[nodiscard]] std::string text(std::string_view device) const;
  /// Whose it is, in words, while it lives.
  [[nodiscard]] std::string_view owner() const;

 private:
  PhysRange range_{PhysAddr{0}, 0};
  PhysRange granted_{PhysAddr{0}, 0};
  std::uint32_t serial_ = 0;
  Master device_ = kAnyMaster;
  MappingBook::Made made_ = MappingBook::Made::by_map;
  Direction direction_ = Direction::to_device;
  MappingBook::Where where_;
  RangeSet cpus_;
  std::vector<Happening> history_;
  std::uint64_t told_ = 0;  ///< a bit for each Mistake
};
static_assert(kMistakes <= 64);

[[nodiscard]] constexpr PhysRange range_of(const MappingBook::Bytes& bytes) {
  return {PhysAddr{bytes.at}, bytes.size_bytes};
}

}  // namespace carveout::sim
