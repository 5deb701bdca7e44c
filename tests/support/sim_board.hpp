// A modelled machine with a System on it: what tests of ops and setup run on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "carveout/ops/streaming.hpp"
#include "carveout/setup/system.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/host_port.hpp"
#include "carveout_sim/machine.hpp"
#include "tests/support/under_checker.hpp"

namespace carveout::test {

/// Where the default machine has its RAM.
inline constexpr PhysAddr kCachedRam{0x3'5a00'0000};
inline constexpr PhysAddr kUncachedRam{0x7'1b40'0000};
inline constexpr std::uint64_t kRamBytes = 0x10'0000;
inline constexpr DmaAddr kAnyAddress{~std::uint64_t{0}};
inline constexpr DmaAddr k32Bits{0xffff'ffff};

/// So many bytes of the RAM, by its cached address.
constexpr PhysRange ram(std::uint64_t offset, std::uint64_t size_bytes) {
  return {PhysAddr{kCachedRam.raw() + offset}, size_bytes};
}

/// The value, or an exception that says what was refused: for what a test takes for granted.
template <class T>
decltype(auto) must(Result<T>&& result) {
  if (!result) throw std::logic_error{"refused: " + std::string{name_of(result.error().code)}};
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// The code of a refusal; nothing where there was none.
template <class T>
std::optional<Error> error_of(const Result<T>& result) {
  return result ? std::nullopt : std::optional{result.error().code};
}

using Bytes = std::vector<std::byte>;

/// Bytes that differ from their neighbours and are never 0.
inline Bytes pattern(std::size_t count, unsigned seed = 1) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::byte>(1 + (seed * 37 + i * 11) % 251);
  }
  return bytes;
}

/// How a device of a SimBoard differs from the usual one.
struct DeviceFacts {
  std::vector<Window> windows = {sim::kOddWindow};
  DmaAddr mask = k32Bits;
  std::optional<bool> coherent = std::nullopt;
  bool behind_iommu = false;
  std::uint32_t numa_node = 0;
  StreamingLimits streaming = {};
  std::size_t quarantine_blocks = 0;
  std::span<const Role> fallback = {};  ///< outlives the board
};

class SimBoard {
 public:
  /// Changes what the platform says, before there is a System.
  using Adjust = void (*)(Platform&);

  explicit SimBoard(
      const sim::MachineFacts& facts = {}, Adjust adjust = [](Platform&) {})
      : machine{facts}, port{machine}, storage_(64 * 1024 / sizeof(std::uint64_t)) {
    Platform platform{.port = port, .aliases = machine.aliases()};
    adjust(platform);
    system = must(System::create(platform, std::as_writable_bytes(std::span{storage_})));
  }
  SimBoard(const SimBoard&) = delete;
  SimBoard& operator=(const SimBoard&) = delete;

  Pool& pool(std::string_view name, PhysRange range, Memory memory = Memory::coherent,
             std::uint64_t granule_bytes = 0, std::optional<TagStore> store = std::nullopt) {
    return *must(system->declare({.name = name,
                                  .memory = memory,
                                  .chunks = std::span{&range, 1},
                                  .granule_bytes = granule_bytes,
                                  .store = store}));
  }

  /// A pool that has a role of the board.
  Pool& default_pool(std::string_view name, PhysRange range, Role role = Role::default_pool) {
    Pool& made = pool(name, range, memory_for(role));
    must(system->set_default(role, made));
    return made;
  }

  Device& device(std::string_view name, const DeviceFacts& facts = {}) {
    return *must(system->add_device({.name = name,
                                     .coherent_mask = facts.mask,
                                     .translation = facts.windows.empty()
                                                        ? Translation::identity()
                                                        : Translation::through(facts.windows),
                                     .coherent = facts.coherent,
                                     .behind_iommu = facts.behind_iommu,
                                     .numa_node = facts.numa_node,
                                     .streaming = facts.streaming,
                                     .quarantine_blocks = facts.quarantine_blocks,
                                     .fallback = facts.fallback}));
  }

  /// The bus master that a device is.
  [[nodiscard]] sim::DmaEngine engine(const Device& device) {
    return {machine, device.translation, device.coherent_mask};
  }

  /// What RAM holds, caches not asked.
  [[nodiscard]] Bytes in_ram(PhysRange range) const {
    Bytes bytes(static_cast<std::size_t>(range.size_bytes));
    machine.bus_read(range.base, bytes);
    return bytes;
  }
  void put_in_ram(PhysAddr at, const Bytes& bytes) { machine.bus_write(at, bytes); }

  /// The pointer through the cache to memory of a block.
  [[nodiscard]] std::byte* twin(const Block& block) const {
    return block.pool->pointer(block, View::cached);
  }

  /// Memory that no pool has, as a program would map it: by its pointer through the cache.
  [[nodiscard]] CpuBytes cpu_bytes(PhysRange range) const {
    return {.cpu = machine.cached_view(range), .phys = range.base, .size_bytes = range.size_bytes};
  }
  /// What the CPU loads and stores.
  [[nodiscard]] Bytes load(const std::byte* at, std::size_t size_bytes) {
    Bytes bytes(size_bytes);
    machine.read(at, bytes);
    return bytes;
  }
  void store(std::byte* at, const Bytes& bytes) { machine.write(at, bytes); }

  /// Reads so much else through the cache that nothing of before is left in it.
  void push_everything_out_of_the_cache(PhysRange elsewhere) {
    Bytes bytes(static_cast<std::size_t>(elsewhere.size_bytes));
    machine.read(machine.cached_view(elsewhere), bytes);
  }

  sim::Machine machine;
  UnderChecker under_checker{machine};
  sim::HostPort port;
  System* system;

 private:
  std::vector<std::uint64_t> storage_;
};

}  // namespace carveout::test
