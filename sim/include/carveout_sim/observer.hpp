// Who is told of everything that happens on a machine; the checker is one.
#pragma once

#include <cstdint>
#include <string_view>

#include "carveout/core/address.hpp"

namespace carveout::sim {

enum class Maintenance : std::uint8_t { clean, invalidate, clean_invalidate };
enum class Barrier : std::uint8_t { publish, observe, full };
enum class Through : std::uint8_t {
  cache,   ///< a cached address of RAM
  memory,  ///< past every cache
};

enum class Touch : std::uint8_t { load, store, unknown };

/// Why a bus refuses a transfer.
enum class BusError : std::uint8_t {
  over_mask,      ///< its last device address is more than the device can put on the bus
  not_in_window,  ///< no window holds all of it
  no_memory,      ///< the window shows it, and there is no RAM behind
};

/// Which device a bus master belongs to: a number that the test gives it. kAnyMaster: it does not
/// say.
using Master = std::uint32_t;
inline constexpr Master kAnyMaster = 0;

/// How the transfers of a bus master begin.
enum class Started : std::uint8_t {
  by_cpu,    ///< by a register that the CPU writes, after what the device is to read
  by_itself  ///< the device looks at memory on its own, and may see what is not finished
};

/// Called with the machine's lock held, just before what is told happens: an observer does not use
/// the machine. Ranges are by cached address where the RAM has one.
class Observer {
 public:
  virtual ~Observer() = default;

  virtual void cpu_reads(std::uint32_t cpu, PhysRange range, Through through) = 0;
  virtual void cpu_writes(std::uint32_t cpu, PhysRange range, Through through) = 0;
  /// The whole lines.
  virtual void cpu_maintains(std::uint32_t cpu, PhysRange lines, Maintenance what) = 0;
  /// Stores through the cache that were made some time before and are found only now: a machine of
  /// plain pointers sees none of them as it happens.
  virtual void stores_found(std::uint32_t cpu, PhysRange range) = 0;
  /// A touch of memory that was taken away from the CPU, some time before. `stacks`: in words, who
  /// touched it and who gave it to the device.
  virtual void cpu_touched(PhysRange range, Touch how, std::string_view stacks) = 0;
  virtual void cpu_orders(std::uint32_t cpu, Barrier barrier) = 0;
  virtual void device_reads(Master master, PhysRange range, Started started) = 0;
  virtual void device_writes(Master master, PhysRange range, Started started) = 0;
  virtual void bus_refuses(Master master, DmaRange range, BusError error) = 0;
  /// RAM and caches are as at the beginning. Told afterwards.
  virtual void machine_resets() {}

 protected:
  Observer() = default;
  Observer(const Observer&) = default;
  Observer& operator=(const Observer&) = default;
};

}  // namespace carveout::sim
