// Runs the machine code of an image under Unicorn, with its DMA memory on the machine model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "carveout_sim/adversary.hpp"
#include "carveout_sim/cache.hpp"
#include "carveout_sim/checker.hpp"
#include "elf_image.hpp"

namespace carveout::test {

/// An instruction of the port that was executed, and that caches or order depend on: a barrier, a
/// store to a register of the caches, or a branch to a function that consists of nothing else.
struct Site {
  std::uint32_t address;
  std::uint32_t size_bytes;
  std::string what;      ///< "dsb", "dmb", "isb", or the register: "DCCMVAC"
  std::string function;  ///< that it is in
};

struct Outcome {
  std::optional<int> status;  ///< that the image ended with
  std::string error;          ///< why it did not end; "" where it did
  std::string console;
  std::vector<sim::Report> reports;            ///< of the checker
  std::vector<std::vector<std::byte>> copied;  ///< what the DMA engine read
  std::vector<Site> sites;                     ///< by address
  std::uint64_t instructions = 0;
  std::uint64_t accesses = 0;  ///< of the CPU to the model's memory

  /// The image is content, the checker is silent, and the engine saw what the CPU stored.
  [[nodiscard]] bool right() const;
  /// The first thing that is not.
  [[nodiscard]] std::string complaint() const;
};

struct RunOptions {
  std::size_t line_bytes = 32;
  /// An instruction whose place in memory does nothing, once the image is loaded.
  std::optional<Site> without = std::nullopt;
};

/// From reset to the end of the image, or to so many instructions that it must hang.
[[nodiscard]] Outcome run(const ElfImage& image, sim::Adversary adversary,
                          const RunOptions& options = {});

}  // namespace carveout::test
