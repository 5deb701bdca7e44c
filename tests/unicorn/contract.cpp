#include "contract.hpp"

#include <cstddef>
#include <cstdint>

#include "board.hpp"
#include "device_side.hpp"
#include "tables.hpp"

namespace unicorn_board {
namespace {

using board::check_equal;

/// Three lines: maintenance has a first, a middle and a last one.
constexpr std::size_t kBytes = 96;

volatile std::uint32_t& cached(std::size_t offset) { return word_at(kSpare.base, offset); }
volatile std::uint32_t& uncached(std::size_t offset) { return word_at(kCoherent.base, offset); }
std::byte* spare() {
  return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(kSpare.base.raw()));
}

/// With one word of each line.
template <class Each>
void each_line(std::size_t line_bytes, Each each) {
  for (std::size_t at = 0; at < kBytes; at += line_bytes) each(at);
}

}  // namespace

void check_contract(carveout::PortRef port) {
  const std::size_t line = port.cache_line_bytes();

  each_line(line, [](std::size_t at) { cached(at) = 0x1000 + at; });
  port.clean(spare(), kBytes);
  each_line(line, [](std::size_t at) {
    check_equal(device_reads(kSpare.base, at), 0x1000 + at, "what was cleaned is in memory");
  });

  // Lines that are dirty would be written over what the device writes, and those that came in
  // before it wrote are old.
  each_line(line, [](std::size_t at) { cached(at) = 0xdead; });
  port.invalidate(spare(), kBytes);
  each_line(line, [](std::size_t at) { device_writes(kSpare.base, at, 0x2000 + at); });
  port.invalidate(spare(), kBytes);
  each_line(line, [](std::size_t at) {
    check_equal(cached(at), 0x2000 + at, "what was invalidated is read anew");
  });

  each_line(line, [](std::size_t at) { cached(at) = 0x3000 + at; });
  port.clean_invalidate(spare(), kBytes);
  each_line(line, [](std::size_t at) {
    check_equal(device_reads(kSpare.base, at), 0x3000 + at,
                "of both, what was cleaned is in memory");
    device_writes(kSpare.base, at, 0x4000 + at);
  });
  port.clean_invalidate(spare(), kBytes);
  each_line(line, [](std::size_t at) {
    check_equal(cached(at), 0x4000 + at, "and what was invalidated is read anew");
  });

  uncached(0) = 0x5000;
  uncached(64) = 0x5001;
  port.publish_barrier();
  check_equal(device_reads(kCoherent.base, 0), 0x5000, "what was published is there for a device");
  check_equal(device_reads(kCoherent.base, 64), 0x5001, "all of it");

  uncached(0) = 0x6000;
  uncached(64) = 0x6001;
  port.full_barrier();
  check_equal(device_reads(kCoherent.base, 0), 0x6000, "a full barrier publishes");

  // Data and then a flag. The CPU that sees the flag sees the data, with a barrier in between.
  device_writes(kCoherent.base, 0, 0x7000);
  device_writes(kCoherent.base, 64, 0x7001);
  check_equal(uncached(64), 0x7001, "the flag");
  port.observe_barrier();
  check_equal(uncached(0), 0x7000, "what is behind an observed flag is as new as the flag");

  device_writes(kCoherent.base, 0, 0x8000);
  device_writes(kCoherent.base, 64, 0x8001);
  check_equal(uncached(64), 0x8001, "the flag");
  port.full_barrier();
  check_equal(uncached(0), 0x8000, "a full barrier observes");
}

void check_uncached(carveout::PortRef port, PhysRange range) {
  word_at(range.base, 0) = 0x9000;
  port.publish_barrier();
  check_equal(device_reads(range.base, 0), 0x9000, "a region of the MPU is past the cache");
}

}  // namespace unicorn_board
