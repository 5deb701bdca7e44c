// Copying between memory of which some is not cached.
#pragma once

#include <cstddef>
#include <cstdint>

namespace carveout {

/// Copies bytes between places that do not overlap. Every access is aligned and at most a machine
/// word: memory that is not cached may be of a kind that faults on anything else. Words are moved
/// as words where both places lie alike within one.
inline void copy_words(std::byte* to, const std::byte* from, std::size_t size_bytes) {
  using Word [[gnu::may_alias]] = std::uintptr_t;  // stands for bytes of any type
  const auto at = reinterpret_cast<std::uintptr_t>(to);
  const bool alike = ((at ^ reinterpret_cast<std::uintptr_t>(from)) & (sizeof(Word) - 1)) == 0;
  std::size_t done = 0;
  // volatile: a compiler may not join accesses to wider ones, as it does in its own memcpy().
  const auto bytes_until = [&](std::size_t end) {
    for (; done < end; ++done) {
      *static_cast<volatile std::byte*>(to + done) =
          *static_cast<const volatile std::byte*>(from + done);
    }
  };
  if (alike) {
    const std::size_t head = (0 - at) & (sizeof(Word) - 1);
    bytes_until(head < size_bytes ? head : size_bytes);
    for (; size_bytes - done >= sizeof(Word); done += sizeof(Word)) {
      *static_cast<volatile Word*>(static_cast<void*>(to + done)) =
          *static_cast<const volatile Word*>(static_cast<const void*>(from + done));
    }
  }
  bytes_until(size_bytes);
}

}  // namespace carveout
