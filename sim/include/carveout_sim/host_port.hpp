// The port of the modelled machine: what the library drives in tests, where a board has its own.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout/port/port.hpp"
#include "carveout/port/sync_table.hpp"
#include "carveout_sim/machine.hpp"

namespace carveout::sim {

enum class PortOp : std::uint8_t {
  clean,
  invalidate,
  clean_invalidate,
  publish_barrier,
  observe_barrier,
  full_barrier,
  lock,
  unlock,
  copy,
};
inline constexpr std::size_t kPortOps = 9;

/// One call of the port; `at` and `size_bytes` are those of maintenance, or what a copy wrote, else
/// nullptr and 0.
struct PortCall {
  PortOp op;
  const std::byte* at = nullptr;
  std::size_t size_bytes = 0;

  bool operator==(const PortCall&) const = default;
};

/// Satisfies carveout::Port on a Machine, and tells tests what it was asked.
///
/// Maintenance of what the machine refuses (Machine::clean) ends the program: a port cannot fail,
/// and the library owes never to ask for it.
class HostPort {
 public:
  /// `machine` outlives the port, which is the one of its CPU `cpu`.
  explicit HostPort(Machine& machine, std::uint32_t cpu = 0)
      : machine_{machine}, cpu_{machine.cpu(cpu)} {}

  [[nodiscard]] std::size_t cache_line_bytes() noexcept { return machine_.line_bytes(); }
  [[nodiscard]] std::byte* cpu_view(PhysRange range) noexcept { return machine_.cpu_view(range); }
  void clean(std::byte* at, std::size_t size_bytes) noexcept;
  void invalidate(std::byte* at, std::size_t size_bytes) noexcept;
  void clean_invalidate(std::byte* at, std::size_t size_bytes) noexcept;
  void publish_barrier() noexcept;
  void observe_barrier() noexcept;
  void full_barrier() noexcept;
  /// Spins; excludes threads, and deadlocks a thread that takes the same lock twice.
  [[nodiscard]] LockState lock(LockWord& word) noexcept;
  void unlock(LockWord& word, LockState state) noexcept;

  [[nodiscard]] const SyncTable& sync_table() noexcept { return table_; }
  [[nodiscard]] std::optional<PhysAddr> phys_of(const std::byte* at,
                                                std::size_t size_bytes) noexcept {
    return machine_.phys_of(at, size_bytes);
  }
  /// As the CPU: each side through the view that its pointer belongs to.
  void copy(std::byte* to, const std::byte* from, std::size_t size_bytes) noexcept;

  /// Makes the CPU one of another architecture. Not while bytes are mapped.
  void use(const SyncTable& table) { table_ = table; }

  /// How often an operation was asked for since the port was made.
  [[nodiscard]] std::uint64_t count(PortOp op) const { return counts_[index(op)]; }
  /// Begins a new list of calls. Before the first of these there is none, so that a long run does
  /// not fill the heap.
  void record();
  /// The calls since record(), in order.
  [[nodiscard]] std::vector<PortCall> recorded() const;

 private:
  static constexpr std::size_t index(PortOp op) { return static_cast<std::size_t>(op); }
  void note(const PortCall& call);

  Machine& machine_;
  Cpu& cpu_;
  SyncTable table_ = sync_tables::safe;
  std::array<std::atomic<std::size_t>, kPortOps> counts_{};
  std::atomic<bool> recording_ = false;
  mutable std::mutex calls_mutex_;
  std::vector<PortCall> calls_;
};
static_assert(Port<HostPort> && PortWithSyncTable<HostPort> && PortWithPhysOf<HostPort> &&
              PortWithCopy<HostPort>);

}  // namespace carveout::sim
