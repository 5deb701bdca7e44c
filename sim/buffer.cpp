#include "carveout_sim/buffer.hpp"

#include <algorithm>

#include "report_text.hpp"

namespace carveout::sim {

Buffer::Buffer(const MappingBook::Entry& entry)
    : range_{range_of(entry.bytes)},
      granted_{range_},
      serial_{entry.serial},
      device_{entry.call.device},
      made_{entry.made},
      direction_{entry.call.direction},
      where_{entry.call.where} {}

void Buffer::grant(std::uint64_t size_bytes) {
  granted_.size_bytes = std::max(size_bytes, range_.size_bytes);
}

bool Buffer::cpu_owns(PhysRange part) const { return is_block() || cpus_.contains(part); }

void Buffer::give_to_cpu(PhysRange part) { cpus_.add(range_.intersection(part)); }

void Buffer::note(std::uint64_t number, std::string_view what, PhysRange range) {
  if (!history_.empty() && history_.back().what == what) {
    Happening& last = history_.back();
    if (last.range.base.raw() + last.range.size_bytes == range.base.raw()) {
      last.range.size_bytes += range.size_bytes;
      return;
    }
  }
  if (history_.size() == kHistory) history_.erase(history_.begin());
  history_.push_back({number, std::string{what}, range});
}

bool Buffer::is_first(Mistake mistake) {
  const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(mistake);
  if ((told_ & bit) != 0) return false;
  told_ |= bit;
  return true;
}

std::string Buffer::text(std::string_view device) const {
  const std::string how = is_block() ? "allocated" : joined({"mapped ", name_of(direction_)});
  return joined({text_of(range_), ", ", how, " for ", device, " at ", text_of(where_)});
}

std::string_view Buffer::owner() const {
  if (cpu_owns(range_)) return "the CPU";
  return cpus_.empty() ? "the device" : "the device, but for a part that is the CPU's";
}

}  // namespace carveout::sim
