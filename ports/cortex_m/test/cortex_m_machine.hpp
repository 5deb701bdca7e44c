// An ARMv7-M that writes down what is done to it.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace carveout::test {

struct CortexMMachine {
  enum class What : std::uint8_t { write, dsb, dmb, isb };
  struct Event {
    What what;
    std::uint32_t address = 0;
    std::uint32_t value = 0;
    bool operator==(const Event&) const = default;
  };

  /// What is not in here reads 0.
  std::map<std::uint32_t, std::uint32_t> registers;
  /// The MPU's two registers of each region, by MPU_RNR.
  std::map<std::uint32_t, std::map<std::uint32_t, std::uint32_t>> regions;
  std::vector<Event> events;
  std::uint32_t primask = 0;

  [[nodiscard]] std::uint32_t& at(std::uint32_t address) {
    const bool of_region = address == 0xe000'ed9c || address == 0xe000'eda0;
    return of_region ? regions[registers[0xe000'ed98]][address] : registers[address];
  }
};

/// What a port holds: the machine itself outlives it.
struct CortexMRegisters {
  using What = CortexMMachine::What;
  CortexMMachine* machine;

  std::uint32_t read(std::uint32_t address) const noexcept { return machine->at(address); }
  void write(std::uint32_t address, std::uint32_t value) const noexcept {
    machine->at(address) = value;
    machine->events.push_back({What::write, address, value});
  }
  void dsb() const noexcept { machine->events.push_back({.what = What::dsb}); }
  void dmb() const noexcept { machine->events.push_back({.what = What::dmb}); }
  void isb() const noexcept { machine->events.push_back({.what = What::isb}); }
  std::uint32_t mask_interrupts() const noexcept {
    const std::uint32_t before = machine->primask;
    machine->primask = 1;
    return before;
  }
  void restore_interrupts(std::uint32_t primask) const noexcept { machine->primask = primask; }
};

}  // namespace carveout::test
