// The book of mappings on the target, told from around the library's own verbs: what is right is
// silent, and one buffer is unmapped twice and synced afterwards.
#include <array>
#include <cstddef>
#include <cstdint>

#include "board.hpp"
#include "carveout/check/mapping_book.hpp"
#include "carveout/ops/streaming.hpp"
#include "checks.hpp"

namespace an500 {
namespace {

using namespace carveout;
using board::check;
using board::check_equal;

struct Told {
  std::size_t reports = 0;
  Mistake mistake{};
  std::uint32_t line = 0;  ///< of the call that mapped the buffer
};

std::array<MappingBook::Entry, 8> table;
Told told;
MappingBook book{table,
                 {.callback =
                      [](void* to, const MappingBook::Report& report) {
                        Told& of = *static_cast<Told*>(to);
                        ++of.reports;
                        of.mistake = report.mistake;
                        if (report.entry != nullptr) of.line = report.entry->call.where.line();
                      },
                  .context = &told,
                  .line_bytes = 32}};

/// A driver's two functions.
Result<MappedBytes> map_told(const Device& device, const CpuBytes& bytes, Direction direction,
                             MappingBook::Where where = MappingBook::Where::current()) {
  const auto mapped = map(device, bytes, direction);
  const MappingBook::Bytes at{reinterpret_cast<std::uintptr_t>(bytes.cpu),
                              static_cast<std::size_t>(bytes.size_bytes)};
  if (mapped) book.map(at, {.device = device.id, .direction = direction, .where = where});
  return mapped;
}

Result<void> unmap_told(const Device& device, const MappedBytes& mapped,
                        MappingBook::Where where = MappingBook::Where::current()) {
  const MappingBook::Bytes at{reinterpret_cast<std::uintptr_t>(mapped.bytes.cpu),
                              static_cast<std::size_t>(mapped.bytes.size_bytes)};
  book.unmap(at, {.device = device.id, .direction = mapped.direction, .where = where});
  return unmap(device, mapped);
}

alignas(32) std::array<std::byte, 64> packet;

}  // namespace

void check_book(const Device& device) {
  const CpuBytes bytes{.cpu = packet.data(),
                       .phys = PhysAddr{reinterpret_cast<std::uintptr_t>(packet.data())},
                       .size_bytes = packet.size()};
  const std::uint32_t line = MappingBook::Where::current().line() + 1;
  const auto mapped = map_told(device, bytes, Direction::from_device);
  if (!mapped) return board::fail(mapped.error(), "a packet is mapped");
  check(unmap_told(device, *mapped).has_value(), "and unmapped");
  check_equal(told.reports, 0, "the book has nothing to say of that");
  check(unmap_told(device, *mapped).has_value(), "of a second unmap the library cannot know");
  check_equal(told.reports, 1, "the book says it");
  check(told.mistake == Mistake::double_unmap, "by its name");
  check_equal(told.line, line, "and where the packet was mapped");
  book.detach({.device = device.id});
  check_equal(told.reports, 1, "nothing is leaked");
}

}  // namespace an500
