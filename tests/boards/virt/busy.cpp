// What becomes of memory that the CPU wants back while the device still writes it: no call can know
// that a device is busy, so bytes that are taken back too early are not there yet and are written
// over later, and what is given up instead is kept from everybody else.
#include "busy.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "board.hpp"
#include "carveout/ops/buffer.hpp"
#include "carveout/ops/quarantine.hpp"
#include "carveout/ops/stream_buffer.hpp"
#include "carveout/ops/streaming.hpp"
#include "copy_bench.hpp"

namespace virt {
namespace {

using namespace carveout;
using board::check;
using board::check_refused;
using board::fail;

// Negative twins: everything is the same, but coherent memory that a busy device writes is given
// back, or lent memory is unmapped.
#ifdef VIRT_FREES_WHILE_BUSY
constexpr bool kFreesWhileBusy = true;
#else
constexpr bool kFreesWhileBusy = false;
#endif
#ifdef VIRT_UNMAPS_WHILE_BUSY
constexpr bool kUnmapsWhileBusy = true;
#else
constexpr bool kUnmapsWhileBusy = false;
#endif

constexpr std::uint32_t kLength = Edu::kMostBytes;
constexpr std::byte kOwners{0x77};

bool all_owners(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == kOwners; });
}
bool all_written(std::span<const std::byte> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != board::source_byte(i)) return false;
  }
  return true;
}

/// A buffer is the CPU's from unmap() on, where the device was waited for.
void check_unmap(Edu& edu, const Device& device, std::span<std::byte> buffer) {
  board::write("     a lent buffer");
  std::ranges::fill(buffer, board::kUntouched);
  const auto bytes = bytes_at(device, buffer.data(), buffer.size());
  if (!bytes) return fail(bytes.error(), "the port says where the buffer lies");
  const auto mapped = map(device, *bytes, Direction::from_device);
  if (!mapped) return fail(mapped.error(), "it is lent for the device to write");
  edu.start_write(mapped->dma, kLength);
  check(edu.busy(), "the device is busy");
  if (!kUnmapsWhileBusy) check(edu.wait(), "it is waited for");
  check(unmap(device, *mapped).has_value(), "unmap cannot know whether the device is quiet");
  check(all_written(buffer), "what the device wrote is there from unmap on");
  std::ranges::fill(buffer, kOwners);
  if (kUnmapsWhileBusy) check(edu.busy(), "the device is still busy when the CPU has written");
  check(edu.wait(), "the device is quiet");
  check(all_owners(buffer), "what the CPU writes after unmap stays");
}

/// A driver gave up memory while the device writes it: nobody else gets it until it is quiet.
///
/// @param written  that memory, kLength bytes, by an address that its owner no longer has.
void check_kept(Edu& edu, const Device& device, Pool& pool, std::span<const std::byte> written) {
  // Everything else that there is goes to other owners.
  auto others = alloc_coherent<std::byte[]>(device, pool.usage().largest_run_bytes);
  if (!others) return fail(others.error(), "the rest of the pool");
  std::ranges::fill(others->plain(), kOwners);
  check(edu.busy(), "the device is still busy when the rest of the pool has owners");
  check(edu.wait(), "then it is done");
  check(all_owners(others->plain()), "the other owners' bytes are as they wrote them");
  check(all_written(written), "the device wrote what was given up");
  check_refused(alloc_coherent(device, kLength), Error::exhausted, "which nobody has been given");
  check(quiesced(device).has_value(), "the driver says that the device is quiet");
  const auto again = alloc_coherent(device, kLength);
  check(again && free_coherent(*again).has_value(), "and the memory is there again");
}

void check_coherent_given_up(Edu& edu, const Device& device, Pool& pool) {
  board::write("     a coherent block that is given up");
  auto block = alloc_coherent<std::byte[]>(device, kLength);
  if (!block) return fail(block.error(), "a block for the device to write");
  const auto written = block->plain();
  edu.start_write(block->dma(), kLength);
  check(edu.busy(), "the device is busy");
  if (kFreesWhileBusy) {
    check(free_coherent(std::move(*block).release()).has_value(), "its memory is given back");
  } else {
    check(std::move(*block).quarantine(device).has_value(), "its memory is given up");
  }
  check_kept(edu, device, pool, written);
}

/// The end of a Mapping that nobody finished is no unmap().
void check_mapping_given_up(Edu& edu, const Device& device, Pool& pool) {
  board::write("     a mapping that is given up");
  auto buffer = alloc_stream(device, kLength);
  if (!buffer) return fail(buffer.error(), "a buffer for the device to write");
  const auto written = buffer->bytes();
  {
    auto mapping = map<Direction::from_device>(device, std::move(*buffer));
    if (!mapping) return fail(mapping.error(), "it is lent");
    edu.start_write(mapping->dma(), kLength);
    check(edu.busy(), "the device is busy");
    if (kUnmapsWhileBusy) const StreamBuffer freed = std::move(*mapping).finish();
  }
  check_kept(edu, device, pool, written);
}

}  // namespace

void check_busy(Edu& edu, const Device& device, Pool& pool, std::span<std::byte> buffer) {
  check_unmap(edu, device, buffer.first(kLength));
  check_coherent_given_up(edu, device, pool);
  check_mapping_given_up(edu, device, pool);
}

}  // namespace virt
