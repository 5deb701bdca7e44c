// The DMA engine that examples/cortex_m7 drives, as a device of the machine model.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/machine.hpp"
#include "examples/cortex_m7/copier.hpp"

namespace carveout::test {

/// Started, it looks at its ring when it is rung for and whenever it likes: look().
class CopyEngine {
 public:
  explicit CopyEngine(sim::Machine& machine);

  [[nodiscard]] std::uint32_t read(std::uint32_t offset) const;
  void write(std::uint32_t offset, std::uint32_t value);

  /// Does what the ring has for it, as far as it can see.
  void look();

  /// What it was given to copy, in order, as it saw it.
  [[nodiscard]] const std::vector<std::vector<std::byte>>& copied() const { return copied_; }
  /// "", or what was wrong with what it was told; it stops then.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  [[nodiscard]] bool move_next();
  template <class T>
  [[nodiscard]] T get(std::uint64_t dma, sim::DmaEngine& by);
  template <class T>
  void put(std::uint64_t dma, const T& value);

  std::array<Window, 1> windows_;
  sim::DmaEngine by_itself_;  ///< descriptors, and the bytes that they name
  sim::DmaEngine by_cpu_;     ///< what it does within a register
  std::uint32_t ring_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t next_ = 0;
  std::uint32_t value_ = 0;
  bool running_ = false;
  std::vector<std::vector<std::byte>> copied_;
  std::string error_;
};

}  // namespace carveout::test
