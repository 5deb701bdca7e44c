// What the user tells lint beside the board: for whom it is, and what a tree cannot say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "carveout/core/address.hpp"

namespace carveout::cli {

/// Who reads the tree on the board.
enum class LintTarget : std::uint8_t {
  any_linux,  ///< none was named: Linux on a processor that is not known
  linux_arm,
  linux_arm64,
  linux_riscv,
  baremetal,
  zephyr,
};

[[nodiscard]] constexpr bool is_linux(LintTarget target) {
  return target != LintTarget::baremetal && target != LintTarget::zephyr;
}

/// Memory that a node of the tree reaches, by `--facts`.
struct ReachFact {
  std::string node;
  PhysRange range;
};

/// What a chip's manual says and no tree does; the file of `--facts`.
struct ChipFacts {
  std::vector<std::uint64_t> cache_lines;    ///< bytes; several where it can be configured
  std::optional<std::uint32_t> mpu_regions;  ///< free for pools
  std::vector<ReachFact> reaches;            ///< a node that is named reaches only these
  std::vector<PhysRange> slow;
  std::vector<std::string> rate_critical;  ///< nodes
  std::vector<std::string> sections;       ///< of the program, for DMA
};

/// A section of a program that occupies memory.
struct ProgramSection {
  std::string name;
  PhysRange range;
};

/// What of a program is in memory; from `--elf` and `--load`.
struct Program {
  std::vector<PhysRange> segments;
  std::vector<ProgramSection> sections;
};

/// One buffer of a workload.
struct Demand {
  std::string device;  ///< node, alias or empty
  std::uint64_t size_bytes;
};

struct WorkloadEvent {
  std::uint32_t request;  ///< index into Workload::requests
  bool frees;
};

/// The allocations of a program over time; from `--workload`.
struct Workload {
  std::vector<Demand> requests;
  std::vector<WorkloadEvent> events;
};

struct LintSettings {
  LintTarget target = LintTarget::any_linux;
  std::uint64_t page_bytes = 4096;
  bool page_bytes_given = false;
  std::optional<ChipFacts> facts = std::nullopt;
  std::optional<Program> program = std::nullopt;
  std::optional<Workload> workload = std::nullopt;
};

}  // namespace carveout::cli
