// Owners over the verbs: memory that gives itself back.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "carveout/core/assert.hpp"
#include "carveout/core/attributes.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/size.hpp"
#include "carveout/map/device.hpp"
#include "carveout/ops/coherent.hpp"
#include "carveout/ops/quarantine.hpp"
#include "carveout/ops/refusal.hpp"

namespace carveout {

/// What may live in memory that a device writes: bytes that can be copied and forgotten. Of its
/// members every bit pattern must be a value, which no compiler checks: a device may write a bool
/// of 2.
template <class T>
concept DeviceVisible = std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T> &&
                        std::is_trivially_default_constructible_v<T> && !std::is_pointer_v<T> &&
                        !std::is_same_v<T, bool>;

namespace detail {

/// The widest machine word in whose multiples a type is laid out. May alias, because it stands for
/// the bytes of any type.
template <std::size_t align>
struct WordOf {
  using Type [[gnu::may_alias]] = std::uint8_t;
};
template <>
struct WordOf<2> {
  using Type [[gnu::may_alias]] = std::uint16_t;
};
template <>
struct WordOf<4> {
  using Type [[gnu::may_alias]] = std::uint32_t;
};
template <>
struct WordOf<8> {
  using Type [[gnu::may_alias]] = std::uint64_t;
};

/// Bytes of the widest machine word that a T can be read by.
template <class T>
inline constexpr std::size_t kWordBytes = std::min(alignof(T), sizeof(std::uintptr_t));

/// Reads and writes the bytes of a T from `first` up to `end`, in words of `word_bytes`, each
/// exactly once and in rising order.
template <std::size_t word_bytes, class T>
void copy_once(T* to, const T* from, std::size_t first = 0, std::size_t end = sizeof(T)) {
  using Word = typename WordOf<word_bytes>::Type;
  auto* const out = static_cast<volatile Word*>(static_cast<void*>(to));
  const auto* const in = static_cast<const volatile Word*>(static_cast<const void*>(from));
  for (std::size_t i = first / word_bytes; i < end / word_bytes; ++i) out[i] = in[i];
}

}  // namespace detail

/// Owns a block of coherent memory that holds one T, or for `T[]` a run of them. Move-only; gives
/// the block back when it ends. All zero at first, but under Attributes::uninitialized.
///
/// There is no reference into the memory, because a compiler may read or write a plain T as often
/// and in whatever order it likes while the device looks on: elements are loaded and stored whole.
/// The device must be quiet when the owner ends; who does not know that calls quarantine(). Whoever
/// releases the pool first is refused.
template <class T>
class Coherent {
 public:
  using Element = std::remove_extent_t<T>;
  static_assert(DeviceVisible<Element>,
                "coherent memory holds plain data: a device writes it behind the type's back");

  Coherent(Coherent&& other) noexcept
      : block_{other.block_}, count_{std::exchange(other.count_, 0)} {}
  Coherent& operator=(Coherent&& other) noexcept {
    if (this != &other) {
      give_back();
      block_ = other.block_;
      count_ = std::exchange(other.count_, 0);
    }
    return *this;
  }
  Coherent(const Coherent&) = delete;
  Coherent& operator=(const Coherent&) = delete;
  ~Coherent() { give_back(); }

  /// The device's address of the first byte.
  [[nodiscard]] DmaAddr dma() const { return block_.dma; }
  /// How many elements.
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] const Block& block() const { return block_; }

  /// A copy of an element, each machine word of it read once. What the device wrote after a flag in
  /// it was set is not ordered behind the flag: observe() first.
  [[nodiscard]] Element load(std::size_t index = 0) const {
    CARVEOUT_ASSERT(index < count_);
    Element value;
    detail::copy_once<detail::kWordBytes<Element>>(&value, data() + index);
    return value;
  }

  /// Writes an element, each machine word of it once, the lowest first. Words of one element may
  /// reach the device apart: hand it over by a store of its own, after publish().
  void store(std::size_t index, const Element& value) const
    requires(std::is_array_v<T>)
  {
    put(index, value);
  }
  void store(const Element& value) const
    requires(!std::is_array_v<T>)
  {
    put(0, value);
  }

  /// What was stored before is there for the device before anything that is stored later: between
  /// data and ownership flag, and before the doorbell.
  void publish() const { block_.pool->port().publish_barrier(); }
  /// What is loaded later was not read before what was loaded earlier: between flag and data.
  void observe() const { block_.pool->port().observe_barrier(); }

  /// The memory itself, for bulk data while the device does not look: nothing orders these accesses
  /// but publish() and observe().
  [[nodiscard]] std::span<Element> plain() const { return {data(), count_}; }

  /// Takes the block out of the owner, which is empty afterwards: for code that frees by hand.
  [[nodiscard]] Block release() && {
    count_ = 0;
    return block_;
  }

  /// Gives the block up while the device may still write it: see carveout::quarantine(), whose
  /// failures leave the owner as it is.
  Result<void> quarantine(const Device& device) && {
    CARVEOUT_ASSERT(count_ != 0);
    auto kept = carveout::quarantine(device, block_);
    if (kept) count_ = 0;
    return kept;
  }

 private:
  template <class U>
  friend Result<Coherent<U>> alloc_coherent(const Device& device, std::size_t count,
                                            Options options);

  Coherent(const Block& block, std::size_t count) : block_{block}, count_{count} {}

  void put(std::size_t index, const Element& value) const {
    CARVEOUT_ASSERT(index < count_);
    detail::copy_once<detail::kWordBytes<Element>>(data() + index, &value);
  }

  [[nodiscard]] Element* data() const {
    return std::launder(static_cast<Element*>(static_cast<void*>(block_.cpu)));
  }

  void give_back() {
    if (count_ == 0) return;
    count_ = 0;
    const auto freed = free_coherent(block_);
    CARVEOUT_ASSERT(freed.has_value());  // the owner is the only holder, unless the block was
                                         // copied out and freed
  }

  Block block_;
  std::size_t count_;  // 0: moved from
};

/// Allocates and owns: alloc_coherent<Descriptor[]>(device, 16, {.align_bytes = 4096}).
///
/// @param count  elements; 1 or more.
/// Fails like alloc_coherent(); a count whose bytes pass 2^64 is size_overflow. Attributes that
/// leave no coherent memory to own a T in, non_coherent and no_cpu_mapping, are refused as
/// no_uncached_view. An alignment over the granule that the windows move away from the CPU's own
/// addresses, where T needs it, is bad_alignment.
template <class T>
[[nodiscard]] Result<Coherent<T>> alloc_coherent(const Device& device, std::size_t count,
                                                 Options options) {
  using Element = std::remove_extent_t<T>;
  const auto refuse_it = [&](const Failure& failure) {
    return refused(device, options.attributes, failure);
  };
  const auto bytes = checked_multiply(count, sizeof(Element));
  if (!bytes) return refuse_it({.code = Error::size_overflow});
  if (has(options.attributes, Attributes::no_cpu_mapping | Attributes::non_coherent))
    return refuse_it({.code = Error::no_uncached_view});
  if (options.align_bytes < alignof(Element)) {
    if (!is_power_of_two(options.align_bytes)) {
      return refuse_it(
          {.code = Error::bad_alignment, .asked_bytes = *bytes, .stated = options.align_bytes});
    }
    options.align_bytes = alignof(Element);
  }
  auto block = alloc_coherent(device, *bytes, options);
  if (!block) return std::unexpected{block.error()};
  if (reinterpret_cast<std::uintptr_t>(block->cpu) % alignof(Element) != 0) {
    // The alignment asked for holds for the device; a bus offset can leave the CPU without it.
    const auto freed = free_coherent(*block);
    CARVEOUT_ASSERT(freed.has_value());
    return refuse_it({.code = Error::bad_alignment, .pool = block->pool->name()});
  }
  return Coherent<T>{*block, count};
}

/// One T.
template <class T>
  requires(!std::is_array_v<T>)
[[nodiscard]] Result<Coherent<T>> alloc_coherent(const Device& device) {
  return alloc_coherent<T>(device, 1, Options{});
}
template <class T>
  requires(std::is_array_v<T>)
[[nodiscard]] Result<Coherent<T>> alloc_coherent(const Device& device, std::size_t count) {
  return alloc_coherent<T>(device, count, Options{});
}

}  // namespace carveout
