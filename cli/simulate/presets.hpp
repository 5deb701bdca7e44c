// Common loads, as traces: what camera, display, Ethernet, disk and Wi-Fi drivers allocate.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace carveout::cli {

/// Buffers that a driver allocates together, one allocation each.
struct PresetBuffers {
  std::string_view name;
  std::uint32_t count;
  std::uint64_t size_bytes;
  std::uint64_t align_bytes;
};

/// Buffers that live from one time to another.
struct PresetPhase {
  std::uint32_t from_ms;
  std::uint32_t to_ms;
  std::span<const PresetBuffers> buffers;
};

/// A load. docs/simulate.md says where its sizes come from.
struct Preset {
  std::string_view name;
  std::string_view summary;
  std::span<const PresetPhase> phases;
};

[[nodiscard]] std::span<const Preset> presets();

/// A load and whose it is.
struct PresetUse {
  const Preset* preset;
  std::string device;  ///< NODE as typed; empty: none is named
};

/// A trace of loads that run at the same time, in the form of kCsvHeader.
[[nodiscard]] std::string preset_trace(std::span<const PresetUse> uses);

/// A field of a CSV line, in quotes where it needs them.
[[nodiscard]] std::string csv_field(std::string_view text);

}  // namespace carveout::cli
