// A Cortex-M7 core between its instructions and the machine model: which of its accesses pass the
// cache, and how late each is where no barrier says when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "carveout_sim/machine.hpp"
#include "mpu.hpp"

namespace carveout::test {

/// Everything is as late as the architecture lets it be:
///
///   a store to cached memory   waits before the cache, until so many others do, a load asks for
///                              its bytes, or a barrier. Other stores overtake it.
///   a store past the cache     waits in the machine's write buffer, as the adversary likes
///   a maintenance operation    waits until a DSB, and is then done before the stores that wait:
///   the
///                              core does not order the two
///   a change of the MPU        waits for a DSB and then an ISB
///
/// Source: ARMv7-M Architecture Reference Manual (DDI 0403E), A3.7.3, B2.2.7 and B3.5.
class Core {
 public:
  /// `machine` outlives it.
  explicit Core(sim::Machine& machine) : machine_{machine} {}

  /// RAM of the machine, 1 to 8 bytes.
  [[nodiscard]] std::uint64_t load(std::uint32_t address, unsigned size_bytes);
  void store(std::uint32_t address, unsigned size_bytes, std::uint64_t value);

  /// A word of the System Control Space.
  /// @throws std::out_of_range  a register that the model does not have.
  [[nodiscard]] std::uint32_t read_register(std::uint32_t address) const;
  void write_register(std::uint32_t address, std::uint32_t value);

  void dsb();
  void dmb();
  void isb() { mpu_.isb(); }

 private:
  static constexpr std::size_t kStores = 4;

  struct Store {
    std::uint32_t address;
    unsigned size_bytes;
    std::uint64_t value;
    std::byte* at;  ///< by the MPU's word when it was made
  };
  struct Operation {
    sim::Maintenance what;
    std::uint32_t address;
  };

  [[nodiscard]] std::byte* pointer(std::uint32_t address, unsigned size_bytes) const;
  void finish(const Operation& operation);
  void finish(const Store& store);
  void finish_stores();
  void finish_oldest_store();

  sim::Machine& machine_;
  ModelledMpu mpu_;
  std::deque<Store> stores_;
  std::vector<Operation> operations_;
  std::uint32_t cpacr_ = 0;
};

}  // namespace carveout::test
