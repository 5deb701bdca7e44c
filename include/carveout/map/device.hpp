// Who sees what where: a device, what it reaches, and the pools that are its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

#include "carveout/core/address.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/log.hpp"
#include "carveout/core/window.hpp"
#include "carveout/map/alias.hpp"
#include "carveout/pool/pool.hpp"
#include "carveout/port/port.hpp"

namespace carveout {

/// The parts that a pool can play for a request. The order has no meaning; route() has one.
enum class Role : std::uint8_t {
  device,  ///< a coherent pool of the device's own
  /// Copies of what a device cannot use where it lies. As a device's own: a restricted pool, the
  /// only memory that it may reach. As the board's: for streaming maps of every other device, and
  /// no part of a route.
  bounce,
  atomic,              ///< set aside for callers that must not wait
  default_pool,        ///< the board's default coherent pool
  contiguous_device,   ///< contiguous memory of the device's own
  contiguous_node,     ///< the default contiguous memory of the device's NUMA node
  contiguous_default,  ///< the board's default contiguous memory
  ordinary,            ///< cacheable memory that the board set aside
};
inline constexpr std::size_t kRoles = 8;

/// The role's name as the command line prints it: `device`, `default`, `contiguous_node`, ...
[[nodiscard]] std::string_view name_of(Role role);

/// The kind of memory that a pool must be of to play a role.
[[nodiscard]] Memory memory_for(Role role);

/// A pool that was given to one device, or the reason why it was not.
struct Binding {
  std::uint32_t index;    ///< its place in `memory-region`, or as declared
  std::string_view name;  ///< empty: none
  std::string_view pool_name;
  Memory memory;
  Pool* pool;                      ///< nullptr where the pool itself was refused
  std::span<const Reach> reaches;  ///< how the device reaches this pool
  std::optional<Error> refused;    ///< set: the binding bars other memory and serves nothing
  const Window* window = nullptr;  ///< where the device sees the pool, if not through its own
  Binding* next = nullptr;         ///< in the order of the index
};

/// The pools that the board gave a role that is not one device's. One object serves all devices of
/// a System; it is the whole difference between a global pool and a device's.
struct Roles {
  struct NodePool {
    std::uint32_t numa_node;
    Pool* pool;
    NodePool* next;
  };

  /// A pool of the board, whatever it serves as.
  struct Member {
    Pool* pool;
    Member* next;
  };

  /// What an atomic pool grew by. Put behind the last while interrupts walk the list: read it by
  /// next_piece().
  struct AtomicPiece {
    Pool* pool;
    AtomicPiece* next;
  };

  std::array<Pool*, kRoles> pools{};  ///< by Role; nullptr: the role is not filled
  NodePool* contiguous_nodes = nullptr;
  AtomicPiece* atomic_pieces = nullptr;  ///< besides the first, which stands in `pools`
  /// Where ordinary memory lies that is no pool: a hosted source's, or that of a board which is
  /// only described. Of no range, there is none.
  std::span<const PhysRange> ordinary_elsewhere = {};
  /// The board is described and not run: no CPU views exist, and this is what is assumed of them.
  bool described_only = false;
  bool assume_uncached_view = false;
  /// The board's, for memory that is no pool's. Routes do not ask for them.
  std::optional<PortRef> port = std::nullopt;
  std::span<const Alias> aliases = {};
  /// Every declared pool that was not released. Not the pieces of an atomic pool, which lie in one
  /// of these: the list stands still while verbs walk it.
  Member* members = nullptr;
  std::uint64_t largest_bounce_bytes = 0;  ///< the longest mapping that is bounced
  Log log = {};

  /// What a link of the list of pieces points at, whole.
  [[nodiscard]] static AtomicPiece* next_piece(AtomicPiece* const& link) {
    return __atomic_load_n(&link, __ATOMIC_ACQUIRE);
  }
  [[nodiscard]] constexpr Pool* of(Role role) const {
    return pools[static_cast<std::size_t>(role)];
  }
};

/// What a device can do with streaming mappings, beyond its windows. Of the defaults none limits
/// anything.
struct StreamingLimits {
  /// The highest address that it can put on its bus for mapped bytes; nothing: the coherent mask.
  std::optional<DmaAddr> mask = std::nullopt;
  std::uint64_t max_segment_bytes = 0;       ///< the longest mapping; 0: none is too long
  std::uint64_t segment_boundary_bytes = 0;  ///< a power of two that no mapping crosses; 0: none
  /// Low bits of the address that a device must find in a copy as they are in the memory that was
  /// mapped: 2^n - 1 (Linux: min_align_mask). NVMe has 4095.
  std::uint64_t keep_low_bits = 0;

  constexpr bool operator==(const StreamingLimits&) const = default;
};

/// Blocks that a device may still write, kept from their pools until it is quiet. Its storage is
/// the System's, and its lock the board's port's.
struct Quarantine {
  Block* blocks;  ///< room for `capacity`, of which the first `count` live
  std::size_t capacity;
  std::size_t count = 0;
  std::size_t quiet =
      0;  ///< the first of these the device uses no more: quiesced() gives them back
  LockWord lock = {};
};

/// A bus master: its windows, its masks, whether it is coherent with the CPU's caches, and the
/// pools that are its own. Made by System::add_device(), which checks all of it; constant
/// afterwards but for pools that are declared for it.
struct Device {
  std::string_view name;  ///< path of its node, or as declared
  Holder id;              ///< its number in the System
  Translation translation;
  DmaAddr coherent_mask;           ///< the highest address that it can put on the bus
  std::span<const Reach> reaches;  ///< translation cut by coherent_mask, in the order of windows
  bool coherent;                   ///< the caches see what it does
  bool behind_iommu;  ///< device addresses of anything but its own pools are an IOMMU's choice
  std::uint32_t numa_node;
  const Roles* roles;
  StreamingLimits streaming = {};
  std::span<const Reach> streaming_reaches = {};  ///< translation cut by the streaming mask
  Quarantine* quarantine = nullptr;               ///< nullptr: it has room for no block
  /// What stands in for the candidate whose exhaustion would be final, in order.
  std::span<const Role> fallback = {};
  Binding* bindings = nullptr;
  Device* next = nullptr;

  /// The device address of a range; see Translation::to_dma(). Not cut by the mask.
  [[nodiscard]] constexpr std::optional<DmaAddr> to_dma(PhysRange range) const {
    return translation.to_dma(range);
  }
};

/// Whether a range is reached whole, and if not, why: not_in_window where the translation shows it
/// in no single window, else unreachable (over the mask that cut it to `reaches`).
///
/// A pool's range is checked when it is bound, not when it is used: neither it nor the device's
/// windows change afterwards, and a driver could do nothing about the error at that point.
[[nodiscard]] std::optional<Error> reach_error(const Translation& translation,
                                               std::span<const Reach> reaches, PhysRange range);

/// The device address of a range that is to be mapped: by the first window that holds it whole and
/// under the streaming mask. The error: see reach_error().
[[nodiscard]] std::expected<DmaAddr, Error> streaming_address(const Device& device,
                                                              PhysRange range);

/// Whether any byte of a range, or of a pool, lies in any of `reaches`.
[[nodiscard]] bool reaches_any(std::span<const Reach> reaches, const PhysRange& range);
[[nodiscard]] bool reaches_any(std::span<const Reach> reaches, const Pool& pool);

}  // namespace carveout
