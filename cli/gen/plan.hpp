// What `gen` writes, before it is words: the rows of the tables, the memory of the linker, the
// regions of the MPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout/core/window.hpp"
#include "carveout/map/device.hpp"
#include "carveout/pool/range_allocator.hpp"
#include "input.hpp"

namespace carveout::cli {

/// What the files are for. The two with an MPU have 32-bit addresses.
enum class GenTarget : std::uint8_t { armv7m, armv8m, riscv, generic };

[[nodiscard]] constexpr bool has_mpu(GenTarget target) {
  return target == GenTarget::armv7m || target == GenTarget::armv8m;
}

/// The world of TrustZone that the firmware runs in; one: it knows of none.
enum class GenWorld : std::uint8_t { one, secure, non_secure };

/// A bus master that the firmware drives.
struct GenDeviceRequest {
  std::string node;                   ///< as typed
  std::optional<unsigned> mask_bits;  ///< nothing: nobody stated it
};

/// What `--device` without `=BITS` assumes: a device that drives more loses nothing but reach.
inline constexpr unsigned kAssumedMaskBits = 32;
/// A region of every MPU that there is: more are an option of some cores.
inline constexpr unsigned kDefaultMpuRegions = 8;
/// The tree is walked once for each.
inline constexpr std::size_t kMaxGenDevices = 1024;
/// What a security attribution unit has at most.
inline constexpr std::size_t kMostNonSecureRegions = 8;

struct GenRequest {
  GenTarget target;
  std::vector<GenDeviceRequest> devices = {};  ///< none: those that have a `memory-region`
  unsigned mpu_regions = kDefaultMpuRegions;   ///< how many of them may be the pools'
  std::string name_space = "board";            ///< of the headers
  GenWorld world = GenWorld::one;
};

/// Bytes with a name that is an identifier, and unique.
struct GenRange {
  std::string id;
  PhysRange range;
};

struct GenPool {
  std::string id;
  std::string path;
  Memory memory;
  std::vector<GenRange> chunks;
  bool secure = false;  ///< only the Secure world has it
};

struct GenDevice {
  std::string id;
  std::string path;
  unsigned mask_bits;
  bool mask_stated;
  std::optional<std::size_t> windows;  ///< which list of windows; nothing: physical addresses
  std::optional<bool> coherent;
  bool behind_iommu;
  std::uint32_t numa_node;
  bool secure = false;  ///< only the Secure world has it
};

struct GenBinding {
  std::size_t device;
  std::size_t pool;
  std::uint32_t index;
  std::string name;
};

struct GenDefault {
  Role role;
  std::size_t pool;
  std::uint32_t numa_node;
};

/// A region of the MPU: the two registers that the architecture has for it.
struct GenRegion {
  std::uint32_t rbar;
  std::uint32_t rasr_or_rlar;
  PhysRange covered;
};

struct GenPlan {
  std::string model;  ///< of the tree; empty: it states none
  std::vector<std::vector<Window>> windows;
  std::vector<GenDevice> devices;
  std::vector<GenPool> pools;  ///< in tree order
  std::vector<GenBinding> bindings;
  std::vector<GenDefault> defaults;
  /// Memory that the tree states and nobody has: neither reserved, nor taken by a region of the
  /// MPU.
  std::vector<GenRange> memory;
  std::vector<GenRegion> regions;                 ///< ascending; one may hold pools that touch
  std::optional<std::uint32_t> cbom_block_bytes;  ///< riscv: what all harts state

  std::vector<std::string> refused;  ///< why nothing is written; a sentence each
  std::vector<std::string> notes;    ///< what to know about what is written
};

/// Each with a name by its address.
[[nodiscard]] std::vector<GenRange> named_memory(const std::vector<PhysRange>& ranges);

/// Works it out. The pools, devices and roles are those of the System that the tree makes
/// (setup::build()), so that one made of the tables routes as that one does.
///
/// Throws Refusal: no such node, more than kMaxGenDevices, a tree beyond the limits.
[[nodiscard]] GenPlan plan(const Board& board, const GenRequest& request);

}  // namespace carveout::cli
