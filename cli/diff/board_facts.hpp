// What of a board `diff` compares: who gets which memory, by path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "board_map.hpp"
#include "carveout/core/error.hpp"
#include "carveout/map/device.hpp"
#include "input.hpp"

namespace carveout::cli {

/// A region of /reserved-memory.
struct RegionFacts {
  bool enabled;
  device_tree::RegionKind kind;
  device_tree::RegionPlacement placement;
  std::vector<PhysRange> places;             ///< chunks, or where Carveout puts it
  std::optional<std::uint64_t> size_bytes;   ///< stated by a dynamic one
  std::optional<std::uint64_t> align_bytes;  ///< likewise
  bool no_map;
  bool reusable;
  std::optional<device_tree::RegionKind> default_of;

  bool operator==(const RegionFacts&) const = default;
};

/// An entry of a device's memory-region.
struct PoolFacts {
  std::uint32_t index;
  std::string region;               ///< path; empty: its phandle dangles
  std::optional<std::string> name;  ///< of memory-region-names
  std::optional<DmaAddr> dma;       ///< as in carveout.map/1
  std::optional<Error> refused;     ///< why it serves nothing

  bool operator==(const PoolFacts&) const = default;
};

/// Where `why` says that a first byte comes from, when nothing else is asked.
struct Source {
  std::optional<Role> role;      ///< nothing: refused
  std::string pool;              ///< empty: ordinary memory, or refused
  std::optional<Error> refused;  ///< without a role

  bool operator==(const Source&) const = default;
};

/// A device; or any device on a bus that has no node and no pools of its own.
struct AskerFacts {
  bool enabled;
  std::optional<bool> coherent;  ///< as the tree states it
  bool behind_iommu;
  Translation::Kind translation;
  std::vector<Window> windows;
  std::vector<PoolFacts> pools;
  Source source;

  bool operator==(const AskerFacts&) const = default;
};

/// One board, asked by full path. Of two nodes of one path the first counts.
class BoardFacts {
 public:
  /// Throws Refusal. The board outlives it.
  explicit BoardFacts(const Board& board);

  [[nodiscard]] const Board& board() const { return board_; }
  [[nodiscard]] const std::map<std::string, RegionFacts>& regions() const { return regions_; }
  /// The root, and those that translate.
  [[nodiscard]] const std::set<std::string>& buses() const { return buses_; }
  /// Nodes that state memory-region, iommus, interconnects, dma-coherent or dma-noncoherent.
  [[nodiscard]] const std::set<std::string>& devices() const { return devices_; }
  [[nodiscard]] std::vector<PhysRange> memory() const;
  [[nodiscard]] std::vector<PhysRange> reservations() const;

  /// Nothing where the board has no node of exactly this path.
  [[nodiscard]] std::optional<device_tree::Node> node(const std::string& path) const;
  /// What any device on this bus gets, whether or not it translates. Cost: one `why`.
  [[nodiscard]] std::optional<AskerFacts> bus(const std::string& path);
  /// What a device gets, whether or not it states anything. Cost: one `why`.
  [[nodiscard]] std::optional<AskerFacts> device(const std::string& path);

 private:
  [[nodiscard]] AskerFacts ask_for(device_tree::Node node, bool any_on_bus);

  const Board& board_;
  BoardMap map_;
  std::map<std::string, RegionFacts> regions_;
  std::set<std::string> buses_;
  std::set<std::string> devices_;
};

}  // namespace carveout::cli
