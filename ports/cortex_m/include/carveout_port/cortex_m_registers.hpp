// The machine as the port of ARMv7-M sees it.
#pragma once

#include <cstdint>

namespace carveout::cortex_m {

/// The core's own registers and instructions. The port and its MPU reach the machine through an
/// object with these functions, so that the rest also runs where the machine is not: tests give one
/// that records.
class Registers {
 public:
  [[nodiscard]] std::uint32_t read(std::uint32_t address) noexcept;
  void write(std::uint32_t address, std::uint32_t value) noexcept;
  void dsb() noexcept;
  void dmb() noexcept;
  void isb() noexcept;
  /// Sets PRIMASK and returns what it was.
  [[nodiscard]] std::uint32_t mask_interrupts() noexcept;
  void restore_interrupts(std::uint32_t primask) noexcept;
};

}  // namespace carveout::cortex_m
