// A machine for code that uses plain pointers: a driver as it is, with caches that are not coherent
// and buffers that the CPU cannot touch while a device has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout/map/alias.hpp"
#include "carveout/port/locks.hpp"
#include "carveout/port/port.hpp"
#include "carveout_sim/access_lock.hpp"
#include "carveout_sim/adversary.hpp"
#include "carveout_sim/bus_side.hpp"
#include "carveout_sim/mapping.hpp"
#include "carveout_sim/moment.hpp"
#include "carveout_sim/observer.hpp"
#include "carveout_sim/watch.hpp"

namespace carveout::sim {

class GuardedPages;

/// One piece of RAM at two addresses, and one CPU.
struct PlainFacts {
  std::size_t size_bytes = 0x10'0000;  ///< whole host pages
  PhysAddr cached{0x3'5a00'0000};
  PhysAddr uncached{0x7'1b40'0000};
  std::size_t line_bytes = 32;  ///< a power of two, at most a host page
  /// What the cache does by itself, at maintenance and around transfers; nothing: it fetches
  /// nothing by speculation, and evicts nothing.
  std::optional<Adversary> hardware = Adversary::worst();
};

/// Two mappings of the host stand for RAM as the two views show it. A pointer of the uncached view
/// is the RAM. Behind a pointer of the cached view lies what the CPU sees through its cache: a
/// copy, which differs from RAM as a cache does. A plain load or store costs what it costs
/// anywhere, and nobody sees it; which lines are dirty is found by comparison, whenever maintenance
/// or a device needs to know.
///
/// The cache has room for everything, so that it forgets nothing; there is no write buffer, and no
/// barrier that one could miss.
///
/// Memory that a device owns (device_owns(); a Checker calls it) is taken away: the whole pages of
/// it fault, or only stores do where the device only reads. The fault is recorded and the access
/// goes on, and the page stays open until the machine is next asked for something. For that the
/// machine has a handler for SIGSEGV as long as one exists; faults that are not its own go to the
/// handler from before, AddressSanitizer's too.
///
/// Linux hosts. Thread-safe but for the plain accesses themselves: as on hardware, one beside a
/// transfer of the same bytes is a race.
class PlainMachine final : public BusSide, private Hands {
 public:
  /// @throws std::invalid_argument  facts that no machine is like
  /// @throws std::length_error      more than kMachines exist at a time
  explicit PlainMachine(const PlainFacts& facts = {});
  PlainMachine(const PlainMachine&) = delete;
  PlainMachine& operator=(const PlainMachine&) = delete;
  ~PlainMachine() override;
  static constexpr std::size_t kMachines = 64;

  /// The pointer to a physical range, by the very address given; nullptr where there is no RAM.
  [[nodiscard]] std::byte* cpu_view(PhysRange range) const;
  /// The address that a pointer of either view stands for; nothing where it is no whole part of
  /// one.
  [[nodiscard]] std::optional<PhysAddr> phys_of(const std::byte* at, std::size_t size_bytes) const;
  [[nodiscard]] const Alias& alias() const { return alias_; }

  /// Maintenance of every line that the range touches.
  /// @throws std::out_of_range      not whole in a view
  /// @throws std::invalid_argument  in the uncached one, where hardware would do nothing
  void clean(const std::byte* at, std::size_t size_bytes);
  void invalidate(const std::byte* at, std::size_t size_bytes);
  void clean_invalidate(const std::byte* at, std::size_t size_bytes);

  /// Touches of what a device owned that no observer was told of, in words: for a program without
  /// a Checker. Each is told once.
  [[nodiscard]] std::vector<std::string> touches();

  [[nodiscard]] bool is_ram(PhysRange range) const override;
  void device_begins(Master master, PhysRange range) override;
  void device_read(Master master, Started started, PhysAddr from,
                   std::span<std::byte> into) override;
  void device_write(Master master, PhysAddr to, std::span<const std::byte> from) override;
  void device_refused(Master master, DmaRange range, BusError error) override;
  void device_owns(PhysRange range, Direction direction) override;
  void cpu_owns(PhysRange range) override;
  void set_observer(Observer* observer) override;
  void forget(const Observer& observer) override;
  /// In the place of PlainFacts::hardware.
  void set_adversary(Watcher* adversary) override;
  [[nodiscard]] Witness* witness() const override { return watch_.witness(); }
  [[nodiscard]] PhysAddr canonical(PhysAddr address) const override;
  [[nodiscard]] std::span<const Alias> aliases() const override { return {&alias_, 1}; }
  [[nodiscard]] std::uint32_t cpus() const override { return 1; }
  [[nodiscard]] std::size_t line_bytes() const override { return facts_.line_bytes; }
  [[nodiscard]] bool keeps_stores() const override { return true; }

 private:
  void maintain(Maintenance what, const std::byte* at, std::size_t size_bytes);
  [[nodiscard]] std::size_t offset_of(PhysAddr address) const;
  [[nodiscard]] PhysAddr phys_at(std::size_t offset) const;
  template <class Each>
  void for_lines(std::size_t offset, std::size_t size_bytes, Each each);
  [[nodiscard]] bool is_dirty(std::size_t line) const;
  /// Tells the observer which bytes of the dirty lines that a range touches differ.
  void tell_stores(PhysRange range);
  void copy_line(std::byte* to, const std::byte* from, std::size_t line) const;
  void write_back(std::size_t line);
  /// Brings it in, or lets it go: it shows what RAM has.
  void fetch(std::size_t line);
  void moment(MomentKind kind, PhysRange range);
  [[nodiscard]] bool is_present(std::size_t line) const;
  /// The lines of which `which` holds.
  template <class Which>
  [[nodiscard]] std::vector<PhysAddr> lines(Which which) const;

  // The hands of the adversary: with the lock held.
  bool act(const Action& action) override;
  [[nodiscard]] std::vector<PhysAddr> valid_lines(std::uint32_t cpu) const override;
  [[nodiscard]] std::vector<PhysAddr> dirty_lines(std::uint32_t cpu) const override;
  [[nodiscard]] std::vector<PhysRange> waiting(std::uint32_t /*cpu*/) const override { return {}; }
  LineState in_cache(std::uint32_t cpu, PhysAddr line, std::span<std::byte> bytes) const override;
  bool in_ram(PhysAddr line, std::span<std::byte> bytes) const override;
  /// Takes open pages away again, and tells of the touches so far.
  void settle();

  PlainFacts facts_;
  Alias alias_;
  SharedMemory ram_memory_;
  SharedMemory copy_memory_;
  Mapping ram_;                     ///< the model's own view of RAM,
  Mapping uncached_view_;           ///< and the CPU's
  Mapping copy_;                    ///< the model's own view of what the CPU sees,
  Mapping cached_view_;             ///< and the CPU's
  std::vector<std::byte> fetched_;  ///< of each line, what was in it when it came in or went out
  std::vector<bool> present_;       ///< a line that is not shows RAM as it is
  mutable AccessLock lock_;
  Watch watch_;
  std::optional<Adversary> hardware_;    ///< of the facts
  std::unique_ptr<GuardedPages> pages_;  ///< of the cached view
  std::vector<std::string> untold_;
};

/// The machine's port.
class PlainPort {
 public:
  /// `machine` outlives the port.
  explicit PlainPort(PlainMachine& machine) : machine_{machine} {}

  [[nodiscard]] std::size_t cache_line_bytes() const noexcept { return machine_.line_bytes(); }
  [[nodiscard]] std::byte* cpu_view(PhysRange range) const noexcept {
    return machine_.cpu_view(range);
  }
  [[nodiscard]] std::optional<PhysAddr> phys_of(const std::byte* at,
                                                std::size_t size_bytes) const noexcept {
    return machine_.phys_of(at, size_bytes);
  }
  void clean(std::byte* at, std::size_t size_bytes) noexcept { machine_.clean(at, size_bytes); }
  void invalidate(std::byte* at, std::size_t size_bytes) noexcept {
    machine_.invalidate(at, size_bytes);
  }
  void clean_invalidate(std::byte* at, std::size_t size_bytes) noexcept {
    machine_.clean_invalidate(at, size_bytes);
  }
  /// The host's own stores are in order; the model adds nothing that a barrier could be for.
  void publish_barrier() noexcept {}
  void observe_barrier() noexcept {}
  void full_barrier() noexcept {}
  [[nodiscard]] LockState lock(LockWord& word) noexcept { return lock_.lock(word); }
  void unlock(LockWord& word, LockState state) noexcept { lock_.unlock(word, state); }
  /// Whole host pages of it: PlainMachine::device_owns().
  void device_owns(PhysRange range, Direction direction) noexcept {
    machine_.device_owns(range, direction);
  }
  void cpu_owns(PhysRange range) noexcept { machine_.cpu_owns(range); }

 private:
  PlainMachine& machine_;
  NoInterrupts interrupts_;
  SpinLock<NoInterrupts> lock_{interrupts_};
};
static_assert(Port<PlainPort>);
static_assert(PortWithPhysOf<PlainPort>);
static_assert(PortWithOwnership<PlainPort>);

}  // namespace carveout::sim
