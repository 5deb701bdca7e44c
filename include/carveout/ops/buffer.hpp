// Owners over the verbs: memory that gives itself back.
#pragma once

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

namespace carveout {

/// What may live in memory that a device writes: any bit pattern must be a value that can be copied
/// and forgotten.
template <class T>
concept DeviceVisible = std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T> &&
                        std::is_trivially_default_constructible_v<T>;

/// Owns a block of coherent memory that holds one T, or for `T[]` a run of them. Move-only; gives
/// the block back when it ends. All zero at first.
///
/// The device must be quiet when the owner ends. Whoever releases the pool first is refused.
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

  [[nodiscard]] Element* get() const { return data(); }
  [[nodiscard]] Element* operator->() const
    requires(!std::is_array_v<T>)
  {
    return data();
  }
  [[nodiscard]] Element& operator*() const
    requires(!std::is_array_v<T>)
  {
    return *data();
  }
  [[nodiscard]] Element& operator[](std::size_t index) const
    requires(std::is_array_v<T>)
  {
    CARVEOUT_ASSERT(index < count_);
    return data()[index];
  }
  [[nodiscard]] std::span<Element> span() const { return {data(), count_}; }

  /// Takes the block out of the owner, which is empty afterwards: for code that frees by hand.
  [[nodiscard]] Block release() && {
    count_ = 0;
    return block_;
  }

 private:
  template <class U>
  friend Result<Coherent<U>> alloc_coherent(const Device& device, std::size_t count,
                                            Options options);

  Coherent(const Block& block, std::size_t count) : block_{block}, count_{count} {}

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
/// Fails like alloc_coherent(); a count whose bytes pass 2^64 is exhausted. Not with
/// Attributes::no_cpu_mapping, which leaves nothing to own a T in: refused as no_uncached_view.
template <class T>
[[nodiscard]] Result<Coherent<T>> alloc_coherent(const Device& device, std::size_t count,
                                                 Options options) {
  using Element = std::remove_extent_t<T>;
  const auto bytes = checked_multiply(count, sizeof(Element));
  if (!bytes) return refuse(Error::exhausted);
  if (has(options.attributes, Attributes::no_cpu_mapping)) return refuse(Error::no_uncached_view);
  if (options.align_bytes < alignof(Element)) {
    if (!is_power_of_two(options.align_bytes)) return refuse(Error::bad_alignment);
    options.align_bytes = alignof(Element);
  }
  auto block = alloc_coherent(device, *bytes, options);
  if (!block) return std::unexpected{block.error()};
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
