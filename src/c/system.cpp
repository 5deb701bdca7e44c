// A board, stated in C.
#include <algorithm>
#include <utility>

#include "carveout/setup/from_tables.hpp"
#include "face.hpp"

namespace carveout::c {
namespace {

static_assert(static_cast<int>(Memory::coherent) == CARVEOUT_MEMORY_COHERENT);
static_assert(static_cast<int>(Memory::contiguous) == CARVEOUT_MEMORY_CONTIGUOUS);
static_assert(static_cast<int>(Memory::bounce) == CARVEOUT_MEMORY_BOUNCE);
static_assert(static_cast<int>(Memory::ordinary) == CARVEOUT_MEMORY_ORDINARY);
static_assert(static_cast<int>(Role::device) == CARVEOUT_ROLE_DEVICE);
static_assert(static_cast<int>(Role::bounce) == CARVEOUT_ROLE_BOUNCE);
static_assert(static_cast<int>(Role::atomic) == CARVEOUT_ROLE_ATOMIC);
static_assert(static_cast<int>(Role::default_pool) == CARVEOUT_ROLE_DEFAULT_POOL);
static_assert(static_cast<int>(Role::contiguous_device) == CARVEOUT_ROLE_CONTIGUOUS_DEVICE);
static_assert(static_cast<int>(Role::contiguous_node) == CARVEOUT_ROLE_CONTIGUOUS_NODE);
static_assert(static_cast<int>(Role::contiguous_default) == CARVEOUT_ROLE_CONTIGUOUS_DEFAULT);
static_assert(static_cast<int>(Role::ordinary) == CARVEOUT_ROLE_ORDINARY);
static_assert(CARVEOUT_ROLE_ORDINARY + 1 == kRoles);

constexpr std::size_t kAlign = 8;
constexpr std::size_t kNever = SIZE_MAX;

std::size_t array_bytes(std::size_t count, std::size_t element_bytes) {
  const auto bytes = checked_multiply(count, element_bytes);
  if (!bytes || *bytes > kNever - kAlign) return kNever;
  return (static_cast<std::size_t>(*bytes) + (kAlign - 1)) & ~(kAlign - 1);
}

/// Storage taken from the front, for what the System reads and C states otherwise.
class Arena {
 public:
  explicit Arena(std::span<std::byte> storage) : rest_{storage} {
    const auto at = reinterpret_cast<std::uintptr_t>(storage.data());
    skip((kAlign - at % kAlign) % kAlign);
  }

  /// Nothing where too little is left.
  [[nodiscard]] void* take(std::size_t bytes) {
    void* const at = rest_.data();
    return skip(array_bytes(bytes, 1)) ? at : nullptr;
  }
  /// The library's form of an array of C's. An empty one where too little is left, which full()
  /// remembers.
  template <class T, class CT, class Convert>
  [[nodiscard]] std::span<const T> copy(const CT* from, std::size_t count, Convert convert) {
    static_assert(alignof(T) <= kAlign);
    if (count > rest_.size() / sizeof(T)) full_ = true;
    auto* const to = full_ ? nullptr : static_cast<T*>(take(count * sizeof(T)));
    if (to == nullptr) return {};
    for (std::size_t i = 0; i < count; ++i) new (to + i) T{convert(from[i])};
    return {to, count};
  }

  [[nodiscard]] bool full() const { return full_; }
  [[nodiscard]] std::span<std::byte> rest() const { return rest_; }

 private:
  bool skip(std::size_t bytes) {
    full_ = full_ || bytes > rest_.size();
    rest_ = full_ ? std::span<std::byte>{} : rest_.subspan(bytes);
    return !full_;
  }

  std::span<std::byte> rest_;
  bool full_ = false;
};

TagStore store_of(const carveout_store& store, TagStore otherwise) {
  switch (store.kind) {
    case CARVEOUT_STORE_SPARSE:
      return TagStore::sparse(store.blocks).for_processors(store.processors);
    case CARVEOUT_STORE_DENSE:
      return TagStore::dense().for_processors(store.processors);
    case CARVEOUT_STORE_BITMAP:
      return TagStore::bitmap();
    default:
      return otherwise;
  }
}
TagStore store_of(const carveout_platform& platform) {
  return store_of(platform.store, TagStore::sparse(kDefaultBlocksPerPool));
}

std::optional<bool> coherence_of(carveout_coherence coherent) {
  if (coherent == CARVEOUT_COHERENCE_OF_THE_BOARD) return std::nullopt;
  return coherent == CARVEOUT_COHERENT;
}

// Whether the numbers of a statement mean something.

bool is_known(const carveout_store& store) {
  return is_one_of(store.kind, CARVEOUT_STORE_DEFAULT, CARVEOUT_STORE_BITMAP);
}
bool is_known(const carveout_sync_table& table) {
  return std::ranges::all_of(table.rows, [](const carveout_sync_row& row) {
    return is_one_of(row.before, CARVEOUT_CACHE_NOTHING, CARVEOUT_CACHE_CLEAN_INVALIDATE) &&
           is_one_of(row.after, CARVEOUT_CACHE_NOTHING, CARVEOUT_CACHE_CLEAN_INVALIDATE);
  });
}
bool is_known(const carveout_platform& platform) {
  const carveout_sync_table* const table = platform.port.sync_table;
  return is_known(platform.store) && (table == nullptr || is_known(*table));
}
bool is_known(const carveout_pool_settings& settings) {
  return is_one_of(settings.memory, CARVEOUT_MEMORY_COHERENT, CARVEOUT_MEMORY_ORDINARY) &&
         is_known(settings.store);
}
bool is_known(const carveout_device_settings& settings) {
  return is_one_of(settings.coherent, CARVEOUT_COHERENCE_OF_THE_BOARD, CARVEOUT_COHERENT) &&
         std::all_of(settings.fallback, settings.fallback + settings.fallback_count, is_role);
}
/// The name of the first row that means nothing.
template <class Row>
std::optional<std::string_view> unknown_in(const Row* rows, std::size_t count) {
  const Row* const end = rows + count;
  const Row* const unknown = std::find_if(rows, end, [](const Row& row) { return !is_known(row); });
  if (unknown == end) return std::nullopt;
  return text_of(unknown->name);
}

PoolSettings with_chunks(const carveout_pool_settings& settings, TagStore otherwise,
                         std::span<const PhysRange> chunks) {
  return {.name = text_of(settings.name),
          .memory = static_cast<Memory>(settings.memory),
          .chunks = chunks,
          .granule_bytes = settings.granule_bytes,
          .store = store_of(settings.store, otherwise)};
}

StreamingLimits limits_of(const carveout_streaming_limits& limits) {
  StreamingLimits made{.max_segment_bytes = limits.max_segment_bytes,
                       .segment_boundary_bytes = limits.segment_boundary_bytes,
                       .keep_low_bits = limits.keep_low_bits};
  if (limits.has_mask) made.mask = DmaAddr{limits.mask.raw};
  return made;
}

DeviceSettings with_lists(const carveout_device_settings& settings, std::span<const Window> windows,
                          std::span<const Role> fallback) {
  return {.name = text_of(settings.name),
          .coherent_mask = DmaAddr{settings.coherent_mask.raw},
          .translation =
              settings.windows == nullptr ? Translation::identity() : Translation::through(windows),
          .coherent = coherence_of(settings.coherent),
          .behind_iommu = settings.behind_iommu,
          .numa_node = settings.numa_node,
          .streaming = limits_of(settings.streaming),
          .quarantine_blocks = settings.quarantine_blocks,
          .fallback = fallback};
}

BindingSettings binding_of(const carveout_binding_settings& settings) {
  BindingSettings binding{
      .index = settings.index, .name = text_of(settings.name), .window = std::nullopt};
  if (settings.window != nullptr) binding.window = from_c(*settings.window);
  return binding;
}

std::size_t window_count(const carveout_device_settings& settings) {
  return settings.windows == nullptr ? 0 : settings.window_count;
}

PhysRange range_of(const carveout_phys_range& range) { return from_c(range); }
Window window_of(const carveout_window& window) { return from_c(window); }
Role role_of(carveout_role role) { return static_cast<Role>(role); }

/// An array in the library's form, in the System's own storage: for what is declared by code.
template <class T, class CT, class Convert>
Result<std::span<const T>> keep(System& system, const CT* from, std::size_t count,
                                Convert convert) {
  static_assert(alignof(T) <= kAlign);
  const auto room = system.reserve(array_bytes(count, sizeof(T)));
  if (!room) return std::unexpected{room.error()};
  auto* const to = static_cast<T*>(static_cast<void*>(room->data()));
  for (std::size_t i = 0; i < count; ++i) new (to + i) T{convert(from[i])};
  return std::span<const T>{to, count};
}

/// How many granules a chunk has, at most.
std::uint64_t granules_in(PhysRange chunk, std::uint64_t granule_bytes,
                          const carveout_platform& platform) {
  if (granule_bytes == 0) granule_bytes = platform.granule_bytes;
  return setup::granules_at_most(
      {.name = {}, .chunks = {&chunk, 1}, .granule_bytes = granule_bytes});
}

std::uint64_t granules_at_most(const carveout_platform& platform,
                               const carveout_pool_settings& settings) {
  std::uint64_t granules = 0;
  for (std::size_t i = 0; i < settings.chunk_count; ++i) {
    const std::uint64_t more =
        granules_in(from_c(settings.chunks[i]), settings.granule_bytes, platform);
    granules = checked_add(granules, more).value_or(UINT64_MAX);
  }
  return granules;
}

AtomicSettings atomic_of(const carveout_atomic_settings& settings, TagStore otherwise) {
  return {.name = text_of(settings.name),
          .size_bytes = settings.size_bytes,
          .granule_bytes = settings.granule_bytes,
          .store = store_of(settings.store, otherwise),
          .most_pieces = settings.most_pieces == 0 ? 1 : settings.most_pieces,
          .low_water_bytes = settings.low_water_bytes};
}

/// A Reclaim of C's, and the one that the library has of it. Lives in the System's storage.
struct CReclaim {
  carveout_vacate_fn vacate;
  void* context;
  Reclaim reclaim;
};
static_assert(alignof(CReclaim) <= kAlign);

Vacated vacate(void* context, const Held& lent, PhysRange wanted) {
  const auto& of = *static_cast<const CReclaim*>(context);
  const bool moved = of.vacate(of.context, to_c(lent.range), lent.holder, to_c(wanted));
  return moved ? Vacated::yes : Vacated::pinned;
}

void tell_log(void* context, const Failure& failure, std::string_view device) {
  const auto& system = *static_cast<const carveout_system*>(context);
  carveout_failure told{};
  fail(failure, &told);
  system.log(system.log_context, &told, to_c(device));
}

constexpr carveout_tables kNoTables{};

}  // namespace
// C's functions belong to no namespace: stated here, they are the ones of the header.
extern "C" {

size_t carveout_pool_storage_bytes(const carveout_platform* platform,
                                   const carveout_pool_settings* settings) {
  const TagStore store = store_of(settings->store, store_of(*platform));
  return saturating_add(array_bytes(settings->chunk_count, sizeof(PhysRange)),
                        System::pool_storage_bytes(settings->chunk_count, store,
                                                   granules_at_most(*platform, *settings)));
}

size_t carveout_device_storage_bytes(const carveout_device_settings* settings) {
  const std::size_t windows = window_count(*settings);
  return saturating_add(saturating_add(array_bytes(windows, sizeof(Window)),
                                       array_bytes(settings->fallback_count, sizeof(Role))),
                        System::device_storage_bytes(windows, settings->quarantine_blocks));
}

size_t carveout_binding_storage_bytes(const carveout_binding_settings* settings) {
  return System::binding_storage_bytes(settings->window != nullptr);
}

size_t carveout_node_default_storage_bytes(void) { return System::node_default_storage_bytes(); }

size_t carveout_atomic_storage_bytes(const carveout_platform* platform,
                                     const carveout_atomic_settings* settings) {
  const AtomicSettings made = atomic_of(*settings, store_of(*platform));
  const PhysRange piece{PhysAddr{0}, settings->size_bytes};
  return System::atomic_storage_bytes(made.most_pieces, *made.store,
                                      granules_in(piece, settings->granule_bytes, *platform));
}

size_t carveout_lend_storage_bytes(void) { return array_bytes(1, sizeof(CReclaim)); }

size_t carveout_storage_bytes(const carveout_platform* platform, const carveout_tables* tables) {
  const carveout_tables& board = tables == nullptr ? kNoTables : *tables;
  std::size_t bytes = kAlign - 1;
  const auto add = [&](std::size_t more) { bytes = saturating_add(bytes, more); };
  add(array_bytes(1, sizeof(carveout_system)));
  add(array_bytes(platform->alias_count, sizeof(Alias)));
  add(array_bytes(platform->ordinary_elsewhere_count, sizeof(PhysRange)));
  add(array_bytes(board.pool_count, sizeof(PoolSettings)));
  add(array_bytes(board.device_count, sizeof(DeviceSettings)));
  add(array_bytes(board.binding_count, sizeof(setup::BindingRow)));
  add(array_bytes(board.default_count, sizeof(setup::DefaultRow)));
  add(System::base_storage_bytes());
  for (std::size_t i = 0; i < board.pool_count; ++i) {
    add(carveout_pool_storage_bytes(platform, &board.pools[i]));
  }
  for (std::size_t i = 0; i < board.device_count; ++i) {
    add(carveout_device_storage_bytes(&board.devices[i]));
  }
  for (std::size_t i = 0; i < board.binding_count; ++i) {
    add(carveout_binding_storage_bytes(&board.bindings[i].settings));
  }
  for (std::size_t i = 0; i < board.default_count; ++i) {
    if (board.defaults[i].role == CARVEOUT_ROLE_CONTIGUOUS_NODE) {
      add(carveout_node_default_storage_bytes());
    }
  }
  return bytes;
}

carveout_error carveout_build(const carveout_platform* platform, const carveout_tables* tables,
                              void* storage, size_t size, carveout_refused_fn refused,
                              void* context, carveout_system** system, carveout_failure* why) {
  const carveout_tables& board = tables == nullptr ? kNoTables : *tables;
  if (!is_known(*platform)) return fail({.code = Error::wrong_kind}, why);
  if (const auto name = unknown_in(board.pools, board.pool_count))
    return fail({.code = Error::wrong_kind, .pool = *name}, why);
  if (const auto name = unknown_in(board.devices, board.device_count))
    return fail({.code = Error::wrong_kind, .pool = *name}, why);
  for (std::size_t i = 0; i < board.default_count; ++i) {
    if (!is_role(board.defaults[i].role)) return fail({.code = Error::wrong_kind}, why);
  }

  Arena arena{{static_cast<std::byte*>(storage), size}};
  void* const room = arena.take(sizeof(carveout_system));
  const TagStore store = store_of(*platform);
  const auto aliases = arena.copy<Alias>(platform->aliases, platform->alias_count,
                                         [](const auto& alias) { return from_c(alias); });
  const auto elsewhere = arena.copy<PhysRange>(platform->ordinary_elsewhere,
                                               platform->ordinary_elsewhere_count, range_of);
  const setup::Tables rows{
      .pools = arena.copy<PoolSettings>(
          board.pools, board.pool_count,
          [&](const auto& row) {
            return with_chunks(row, store,
                               arena.copy<PhysRange>(row.chunks, row.chunk_count, range_of));
          }),
      .devices = arena.copy<DeviceSettings>(
          board.devices, board.device_count,
          [&](const auto& row) {
            return with_lists(row, arena.copy<Window>(row.windows, window_count(row), window_of),
                              arena.copy<Role>(row.fallback, row.fallback_count, role_of));
          }),
      .bindings = arena.copy<setup::BindingRow>(
          board.bindings, board.binding_count,
          [](const auto& row) {
            return setup::BindingRow{
                .device = row.device, .pool = row.pool, .settings = binding_of(row.settings)};
          }),
      .defaults = arena.copy<setup::DefaultRow>(
          board.defaults, board.default_count,
          [](const auto& row) {
            return setup::DefaultRow{
                .role = static_cast<Role>(row.role), .pool = row.pool, .numa_node = row.numa_node};
          }),
      .store = store};
  if (room == nullptr || arena.full()) {
    return fail({.code = Error::storage_too_small,
                 .asked_bytes = carveout_storage_bytes(platform, tables),
                 .free_bytes = size},
                why);
  }

  auto* const made = new (room) carveout_system{*platform};
  Platform board_of{.port = made->port,
                    .aliases = aliases,
                    .store = store,
                    .devices_coherent = platform->devices_coherent,
                    .ordinary_elsewhere = elsewhere,
                    .described_only = platform->described_only,
                    .assume_uncached_view = platform->assume_uncached_view};
  if (made->log != nullptr) board_of.log = Log{tell_log, made};
  if (platform->granule_bytes != 0) board_of.granule_bytes = platform->granule_bytes;
  if (platform->largest_bounce_bytes != 0) {
    board_of.largest_bounce_bytes = platform->largest_bounce_bytes;
  }
  const auto built = setup::build(rows, board_of, arena.rest(), [=](const Failure& failure) {
    carveout_failure told{};
    fail(failure, &told);
    if (refused != nullptr) refused(context, &told);
  });
  if (!built) return fail(built.error(), why);
  made->system = *built;
  *system = made;
  return CARVEOUT_OK;
}

carveout_error carveout_declare(carveout_system* system, const carveout_pool_settings* settings,
                                carveout_pool** pool, carveout_failure* why) {
  if (!is_known(*settings))
    return fail({.code = Error::wrong_kind, .pool = text_of(settings->name)}, why);
  const auto chunks =
      keep<PhysRange>(*system->system, settings->chunks, settings->chunk_count, range_of);
  if (!chunks) return answer(chunks, why);
  const auto made =
      system->system->declare(with_chunks(*settings, system->system->platform().store, *chunks));
  if (made) *pool = to_c(*made);
  return answer(made, why);
}

carveout_error carveout_set_default(carveout_system* system, carveout_role role,
                                    carveout_pool* pool, uint32_t numa_node,
                                    carveout_failure* why) {
  if (!is_role(role)) return fail({.code = Error::wrong_kind, .pool = from_c(pool)->name()}, why);
  return answer(system->system->set_default(static_cast<Role>(role), *from_c(pool), numa_node),
                why);
}

carveout_error carveout_add_device(carveout_system* system,
                                   const carveout_device_settings* settings,
                                   carveout_device** device, carveout_failure* why) {
  if (!is_known(*settings))
    return fail({.code = Error::wrong_kind, .pool = text_of(settings->name)}, why);
  const auto windows =
      keep<Window>(*system->system, settings->windows, window_count(*settings), window_of);
  if (!windows) return answer(windows, why);
  const auto fallback =
      keep<Role>(*system->system, settings->fallback, settings->fallback_count, role_of);
  if (!fallback) return answer(fallback, why);
  const auto made = system->system->add_device(with_lists(*settings, *windows, *fallback));
  if (made) *device = to_c(*made);
  return answer(made, why);
}

carveout_error carveout_bind(carveout_system* system, carveout_device* device, carveout_pool* pool,
                             const carveout_binding_settings* settings, carveout_failure* why) {
  return answer(system->system->bind(*from_c(device), *from_c(pool), binding_of(*settings)), why);
}

carveout_error carveout_release(carveout_system* system, carveout_pool* pool,
                                carveout_failure* why) {
  return answer(system->system->release(*from_c(pool)), why);
}

carveout_error carveout_set_masks(carveout_system* system, carveout_device* device,
                                  const carveout_masks* masks, carveout_failure* why) {
  Masks made{.coherent = DmaAddr{masks->coherent.raw}};
  if (masks->has_streaming) made.streaming = DmaAddr{masks->streaming.raw};
  return answer(system->system->set_masks(*from_c(device), made), why);
}

carveout_error carveout_lend(carveout_system* system, carveout_pool* pool,
                             carveout_vacate_fn vacate_fn, void* context, carveout_failure* why) {
  const auto room = system->system->reserve(carveout_lend_storage_bytes());
  if (!room) return answer(room, why);
  auto* const made =
      new (room->data()) CReclaim{.vacate = vacate_fn, .context = context, .reclaim = {}};
  made->reclaim = {.vacate = vacate, .context = made};
  return answer(system->system->lend(*from_c(pool), made->reclaim), why);
}

carveout_error carveout_carve_atomic(carveout_system* system,
                                     const carveout_atomic_settings* settings, carveout_pool** pool,
                                     carveout_failure* why) {
  if (!is_known(settings->store))
    return fail({.code = Error::wrong_kind, .pool = text_of(settings->name)}, why);
  const auto made =
      system->system->carve_atomic(atomic_of(*settings, system->system->platform().store));
  if (made) *pool = to_c(*made);
  return answer(made, why);
}

bool carveout_atomic_is_low(const carveout_system* system) {
  return system->system->atomic_is_low();
}

carveout_error carveout_grow_atomic(carveout_system* system, uint64_t* more_bytes,
                                    carveout_failure* why) {
  const auto grown = system->system->grow_atomic();
  if (grown) *more_bytes = *grown;
  return answer(grown, why);
}

size_t carveout_storage_used_bytes(const carveout_system* system) {
  return system->system->storage_used_bytes();
}

carveout_pool* carveout_find_pool(const carveout_system* system, const char* name) {
  return to_c(system->system->find_pool(name));
}

carveout_device* carveout_find_device(const carveout_system* system, const char* name) {
  return to_c(system->system->find_device(name));
}

carveout_usage carveout_pool_usage(const carveout_pool* pool) {
  const Usage usage = from_c(pool)->usage();
  return {.total_bytes = usage.total_bytes,
          .used_bytes = usage.used_bytes,
          .peak_bytes = usage.peak_bytes,
          .largest_run_bytes = usage.largest_run_bytes,
          .blocks = usage.blocks};
}

void carveout_pool_free_runs(const carveout_pool* pool, uint32_t* counts) {
  std::ranges::copy(from_c(pool)->free_runs(), counts);
}

carveout_text carveout_pool_name(const carveout_pool* pool) { return to_c(from_c(pool)->name()); }

carveout_memory carveout_pool_memory(const carveout_pool* pool) {
  return static_cast<carveout_memory>(from_c(pool)->memory());
}

bool carveout_pool_closed(const carveout_pool* pool) { return from_c(pool)->closed(); }

uint64_t carveout_pool_granule_bytes(const carveout_pool* pool) {
  return from_c(pool)->granule_bytes();
}

size_t carveout_pool_chunks(const carveout_pool* pool, carveout_phys_range* chunks, size_t room) {
  const auto all = from_c(pool)->chunks();
  std::ranges::transform(all.first(std::min(room, all.size())), chunks,
                         [](const Chunk& chunk) { return to_c(chunk.range); });
  return all.size();
}

carveout_text carveout_device_name(const carveout_device* device) {
  return to_c(from_c(device)->name);
}

void carveout_visit(const carveout_system* system, const carveout_pool* pool, carveout_held_fn see,
                    void* context) {
  from_c(pool)->visit([&](const Held& held) {
    see(context, to_c(held.range), to_c(std::as_const(*system->system).device(held.holder)));
  });
}

}  // extern "C"

}  // namespace carveout::c
