// Containers over a device's memory, for programs that run under an operating system: std::pmr, and
// an allocator for everything else. What cannot be had is std::bad_alloc.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory_resource>
#include <new>
#include <optional>

#include "carveout/core/attributes.hpp"
#include "carveout/core/error.hpp"
#include "carveout/map/device.hpp"
#include "carveout/pool/pool.hpp"

namespace carveout::hosted {

/// The memory that a device is served, by its route, as a memory resource: every allocation is a
/// block. Nothing comes from the heap but the list of blocks, which a device cannot reach.
///
/// A container reads and writes plainly: it is for bulk data, and between Coherent's publish() and
/// observe() for as long as the device looks. What CPU and device write by turns belongs in a
/// Coherent<T> or a DescriptorRing. For memory that the CPU reaches without help of the port; on
/// the machine model that is the uncached view.
///
/// It outlives its containers, and the pools it. What was not given back is when it ends: the
/// device is quiet then. Not thread-safe, as std::pmr::unsynchronized_pool_resource is not.
class DeviceMemory final : public std::pmr::memory_resource {
 public:
  /// @param options  of every allocation; its alignment is at least the container's.
  explicit DeviceMemory(const Device& device, const Options& options = {})
      : device_{&device}, options_{options} {}
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  ~DeviceMemory() override;

  /// The device's address of a byte that a container has. Nothing for what is not of this memory.
  /// Cost: logarithmic in the blocks.
  [[nodiscard]] std::optional<DmaAddr> dma_of(const void* at) const;
  /// Why the last allocation was std::bad_alloc. Nothing where the heap had no room to list it.
  [[nodiscard]] const std::optional<Failure>& why() const { return why_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* at, std::size_t bytes, std::size_t alignment) override;
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }

  const Device* device_;
  Options options_;
  std::map<const std::byte*, Block, std::greater<>> blocks_;  ///< by their first bytes, last first
  std::optional<Failure> why_;
};

/// The same for containers that are not std::pmr: `std::vector<float, DeviceAllocator<float>>`. It
/// goes with the container in copies, moves and swaps.
template <class T>
class DeviceAllocator {
 public:
  using value_type = T;
  using propagate_on_container_copy_assignment = std::true_type;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;

  explicit(false) DeviceAllocator(DeviceMemory& memory) : memory_{&memory} {}  // {memory}
  template <class U>
  explicit(false) DeviceAllocator(const DeviceAllocator<U>& other) : memory_{&other.memory()} {}

  [[nodiscard]] T* allocate(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length{};
    return static_cast<T*>(memory_->allocate(count * sizeof(T), alignof(T)));
  }
  void deallocate(T* at, std::size_t count) {
    memory_->deallocate(at, count * sizeof(T), alignof(T));
  }
  [[nodiscard]] DeviceMemory& memory() const { return *memory_; }

  template <class U>
  bool operator==(const DeviceAllocator<U>& other) const {
    return memory_ == &other.memory();
  }

 private:
  DeviceMemory* memory_;
};

}  // namespace carveout::hosted
