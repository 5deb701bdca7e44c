// Facts become a running whole: one System owns a board's pools and devices, and every limit is
// checked here, once, whoever states the fact - a device tree, a table, or code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "carveout/core/address.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/log.hpp"
#include "carveout/core/size.hpp"
#include "carveout/core/window.hpp"
#include "carveout/map/alias.hpp"
#include "carveout/map/device.hpp"
#include "carveout/pool/lent.hpp"
#include "carveout/pool/pool.hpp"
#include "carveout/port/port.hpp"

namespace carveout {

/// How many live blocks a pool has room for where nobody says.
inline constexpr std::size_t kDefaultBlocksPerPool = 32;

/// What a board is, apart from its pools and devices.
struct Platform {
  PortRef port;
  std::span<const Alias> aliases = {};  ///< outlives the System
  /// What a pool's granule is where it states none; the cache line where that is longer. 4096 on
  /// machines with pages.
  std::uint64_t granule_bytes = 1;
  /// The tables of a pool that does not say which it has.
  TagStore store = TagStore::sparse(kDefaultBlocksPerPool);
  /// The longest mapping that the board's and the devices' bounce pools serve, in bytes.
  std::uint64_t largest_bounce_bytes = std::uint64_t{256} * 1024;
  /// What a device is of which nobody says whether it is coherent.
  bool devices_coherent = false;
  /// Where there is ordinary memory that no pool describes, for requests that need no coherent
  /// memory. Its ranges are not empty. Outlives the System.
  std::span<const PhysRange> ordinary_elsewhere = {};
  /// The board is described and not run: no pointers are made, nothing can be allocated, and routes
  /// are walked as if the uncached view of contiguous memory existed, or did not.
  bool described_only = false;
  bool assume_uncached_view = false;
  /// Hears of what verbs refuse.
  Log log = {};
};

/// A pool to be declared. The range is used inward, in whole granules; Pool::chunks() says what is
/// left of it.
struct PoolSettings {
  std::string_view name;  ///< outlives the System, and names one pool of it
  Memory memory = Memory::coherent;
  std::span<const PhysRange> chunks;
  std::uint64_t granule_bytes = 0;               ///< 0: the platform's
  std::optional<TagStore> store = std::nullopt;  ///< nothing: the platform's
};

/// A device to be added, by code or as a row of a table. It has no default mask: only its driver
/// knows how many address bits it has.
struct DeviceSettings {
  std::string_view name;  ///< outlives the System, and names one device of it
  DmaAddr coherent_mask;  ///< the highest address that it can put on its bus
  Translation translation = Translation::identity();  ///< its windows are copied
  std::optional<bool> coherent = std::nullopt;        ///< nothing: the platform's
  bool behind_iommu = false;
  std::uint32_t numa_node = 0;
  StreamingLimits streaming = {};
  /// How many blocks that the device may still write can wait until it is quiet (quarantine()).
  std::size_t quarantine_blocks = 0;
  /// Where the device's memory may come from when what the route comes to is exhausted, in order.
  /// Nothing: exhaustion is final. Outlives the System.
  std::span<const Role> fallback = {};
};

/// The limits of a device that its driver may learn after it was added.
struct Masks {
  DmaAddr coherent;  ///< the highest address that it can put on its bus
  std::optional<DmaAddr> streaming = std::nullopt;  ///< of streaming maps; nothing: the same
};

/// The pool for callers that must not wait, to be cut out of the default pool.
struct AtomicSettings {
  std::string_view name;            ///< outlives the System; every piece has it
  std::uint64_t size_bytes;         ///< of a piece; rounded up to the default pool's granule
  std::uint64_t granule_bytes = 0;  ///< 0: the platform's
  std::optional<TagStore> store = std::nullopt;  ///< nothing: the platform's
  std::uint32_t most_pieces = 1;                 ///< with those that grow_atomic() adds
  /// With less than that free in all pieces together, grow_atomic() adds one.
  std::uint64_t low_water_bytes = 0;
};

/// How a device is given a pool of its own.
struct BindingSettings {
  std::uint32_t index = 0;     ///< its place among the device's pools
  std::string_view name = {};  ///< outlives the System; empty: by index only
  /// Where the device sees the pool, if not through its own windows: a driver that was told so.
  std::optional<Window> window = std::nullopt;
};

/// Owns port, pools, devices and roles of a board, all in storage of the caller. There is no global
/// state: two Systems know nothing of each other.
///
/// Not thread-safe while it is being declared; afterwards the verbs of ops are.
class System {
 public:
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  /// A System without pools and devices, at the start of `storage`, which outlives it.
  ///
  /// Fails with exactly one of: bad_granule (the platform's is not a power of two), bad_alias (one
  /// is empty, passes 2^64, or its two sides differ by part of a cache line), storage_too_small.
  [[nodiscard]] static Result<System*> create(const Platform& platform,
                                              std::span<std::byte> storage);

  /// What storage a System takes, and each thing in it more: sum them up. Exact, but for what
  /// aligns the storage itself.
  [[nodiscard]] static constexpr std::size_t base_storage_bytes() {
    return padded(sizeof(System)) + (kAlign - 1);
  }
  /// @param granules  of all chunks together; a sparse store does not ask.
  [[nodiscard]] static constexpr std::size_t pool_storage_bytes(std::size_t chunks, TagStore store,
                                                                std::uint64_t granules = 0) {
    const std::size_t lists =
        saturating_add(array_bytes(chunks, sizeof(Chunk)), array_bytes(chunks, sizeof(PhysRange)));
    return saturating_add(padded(sizeof(PoolNode)),
                          saturating_add(lists, padded(store.storage_bytes(chunks, granules))));
  }
  [[nodiscard]] static constexpr std::size_t device_storage_bytes(
      std::size_t windows, std::size_t quarantine_blocks = 0) {
    const std::size_t reaches = array_bytes(reach_count(windows), sizeof(Reach));
    const std::size_t kept = quarantine_blocks == 0
                                 ? 0
                                 : saturating_add(padded(sizeof(Quarantine)),
                                                  array_bytes(quarantine_blocks, sizeof(Block)));
    return saturating_add(
        saturating_add(padded(sizeof(Device)), array_bytes(windows, sizeof(Window))),
        saturating_add(saturating_add(reaches, reaches), kept));  // one for each mask
  }
  [[nodiscard]] static constexpr std::size_t binding_storage_bytes(bool with_window) {
    return padded(sizeof(Binding)) +
           (with_window ? padded(sizeof(Reach)) + padded(sizeof(Window)) : 0);
  }
  [[nodiscard]] static constexpr std::size_t node_default_storage_bytes() {
    return padded(sizeof(Roles::NodePool));
  }
  /// @param pieces, store  as in AtomicSettings; 1 or more.
  /// @param granules       of a piece; a sparse store does not ask.
  [[nodiscard]] static constexpr std::size_t atomic_storage_bytes(std::uint32_t pieces,
                                                                  TagStore store,
                                                                  std::uint64_t granules = 0) {
    // The first one is in no list.
    return saturating_add(array_bytes(pieces, piece_storage_bytes(store, granules)),
                          array_bytes(pieces - 1, padded(sizeof(Roles::AtomicPiece))));
  }
  [[nodiscard]] static constexpr std::size_t text_storage_bytes(std::size_t characters) {
    return padded(characters);
  }

  /// Makes a pool. It plays no role yet: bind() or set_default() gives it one, and the same pool
  /// may have several.
  ///
  /// Fails with exactly one of; the System is then as before:
  ///   already_declared   a pool of this name exists, and stays
  ///   empty_range, wraps
  ///   overlaps           the ranges as stated share bytes with those of another pool, or with each
  ///                      other, by whichever of an alias's two addresses
  ///   bad_granule        not a power of two, or so small that the pool has 2^32 of them
  ///   below_granule      a chunk has no whole granule
  ///   storage_too_small  carries what was asked and what was left
  /// Source: T1, T4 of Linux's 2017 thread on default DMA pools.
  [[nodiscard]] Result<Pool*> declare(const PoolSettings& settings);

  /// Gives a role of the board to a pool. Once: the first pool of a role stays.
  ///
  /// @param numa_node  with Role::contiguous_node.
  /// Fails with exactly one of: wrong_kind (memory that the role cannot use, or a role of a
  /// device's own), pool_gone, already_declared (`other` names the first), no_uncached_view
  /// (devices would be served cacheable memory), storage_too_small.
  Result<void> set_default(Role role, Pool& pool, std::uint32_t numa_node = 0);

  /// Lets ordinary users borrow from a pool of contiguous memory (borrow() in ops/lent.hpp), and
  /// devices have it back through `reclaim`, which outlives the System. Before the pool is used.
  ///
  /// Fails with exactly one of: wrong_kind (other memory; or tables that keep no holders, and so do
  /// not know what is lent), pool_gone, already_declared.
  /// Source: T5 of the thread; Linux's CMA lends to movable pages.
  Result<void> lend(Pool& pool, const Reclaim& reclaim);

  /// Gives Role::atomic to a pool that is cut out of the default pool: one block of it becomes the
  /// memory of a pool of its own, the first piece. It is what the T15 of the thread asks for. A
  /// pool that is declared and given the role by set_default() stands alone, and does not grow.
  ///
  /// The storage of all pieces is set aside here (atomic_storage_bytes()).
  /// Fails with exactly one of; the System is then as before:
  ///   already_declared   the role is filled, or the name taken
  ///   no_pool            there is no default pool
  ///   bad_granule        not a power of two
  ///   below_granule      a piece of the default pool holds no whole granule of that size
  ///   table_full         most_pieces is 0; or the default pool's tables are full
  ///   zero_size, exhausted, pool_gone, would_wait  as Pool::take() of the default pool
  ///   storage_too_small
  [[nodiscard]] Result<Pool*> carve_atomic(const AtomicSettings& settings);

  /// Whether the atomic pool has less free than its low-water mark, and may have another piece.
  /// Context: any that may wait for a pool's lock. Cost: linear in pieces.
  [[nodiscard]] bool atomic_is_low() const;

  /// Adds a piece to the atomic pool, if atomic_is_low(): what a board's worker calls from time to
  /// time, while interrupts use the pool. No declaration runs at the same time.
  ///
  /// @return how many bytes it has more; 0 where it has enough, or all the pieces that it may have.
  /// Fails with exactly what carve_atomic() fails with for want of memory: exhausted, table_full,
  /// would_wait.
  Result<std::uint64_t> grow_atomic();

  /// Adds a device. Its windows are copied as those of a device tree are: an empty one is left out,
  /// one that continues the one before it is joined with it. They are cut by its masks once.
  ///
  /// Fails with exactly one of: already_declared (the name; or a role that its fallback names
  /// twice, and then the failure's pool is that role), wraps (a window), bad_boundary (of
  /// segments: not a power of two), bad_alignment (keep_low_bits is not 2^n - 1, or all bits),
  /// wrong_kind (a fallback to the device's own pools or to a restricted pool), storage_too_small.
  [[nodiscard]] Result<Device*> add_device(const DeviceSettings& settings);
  /// States a device's masks anew, as Linux's dma_set_mask_and_coherent() does: what the device
  /// reaches is worked out again, and so are its bindings, of which a wider mask may mend those
  /// that were refused for want of reach. Not while a verb of the device runs.
  ///
  /// Fails with exactly one of; nothing has changed then:
  ///   unreachable  a pool of the device's own, which serves, would be out of reach (`pool`)
  ///   in_use       a live block would be (`pool`), which the device holds, or, in a pool whose
  ///                tables keep no holders, may hold. Of a bounce pool, out of reach of either mask
  /// Cost: linear in pools and their blocks.
  Result<void> set_masks(Device& device, const Masks& masks);

  /// Leaves the next number without a device, so that the devices behind one that was refused keep
  /// the numbers that a table gave them.
  void skip_device() { ++device_count_; }

  /// Gives a pool to one device. The pool must be reached whole, here and now; a pool may be bound
  /// to several devices.
  ///
  /// A refused binding of a coherent or restricted pool stays as a refused one: the device was
  /// meant to have a pool of its own, so it gets no other instead. But for already_declared, which
  /// leaves the first, and wrong_kind and pool_gone, which bind nothing.
  ///
  /// Fails with exactly one of: already_declared (the index or the name), wrong_kind (ordinary
  /// memory), pool_gone, empty_range or wraps (a window stated here), not_in_window, unreachable,
  /// no_uncached_view (coherent memory that the device would be served through the cache; of other
  /// kinds, and of memory without any view, the request decides), storage_too_small.
  Result<void> bind(Device& device, Pool& pool, const BindingSettings& settings = {});

  /// Records that a device was meant to have a pool which does not exist, because `why`. It bars
  /// other memory like any refused binding. Fails with: already_declared, storage_too_small.
  Result<void> bind_refused(Device& device, std::string_view pool_name, Memory memory, Error why,
                            const BindingSettings& settings = {});

  /// Ends a pool: it leaves its roles, its bindings stay as refused ones, and blocks of it that are
  /// given back later are told pool_gone. What was cut out of the default pool goes back there.
  /// Fails with: in_use (`other` names who holds a block: a device, a piece of the atomic pool, or
  /// ordinary users), pool_gone, would_wait (the port does not let this context wait for a lock).
  Result<void> release(Pool& pool);

  [[nodiscard]] Pool* find_pool(std::string_view name) const;
  [[nodiscard]] Device* find_device(std::string_view name) const;
  /// By the number in the order of adding; nullptr past the last.
  [[nodiscard]] Device* device(Holder id) const;
  [[nodiscard]] const Roles& roles() const { return roles_; }
  [[nodiscard]] const Platform& platform() const { return platform_; }

  /// Copies a text into the System's storage, for names that do not live long enough by themselves.
  /// Fails with: storage_too_small.
  [[nodiscard]] Result<std::string_view> keep(std::string_view text);
  /// Bytes of the System's storage, aligned for any fact, for a caller that states facts in a form
  /// of its own. Fails with: storage_too_small.
  [[nodiscard]] Result<std::span<std::byte>> reserve(std::size_t size_bytes);

  [[nodiscard]] std::size_t storage_used_bytes() const { return used_; }

 private:
  struct PoolNode {
    Pool pool;
    Roles::Member member;
    std::span<const PhysRange> stated;  ///< its chunks before they were used inward
    const Block* carved;                ///< the block that its memory is; nullptr: the board's
    bool keeps_holders;
    PoolNode* next;
  };

  /// Everything in the storage begins at a multiple of this, so that sizes add up exactly.
  static constexpr std::size_t kAlign = 8;
  static constexpr std::size_t padded(std::size_t size_bytes) {
    return saturating_add(size_bytes, kAlign - 1) & ~(kAlign - 1);
  }
  static constexpr std::size_t array_bytes(std::size_t count, std::size_t element_bytes) {
    const auto bytes = checked_multiply(count, element_bytes);
    return padded(bytes && *bytes <= SIZE_MAX ? static_cast<std::size_t>(*bytes) : SIZE_MAX);
  }
  static constexpr std::size_t piece_storage_bytes(TagStore store, std::uint64_t granules) {
    return saturating_add(pool_storage_bytes(1, store, granules), padded(sizeof(Block)));
  }
  /// A device without windows reaches by identity: one stretch.
  static constexpr std::size_t reach_count(std::size_t windows) {
    return windows == 0 ? 1 : windows;
  }

  System(const Platform& platform, std::span<std::byte> storage);

  Result<PoolNode*> make_pool(const PoolSettings& settings, const Block* carved);
  Result<PoolNode*> carve_piece(const AtomicSettings& settings, Pool& whole);
  void forget_piece(const Pool& pool);
  [[nodiscard]] const PoolNode* node_of(const Pool& pool) const;
  [[nodiscard]] std::string_view holder_name(const Pool& pool) const;
  [[nodiscard]] bool only_cached(const Pool& pool) const;
  [[nodiscard]] const Pool* overlapping(PhysRange range) const;
  [[nodiscard]] Chunk chunk_of(PhysRange range) const;
  [[nodiscard]] std::uint64_t granule_of(std::uint64_t stated_bytes) const;
  [[nodiscard]] std::optional<Error> binding_error(const Device& device, const Pool& pool,
                                                   const Binding& binding) const;
  [[nodiscard]] Result<Quarantine*> quarantine_of(std::size_t blocks);
  Result<Binding*> add_binding(Device& device, std::string_view pool_name, Memory memory,
                               const BindingSettings& settings);

  /// Takes storage for `count` objects, which begin their lives when they are put there, or says
  /// what was asked and what was left.
  template <class T>
  [[nodiscard]] Result<T*> room_for(std::size_t count = 1) {
    const auto bytes = checked_multiply(count, sizeof(T));
    const auto at = take(bytes.value_or(UINT64_MAX));
    if (!at) return std::unexpected{at.error()};
    return static_cast<T*>(*at);
  }
  [[nodiscard]] Result<void*> take(std::uint64_t size_bytes);

  Platform platform_;
  std::span<std::byte> storage_;
  std::size_t used_;
  Roles roles_;
  PoolNode* pools_ = nullptr;
  Device* devices_ = nullptr;
  Holder device_count_ = 0;
  std::optional<AtomicSettings> atomic_ = std::nullopt;  ///< of a carved pool
  std::uint32_t atomic_pieces_ = 0;
  std::size_t set_aside_ = 0;  ///< of the storage, for pieces to come
};

}  // namespace carveout
