// What a request asks for besides its size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace carveout {

/// Attributes of one request, as Linux's DMA_ATTR_* mean them. A set: combine with `|`.
///
/// Attributes say what a caller can do without or insists on; they are looked at before any memory
/// is taken.
enum class Attributes : std::uint32_t {
  none = 0,
  /// The caller synchronises by itself: ordinary, cacheable memory will do, and no coherent pool
  /// is spent (Linux: NON_CONSISTENT, later dma_alloc_noncoherent).
  non_coherent = 1U << 0,
  /// The CPU will not touch the bytes: a device address and no pointer; not zeroed
  /// (Linux: NO_KERNEL_MAPPING).
  no_cpu_mapping = 1U << 1,
  /// The bytes may hold what an earlier owner left: skips zeroing.
  uninitialized = 1U << 2,
  /// Contiguous memory is wanted where ordinary memory serves (Linux: FORCE_CONTIGUOUS).
  force_contiguous = 1U << 3,
  /// Writes of the CPU may be gathered and reordered before the device sees them: a permission,
  /// which changes nothing where the uncached view does so anyway (Linux: WRITE_COMBINE).
  write_combine = 1U << 4,
  /// The memory need not lie in large pages: a hint to who maps pages, and so for an IOMMU (Linux:
  /// ALLOC_SINGLE_PAGES). Not with force_contiguous.
  single_pages = 1U << 5,
  /// The caller has seen to the caches, or will: no cache work at map and unmap. A bounce copy is
  /// still made (Linux: SKIP_CPU_SYNC). Of an allocation it says nothing.
  skip_cpu_sync = 1U << 6,
  /// A refusal is expected: the log does not hear of it (Linux: NO_WARN).
  no_warn = 1U << 7,
  /// For the device's privileged accesses only: an IOMMU's business (Linux: PRIVILEGED).
  privileged = 1U << 8,
  /// Refused rather than served by cache work or a copy (Linux 2026: REQUIRE_COHERENT). Not with
  /// non_coherent.
  require_coherent = 1U << 9,
};

[[nodiscard]] constexpr Attributes operator|(Attributes a, Attributes b) {
  return static_cast<Attributes>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}

/// Whether `set` has any of `wanted`.
[[nodiscard]] constexpr bool has(Attributes set, Attributes wanted) {
  return (static_cast<std::uint32_t>(set) & static_cast<std::uint32_t>(wanted)) != 0;
}

/// The attributes of a set that cannot be asked for together; none where nothing is wrong.
[[nodiscard]] constexpr Attributes contradiction_in(Attributes set) {
  constexpr Attributes kPairs[] = {Attributes::force_contiguous | Attributes::single_pages,
                                   Attributes::non_coherent | Attributes::require_coherent};
  for (const Attributes pair : kPairs) {
    const auto both = static_cast<std::uint32_t>(pair);
    if ((static_cast<std::uint32_t>(set) & both) == both) return pair;
  }
  return Attributes::none;
}

/// The name of one attribute, as it stands in the code.
[[nodiscard]] std::string_view name_of(Attributes attribute);

/// Whether the caller may be kept waiting. Says nothing about interrupts: pools serve both.
enum class Context : std::uint8_t {
  may_wait,       ///< reclaim, growth and an exact search of the pool are allowed
  must_not_wait,  ///< an interrupt, or a caller that holds a lock
};

/// Which of a device's own pools a request means: any of them, one by its place in
/// `memory-region`, or one by its name.
struct PoolChoice {
  std::optional<std::uint32_t> index = std::nullopt;
  std::string_view name = {};

  [[nodiscard]] constexpr bool any() const { return !index && name.empty(); }
};

/// What is wanted beyond a number of bytes; the defaults ask for nothing special. Alignment and
/// boundary hold for the device address, absolutely, and not only within the pool.
struct Options {
  std::uint64_t align_bytes = 1;     ///< a power of two; the pool's granule is kept in any case
  std::uint64_t boundary_bytes = 0;  ///< a power of two that the bytes must not cross; 0: none
  Attributes attributes = Attributes::none;
  Context context = Context::may_wait;
  PoolChoice pool = {};
};

}  // namespace carveout
