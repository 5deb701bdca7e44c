// What is the same in the ports of processors that maintain their caches by an instruction for each
// line: the walk, and a lock that masks interrupts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "carveout/port/cache_lines.hpp"
#include "carveout/port/port.hpp"

namespace carveout::ports {

/// The two sizes that maintenance by address turns on.
struct DataLines {
  std::size_t granule_bytes;  ///< how much one write-back may overwrite: no two owners may share it
  std::size_t step_bytes;     ///< the shortest line, which no walk may step over

  constexpr bool operator==(const DataLines&) const = default;
};

/// Of a processor without a data cache, or one whose caches see what devices do: nothing is walked.
inline constexpr DataLines kNoDataCache{.granule_bytes = 1, .step_bytes = 1};

/// The part of a port that its architecture has no say in.
///
/// @tparam P  the port. It derives from this, and has before_lines() and after_lines(): the
///            barriers that the architecture wants around a walk.
/// @tparam R  the processor's instructions, one function each: clean_line(address),
///            invalidate_line(address), clean_invalidate_line(address), mask_interrupts() and
///            restore_interrupts(state).
template <class P, class R>
class LinePort {
 public:
  [[nodiscard]] std::size_t cache_line_bytes() noexcept { return lines_.granule_bytes; }

  void clean(std::byte* at, std::size_t size_bytes) noexcept {
    each_line(at, size_bytes, [&](std::uintptr_t line) { registers_.clean_line(line); });
  }
  void invalidate(std::byte* at, std::size_t size_bytes) noexcept {
    each_line(at, size_bytes, [&](std::uintptr_t line) { registers_.invalidate_line(line); });
  }
  void clean_invalidate(std::byte* at, std::size_t size_bytes) noexcept {
    each_line(at, size_bytes, [&](std::uintptr_t line) { registers_.clean_invalidate_line(line); });
  }

  [[nodiscard]] LockState lock(LockWord&) noexcept { return registers_.mask_interrupts(); }
  void unlock(LockWord&, LockState state) noexcept { registers_.restore_interrupts(state); }

 protected:
  LinePort(R registers, DataLines lines) noexcept : registers_{registers}, lines_{lines} {}

  [[nodiscard]] R& registers() noexcept { return registers_; }

 private:
  template <class Operation>
  void each_line(std::byte* at, std::size_t size_bytes, Operation operation) noexcept {
    auto& port = static_cast<P&>(*this);
    port.before_lines();
    if (lines_ == kNoDataCache) return;
    for_each_line(reinterpret_cast<std::uintptr_t>(at), size_bytes, lines_.step_bytes, operation);
    port.after_lines();
  }

  [[no_unique_address]] R registers_;
  DataLines lines_;
};

}  // namespace carveout::ports
