#include "carveout_sim/marked_lines.hpp"

#include "carveout/port/cache_lines.hpp"
#include "lines.hpp"

namespace carveout::sim {

std::optional<PhysRange> MarkedLines::find(PhysRange range, std::uint8_t marks) const {
  std::optional<PhysRange> found;
  for_each_line(range.base.raw(), range.size_bytes, line_bytes_, [&](std::uint64_t base) {
    const PhysRange here = range.intersection({PhysAddr{base}, line_bytes_});
    const auto line = lines_.find(base);
    if (line == lines_.end()) return;
    for (std::uint64_t at = here.base.raw(); at != here.base.raw() + here.size_bytes; ++at) {
      if ((line->second[static_cast<std::size_t>(at - base)] & marks) == 0) continue;
      if (!found) {
        found = PhysRange{PhysAddr{at}, 1};
      } else if (found->base.raw() + found->size_bytes == at) {
        ++found->size_bytes;
      }
    }
  });
  return found;
}

void MarkedLines::change(PhysRange range, std::uint8_t set, std::uint8_t clear) {
  for_each_line(range.base.raw(), range.size_bytes, line_bytes_, [&](std::uint64_t base) {
    auto line = lines_.find(base);
    if (line == lines_.end()) {
      if (set == 0) return;
      line = lines_.emplace(base, Line(line_bytes_)).first;
    }
    const PhysRange here = range.intersection({PhysAddr{base}, line_bytes_});
    const std::size_t first = bytes_between(PhysAddr{base}, here.base);
    for (std::size_t i = first; i != first + size_of(here); ++i) {
      std::uint8_t& marks = line->second[i];
      marks = static_cast<std::uint8_t>((marks & ~clear) | set);
    }
  });
}

void MarkedLines::device_wrote(PhysRange range, Which lines) {
  if (lines == Which::every) {
    change(range, kDeviceWrote, kLost);
    return;
  }
  change(range, 0, kLost);
  for_each_line(range.base.raw(), range.size_bytes, line_bytes_, [&](std::uint64_t base) {
    const PhysRange line{PhysAddr{base}, line_bytes_};
    if (find(line, kHeld)) change(range.intersection(line), kDeviceWrote, 0);
  });
}

void MarkedLines::invalidate(PhysRange lines) {
  for_each_line(lines.base.raw(), lines.size_bytes, line_bytes_, [&](std::uint64_t base) {
    const auto line = lines_.find(base);
    if (line == lines_.end()) return;
    for (std::uint8_t& marks : line->second) {
      if ((marks & kStored) != 0) marks |= kLost;
      marks &= kLost;
    }
  });
}

}  // namespace carveout::sim
