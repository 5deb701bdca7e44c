// What the ten drivers run on: the calls of a board support package, made of the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "carveout/core/direction.hpp"
#include "carveout_sim/adversary.hpp"
#include "carveout_sim/checker.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/machine.hpp"

namespace bugs {

namespace sim = carveout::sim;
using carveout::Direction;

inline constexpr std::size_t kLine = 32;  ///< a cache line, as a Cortex-M7 has
inline constexpr std::size_t kPacket = 2 * kLine;
inline constexpr std::byte kReceived{0x42};  ///< the device writes nothing else

/// What the device fetches to know what to send.
struct Descriptor {
  std::uint32_t address;
  std::uint32_t length;
};

/// RAM, one CPU with a cache and a write buffer, one DMA engine. Nothing lies behind the pointers
/// that it gives: a driver loads and stores through the board.
class Board {
 public:
  [[nodiscard]] static sim::MachineFacts facts();
  /// Resets the machine, which has those facts and may have served another board.
  Board(sim::Machine& machine, sim::Adversary& adversary, sim::Checker::Callback on_report);

  /// RAM, which is zero, through the cache and past it: the same bytes at the same offset.
  template <class T>
  [[nodiscard]] T* cached(std::size_t offset = 0) {
    return reinterpret_cast<T*>(cached_ + offset);
  }
  template <class T>
  [[nodiscard]] T* uncached(std::size_t offset = 0) {
    return reinterpret_cast<T*>(uncached_ + offset);
  }
  /// A variable of a function: not at the beginning of a line, as the compiler lays it.
  template <class T>
  [[nodiscard]] T* on_stack() {
    return cached<T>(kStack + 8);
  }

  template <class T>
  [[nodiscard]] T load(const T* from) {
    return machine_.load(from);
  }
  template <class T>
  void store(T* to, const std::type_identity_t<T>& value) {
    machine_.store(to, value);
  }
  void fill(void* to, std::size_t size_bytes, std::byte value);

  void dcache_clean(const void* at, std::size_t size_bytes);
  void dcache_invalidate(const void* at, std::size_t size_bytes);
  void dcache_clean_invalidate(const void* at, std::size_t size_bytes);
  void barrier() { machine_.cpu(0).full_barrier(); }

  /// Memory of the device past the cache, and cache work by direction, as by the calls of these
  /// names in Linux. The checker hears of them.
  [[nodiscard]] std::byte* dma_alloc(std::size_t size_bytes);
  void dma_map(void* at, std::size_t size_bytes, Direction direction);
  void dma_unmap(void* at, std::size_t size_bytes, Direction direction);
  [[nodiscard]] std::uint32_t dma_address(const void* at);

  /// The device begins to write. It does so while the driver waits: what the CPU does in between
  /// happens in the middle of the transfer.
  void start_receive(void* into, std::size_t size_bytes);
  void wait();
  /// The device reads the descriptor, and then what that tells it to send.
  void doorbell(const Descriptor* descriptor);
  /// The device reads so many bytes, to send them.
  void start_send(const void* from, std::size_t size_bytes);

  /// Whether the CPU loads from a buffer what the device received.
  [[nodiscard]] bool sees_received(const void* at, std::size_t size_bytes);
  [[nodiscard]] const std::vector<std::byte>& sent() const { return sent_; }
  [[nodiscard]] const sim::Checker& checker() const { return checker_; }

 private:
  [[nodiscard]] carveout::PhysRange phys(const void* at, std::size_t size_bytes) const;
  [[nodiscard]] sim::DmaEngine device();
  /// The device as one whose mappings the checker knows, from now on.
  [[nodiscard]] sim::Master known();

  static constexpr std::size_t kStack = 0xc00;
  static constexpr std::size_t kStackBytes = 0x400;

  sim::Machine& machine_;
  sim::Checker checker_;
  std::byte* cached_;
  std::byte* uncached_;
  sim::Master master_ = sim::kAnyMaster;
  std::optional<sim::InFlight> receiving_;
  std::vector<std::byte> sent_;
};

}  // namespace bugs
