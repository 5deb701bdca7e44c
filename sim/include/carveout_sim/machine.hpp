// A machine on which a forgotten cache operation is wrong every time: RAM, CPUs with caches that
// nobody keeps coherent, and a bus on which other masters (DmaEngine) go past those caches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout/core/window.hpp"
#include "carveout/map/alias.hpp"
#include "carveout_sim/bus.hpp"
#include "carveout_sim/bus_side.hpp"
#include "carveout_sim/cache.hpp"
#include "carveout_sim/cpu.hpp"
#include "carveout_sim/fabric.hpp"

namespace carveout::sim {

/// A machine as data.
///
/// In the default no address of one space is an address of another: both physical ones lie over
/// 4 GiB and apart from each other, device addresses of kOddWindow lie under it, and pointers are
/// the host's. Whoever mixes them up reaches nothing.
struct MachineFacts {
  std::vector<Ram> ram = {{.size_bytes = 0x10'0000,
                           .cached = PhysAddr{0x3'5a00'0000},
                           .uncached = PhysAddr{0x7'1b40'0000}}};
  std::optional<CacheGeometry> cache = CacheGeometry{};  ///< nothing: a CPU without a data cache
  std::uint32_t cpus = 1;                                ///< each with a cache of its own
  /// How many stores past the cache may wait in each CPU's write buffer; 0: memory has them at
  /// once. A plain store through an uncached pointer never waits: the model does not see it.
  std::size_t write_buffer_stores = 0;
  /// How many writes to memory back a load past the cache may be satisfied; 0: loads keep their
  /// order. Only an adversary makes one early.
  std::size_t early_loads = 0;
};

/// Where a device sees the RAM of the default machine, as an entry of `dma-ranges` would state it.
inline constexpr Window kOddWindow{DmaAddr{0x4c80'0000}, PhysAddr{0x3'5a00'0000}, 0x10'0000};

/// The machine. Deterministic, and safe for several threads, whose accesses it takes one by one.
///
/// A pointer of the uncached view is the RAM itself and may be used plainly. A pointer of the
/// cached view is only an address: used with the functions below it goes through the cache, used
/// plainly it faults. An access to what is no whole part of one view throws std::out_of_range.
///
/// What it does by itself: cpu(n) is a CPU, and every function here that reads, writes or maintains
/// is the first one's.
class Machine final : public BusSide, private Hands {
 public:
  /// @throws std::invalid_argument  facts that no machine is like.
  explicit Machine(const MachineFacts& facts = {});
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() override;

  /// As at construction: RAM is zero, no cache holds a line, nothing waits, and the adversary is
  /// gone. Pointers, CPUs and engines stay good; a Checker forgets what lived, and goes on. Not
  /// while a transfer is in flight: it would go on.
  ///
  /// For searches of many runs, on RAM of a few pages: to write over that is cheaper than to have
  /// the host map memory for a new machine. Cost: linear in the size of RAM and caches.
  void reset();

  [[nodiscard]] Cpu& cpu(std::uint32_t index) { return cpus_.at(index); }

  /// The CPU's pointer to a physical range: by the very address given, past the cache where that
  /// address is an uncached one, else through it; nullptr where there is no RAM, or not one piece.
  [[nodiscard]] std::byte* cpu_view(PhysRange range) const;
  /// The pointer through the cache, also for RAM whose one address an MPU made uncached: what is
  /// read through it is what the CPU would see without the MPU.
  [[nodiscard]] std::byte* cached_view(PhysRange range) const {
    return fabric_.bus.cached_view(range);
  }

  /// The physical address that the CPU emits for bytes of one view; nothing for what is none.
  [[nodiscard]] std::optional<PhysAddr> phys_of(const std::byte* first,
                                                std::size_t size_bytes) const;

  /// What the CPU loads and stores, through whichever view the pointer belongs to.
  void read(const std::byte* from, std::span<std::byte> into) { first().read(from, into); }
  void write(std::byte* to, std::span<const std::byte> from) { first().write(to, from); }

  template <class T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] T load(const T* from) {
    return first().load(from);
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void store(T* to, const std::type_identity_t<T>& value) {
    first().store(to, value);
  }

  /// Maintenance of every line that the range touches. By physical address: a pointer of an
  /// uncached view works only where an MPU made one address uncached (Ram), and on a true alias
  /// throws std::invalid_argument, because there it would silently do nothing on hardware.
  void clean(const std::byte* at, std::size_t size_bytes) { first().clean(at, size_bytes); }
  void invalidate(const std::byte* at, std::size_t size_bytes) {
    first().invalidate(at, size_bytes);
  }
  void clean_invalidate(const std::byte* at, std::size_t size_bytes) {
    first().clean_invalidate(at, size_bytes);
  }

  /// What the cache has of the line that a pointer of the cached view lies in.
  [[nodiscard]] LineState line(const std::byte* at) const { return cpus_.front().line(at); }
  /// The longest line; 1 without a cache.
  [[nodiscard]] std::size_t line_bytes() const override;
  [[nodiscard]] const std::optional<Cache>& cache() const { return cpus_.front().cache(); }

  /// RAM itself, for a test to look at or to prepare: nobody is told. By physical address; both
  /// throw std::out_of_range, and move nothing, where is_ram() is false.
  [[nodiscard]] bool is_ram(PhysRange range) const override { return fabric_.bus.covers(range); }
  void bus_read(PhysAddr from, std::span<std::byte> into) const;
  void bus_write(PhysAddr to, std::span<const std::byte> from);

  /// What other bus masters do: see DmaEngine.
  void device_begins(Master master, PhysRange range) override;
  void device_read(Master master, Started started, PhysAddr from,
                   std::span<std::byte> into) override;
  void device_write(Master master, Started started, PhysAddr to,
                    std::span<const std::byte> from) override;
  void device_refused(Master master, DmaRange range, BusError error) override;

  void device_owns(PhysRange range, Direction direction) override;
  void cpu_owns(PhysRange range) override;

  void set_adversary(Watcher* adversary) override;
  void set_observer(Observer* observer) override;
  void forget(const Observer& observer) override;
  [[nodiscard]] Witness* witness() const override;

  /// RAM with both a cached and an uncached address, as a System wants to know it.
  [[nodiscard]] std::span<const Alias> aliases() const override { return aliases_; }
  [[nodiscard]] PhysAddr canonical(PhysAddr address) const override {
    return fabric_.bus.canonical(address);
  }
  [[nodiscard]] std::uint32_t cpus() const override;
  [[nodiscard]] bool keeps_stores() const override;
  [[nodiscard]] bool fetches_for_stores() const override;

 private:
  [[nodiscard]] Cpu& first() { return cpus_.front(); }

  bool act(const Action& action) override;
  [[nodiscard]] std::vector<PhysAddr> valid_lines(std::uint32_t cpu) const override;
  [[nodiscard]] std::vector<PhysAddr> dirty_lines(std::uint32_t cpu) const override;
  [[nodiscard]] std::vector<PhysRange> waiting(std::uint32_t cpu) const override;
  LineState in_cache(std::uint32_t cpu, PhysAddr line, std::span<std::byte> bytes) const override;
  bool in_ram(PhysAddr line, std::span<std::byte> bytes) const override;

  Fabric fabric_;
  std::deque<Cpu> cpus_;
  std::vector<Alias> aliases_;
};

}  // namespace carveout::sim
