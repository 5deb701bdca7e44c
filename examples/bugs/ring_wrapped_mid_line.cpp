// A period of samples wraps in the middle of a line, and is cleaned as if it did not: lines behind
// the ring are, and those at its start are not.
//
// Public: thesofproject/sof#715, "doesn't take into account the possible circular wrap".
#include "bug.hpp"

namespace bugs {
namespace {

constexpr std::size_t kRing = 3 * kLine;
constexpr std::size_t kPeriod = kLine;
constexpr std::size_t kFirst = kRing - kLine / 2;  // of this period: half of it fits

template <Version version>
bool play(Board& board) {
  auto* const ring = board.cached<std::byte>();
  const std::size_t to_end = kRing - kFirst;
  board.fill(ring + kFirst, to_end, std::byte{1});
  board.fill(ring, kPeriod - to_end, std::byte{1});
  const std::size_t cleaned = version == Version::right ? to_end : kPeriod;
  board.dcache_clean(ring + kFirst, cleaned);
  board.dcache_clean(ring, kPeriod - cleaned);
  board.start_send(ring + kFirst, to_end);
  board.start_send(ring, kPeriod - to_end);
  return board.sent() == std::vector(kPeriod, std::byte{1});
}

}  // namespace

constinit const Bug ring_wrapped_mid_line{"ring_wrapped_mid_line",
                                          sim::Mistake::missing_sync_before_device_reads,
                                          play<Version::wrong>, play<Version::right>};

}  // namespace bugs
