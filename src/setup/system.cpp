#include "carveout/setup/system.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "carveout/core/assert.hpp"
#include "carveout/core/size.hpp"
#include "whole_granules.hpp"

namespace carveout {
namespace {

/// A window cut by a mask; nothing where the mask leaves nothing.
std::optional<Reach> reach_through(const Window& window, DmaAddr mask) {
  if (window.dma > mask) return std::nullopt;
  const DmaAddr last = std::min(window.dma_range().last(), mask);
  return Reach{.first = window.cpu, .last = window.to_phys(last), .dma = window.dma};
}

/// How a device reaches memory under a mask, in the order of its windows: how many stretches.
std::size_t make_reaches(const Translation& translation, DmaAddr mask, Reach* room) {
  if (translation.kind() == Translation::Kind::identity) {
    new (room) Reach{.first = PhysAddr{0}, .last = PhysAddr{mask.raw()}, .dma = DmaAddr{0}};
    return 1;
  }
  std::size_t count = 0;
  for (const Window& window : translation.windows()) {
    if (const auto reach = reach_through(window, mask)) new (room + count++) Reach{*reach};
  }
  return count;
}

/// The mask under which a device must reach a pool: a bounce pool serves coherent requests and
/// streaming maps, and so must lie under both.
DmaAddr mask_for(Memory memory, const Masks& masks) {
  if (memory != Memory::bounce) return masks.coherent;
  return std::min(masks.coherent, masks.streaming.value_or(masks.coherent));
}
Masks masks_of(const Device& device) {
  return {.coherent = device.coherent_mask, .streaming = device.streaming.mask};
}

/// How a device reaches a pool of its own through its own windows.
std::span<const Reach> reaches_for(const Device& device, Memory memory) {
  const bool as_coherent = mask_for(memory, masks_of(device)) == device.coherent_mask;
  return as_coherent ? device.reaches : device.streaming_reaches;
}

/// Whether make_reaches() would make one that has the whole range.
bool is_reached(const Translation& translation, DmaAddr mask, PhysRange range) {
  if (translation.kind() == Translation::Kind::identity) return range.last().raw() <= mask.raw();
  return std::ranges::any_of(translation.windows(), [&](const Window& window) {
    const auto reach = reach_through(window, mask);
    return reach && reach->contains(range);
  });
}

/// Through what a device sees a pool of its own.
Translation translation_of(const Device& device, const Binding& binding) {
  return binding.window == nullptr ? device.translation : Translation::through({binding.window, 1});
}

/// What is wrong with a fallback, and with which role of it.
std::optional<Failure> fault_of(std::span<const Role> fallback) {
  for (std::size_t i = 0; i < fallback.size(); ++i) {
    const Role role = fallback[i];
    if (role == Role::device || role == Role::bounce)
      return Failure{.code = Error::wrong_kind, .pool = name_of(role)};
    const std::span<const Role> earlier = fallback.first(i);
    if (std::ranges::find(earlier, role) != earlier.end())
      return Failure{.code = Error::already_declared, .pool = name_of(role)};
  }
  return std::nullopt;
}

/// Whether an alias can be believed: maintenance of a block by its cached side is to touch the
/// block's own lines and no other's.
bool is_sound(const Alias& alias, std::size_t line_bytes) {
  const std::uint64_t apart = alias.cached.raw() - alias.uncached.raw();
  return alias.size_bytes != 0 && !PhysRange{alias.cached, alias.size_bytes}.wraps() &&
         !PhysRange{alias.uncached, alias.size_bytes}.wraps() &&
         (apart & (std::max(line_bytes, sizeof(std::uintptr_t)) - 1)) == 0;
}

/// What is wrong with a window by itself.
std::optional<Error> fault_of(const Window& window) {
  if (window.size_bytes == 0) return Error::empty_range;
  if (window.cpu_range().wraps() || window.dma_range().wraps()) return Error::wraps;
  return std::nullopt;
}

std::optional<Error> fault_of(const StreamingLimits& limits) {
  const std::uint64_t boundary = limits.segment_boundary_bytes;
  if (boundary != 0 && !is_power_of_two(boundary)) return Error::bad_boundary;
  // All 64 bits would ask for an alignment of 2^64.
  if (limits.keep_low_bits == ~std::uint64_t{0} ||
      (limits.keep_low_bits & (limits.keep_low_bits + 1)) != 0)
    return Error::bad_alignment;
  return std::nullopt;
}

/// Copies windows as a device tree's are read: none that is empty, and one that continues the one
/// before it on both sides joined with it. So a pool across both is in one window.
std::span<const Window> keep_windows(std::span<const Window> windows, Window* room) {
  std::size_t count = 0;
  for (const Window& window : windows) {
    if (window.size_bytes == 0) continue;
    Window* const last = count == 0 ? nullptr : room + (count - 1);
    if (last != nullptr && last->dma.raw() + last->size_bytes == window.dma.raw() &&
        last->cpu.raw() + last->size_bytes == window.cpu.raw()) {
      last->size_bytes += window.size_bytes;
    } else {
      new (room + count++) Window{window};
    }
  }
  return {room, count};
}

/// At the end, so that searches and reports go in the order of declaration.
template <class Node>
void append(Node*& list, Node* node) {
  Node** end = &list;
  while (*end != nullptr) end = &(*end)->next;
  *end = node;
}

}  // namespace

System::System(const Platform& platform, std::span<std::byte> storage)
    : platform_{platform}, storage_{storage}, used_{0} {
  roles_.port = platform.port;
  roles_.aliases = platform.aliases;
  roles_.largest_bounce_bytes = platform.largest_bounce_bytes;
  roles_.log = platform.log;
  roles_.ordinary_elsewhere = platform.ordinary_elsewhere;
  roles_.described_only = platform.described_only;
  roles_.assume_uncached_view = platform.assume_uncached_view;
}

Result<System*> System::create(const Platform& platform, std::span<std::byte> storage) {
  if (!is_power_of_two(platform.granule_bytes)) return refuse(Error::bad_granule);
  for (const Alias& alias : platform.aliases) {
    if (!is_sound(alias, platform.port.cache_line_bytes())) {
      return std::unexpected{Failure{.code = Error::bad_alias, .asked_bytes = alias.size_bytes}};
    }
  }
  const auto at = reinterpret_cast<std::uintptr_t>(storage.data());
  const std::size_t skipped = (kAlign - at % kAlign) % kAlign;
  if (storage.size() < skipped + padded(sizeof(System))) {
    return std::unexpected{Failure{.code = Error::storage_too_small,
                                   .asked_bytes = base_storage_bytes(),
                                   .free_bytes = storage.size()}};
  }
  auto* const system = new (storage.data() + skipped) System{platform, storage.subspan(skipped)};
  system->used_ = padded(sizeof(System));
  return system;
}

Result<void*> System::take(std::uint64_t size_bytes) {
  const std::size_t left = storage_.size() - used_ - set_aside_;
  // Compared first: what passes here is small enough to be padded.
  if (size_bytes > left || padded(static_cast<std::size_t>(size_bytes)) > left) {
    return std::unexpected{
        Failure{.code = Error::storage_too_small, .asked_bytes = size_bytes, .free_bytes = left}};
  }
  void* const taken = storage_.data() + used_;
  used_ += padded(static_cast<std::size_t>(size_bytes));
  return taken;
}

Result<std::span<std::byte>> System::reserve(std::size_t size_bytes) {
  const auto bytes = room_for<std::byte>(size_bytes);
  if (!bytes) return std::unexpected{bytes.error()};
  return std::span{*bytes, size_bytes};
}

Result<std::string_view> System::keep(std::string_view text) {
  const auto characters = room_for<char>(text.size());
  if (!characters) return std::unexpected{characters.error()};
  std::memcpy(*characters, text.data(), text.size());
  return std::string_view{*characters, text.size()};
}

/// Whether the CPU would use the pool through its cache, and could not do otherwise.
bool System::only_cached(const Pool& pool) const {
  return !platform_.described_only && !pool.has(View::uncached) && pool.has(View::cached);
}

const Pool* System::overlapping(PhysRange range) const {
  for (const PoolNode* node = pools_; node != nullptr; node = node->next) {
    if (node->pool.closed()) continue;
    for (const PhysRange& other : node->stated) {
      if (share_bytes(platform_.aliases, range, other)) return &node->pool;
    }
  }
  return nullptr;
}

Chunk System::chunk_of(PhysRange range) const {
  Chunk chunk{.range = range, .uncached = nullptr, .cached = nullptr};
  if (platform_.described_only) return chunk;
  if (const auto views = views_of(platform_.aliases, range)) {
    chunk.uncached = platform_.port.cpu_view(views->uncached);
    chunk.cached = platform_.port.cpu_view(views->cached);
    return chunk;
  }
  chunk.cached = platform_.port.cpu_view(range);
  // Without a data cache every view is an uncached one.
  if (platform_.port.cache_line_bytes() <= 1) chunk.uncached = chunk.cached;
  return chunk;
}

std::uint64_t System::granule_of(std::uint64_t stated_bytes) const {
  const std::uint64_t stated = stated_bytes != 0 ? stated_bytes : platform_.granule_bytes;
  // A block is zeroed by machine words, so it is never less than one.
  return std::max({stated, std::uint64_t{platform_.port.cache_line_bytes()},
                   std::uint64_t{sizeof(std::uintptr_t)}});
}

Result<Pool*> System::declare(const PoolSettings& settings) {
  if (find_pool(settings.name) != nullptr)
    return refuse(Error::already_declared, settings.name, settings.name);
  if (settings.chunks.empty()) return refuse(Error::empty_range, settings.name);
  const auto refuse_range = [&](Error code, PhysRange range, std::string_view other = {},
                                std::optional<std::uint64_t> stated = {}) {
    return std::unexpected{Failure{.code = code,
                                   .pool = settings.name,
                                   .other = other,
                                   .asked_bytes = range.size_bytes,
                                   .stated = stated}};
  };
  // Before it is compared with the cache line, which would hide it.
  if (settings.granule_bytes != 0 && !is_power_of_two(settings.granule_bytes))
    return refuse_range(Error::bad_granule, settings.chunks.front(), {}, settings.granule_bytes);
  const std::uint64_t granule = granule_of(settings.granule_bytes);
  for (std::size_t i = 0; i < settings.chunks.size(); ++i) {
    const PhysRange& range = settings.chunks[i];
    if (range.empty()) return refuse(Error::empty_range, settings.name);
    if (range.wraps()) return refuse_range(Error::wraps, range);
    if (inward(range, granule).empty())
      return refuse_range(Error::below_granule, range, {}, granule);
    if (const Pool* other = overlapping(range))
      return refuse_range(Error::overlaps, range, other->name());
    for (const PhysRange& earlier : settings.chunks.first(i)) {
      if (share_bytes(platform_.aliases, range, earlier))
        return refuse_range(Error::overlaps, range, settings.name);
    }
  }

  const auto made = make_pool(settings, nullptr);
  if (!made) return std::unexpected{made.error()};
  return &(*made)->pool;
}

/// Of settings that were looked at: all that can fail now is storage, and the granule.
Result<System::PoolNode*> System::make_pool(const PoolSettings& settings, const Block* carved) {
  const std::uint64_t granule = granule_of(settings.granule_bytes);
  const std::size_t before = used_;
  const auto give_up = [&](Failure failure) {
    used_ = before;
    failure.pool = settings.name;
    return std::unexpected{failure};
  };
  const std::size_t count = settings.chunks.size();
  const TagStore store = settings.store.value_or(platform_.store);
  std::uint64_t granules = 0;
  for (const PhysRange& range : settings.chunks) {
    granules += inward(range, granule).size_bytes >> std::countr_zero(granule);
  }
  const std::size_t table_bytes = store.storage_bytes(count, granules);
  const auto node_room = room_for<PoolNode>();
  if (!node_room) return give_up(node_room.error());
  const auto chunks = room_for<Chunk>(count);
  if (!chunks) return give_up(chunks.error());
  const auto ranges = room_for<PhysRange>(count);
  if (!ranges) return give_up(ranges.error());
  const auto table = room_for<std::byte>(table_bytes);
  if (!table) return give_up(table.error());

  for (std::size_t i = 0; i < count; ++i) {
    const PhysRange range = inward(settings.chunks[i], granule);
    new (*chunks + i) Chunk{chunk_of(range)};
    new (*ranges + i) PhysRange{range};
  }
  auto allocator = RangeAllocator::create({*ranges, count}, granule, store, {*table, table_bytes});
  if (!allocator) return give_up(allocator.error());
  // The allocator has read them: from here on they are what later pools are held against.
  std::ranges::copy(settings.chunks, *ranges);

  auto* const node =
      new (*node_room) PoolNode{.pool = Pool{Pool::Settings{.name = settings.name,
                                                            .memory = settings.memory,
                                                            .granule_bytes = granule,
                                                            .chunks = {*chunks, count},
                                                            .log = platform_.log},
                                             platform_.port, std::move(*allocator)},
                                .member = {.pool = nullptr, .next = nullptr},
                                .stated = {*ranges, count},
                                .carved = carved,
                                .keeps_holders = store.keeps_holders(),
                                .next = nullptr};
  append(pools_, node);
  // A piece of another pool is memory that verbs know of already, and is made while they walk the
  // list of it.
  if (carved == nullptr) {
    node->member.pool = &node->pool;
    append(roles_.members, &node->member);
  }
  return node;
}

Result<void> System::lend(Pool& pool, const Reclaim& reclaim) {
  if (pool.memory() != Memory::contiguous || !node_of(pool)->keeps_holders)
    return refuse(Error::wrong_kind, pool.name());
  if (pool.closed()) return refuse(Error::pool_gone, pool.name());
  if (pool.reclaim() != nullptr) return refuse(Error::already_declared, pool.name(), pool.name());
  pool.lend(reclaim);
  return {};
}

Result<void> System::set_default(Role role, Pool& pool, std::uint32_t numa_node) {
  if (role == Role::device || role == Role::contiguous_device ||
      pool.memory() != memory_for(role)) {
    return refuse(Error::wrong_kind, pool.name());
  }
  if (pool.closed()) return refuse(Error::pool_gone, pool.name());
  if (pool.memory() == Memory::coherent && only_cached(pool))
    return refuse(Error::no_uncached_view, pool.name());
  if (role == Role::contiguous_node) {
    Roles::NodePool** end = &roles_.contiguous_nodes;
    for (; *end != nullptr; end = &(*end)->next) {
      if ((*end)->numa_node == numa_node)
        return refuse(Error::already_declared, pool.name(), (*end)->pool->name());
    }
    const auto room = room_for<Roles::NodePool>();
    if (!room) return std::unexpected{room.error()};
    *end = new (*room) Roles::NodePool{.numa_node = numa_node, .pool = &pool, .next = nullptr};
    return {};
  }
  Pool*& slot = roles_.pools[static_cast<std::size_t>(role)];
  if (slot != nullptr) return refuse(Error::already_declared, pool.name(), slot->name());
  slot = &pool;
  return {};
}

/// Room for blocks that a device may still write; nullptr for none.
Result<Quarantine*> System::quarantine_of(std::size_t blocks) {
  if (blocks == 0) return nullptr;
  const auto room = room_for<Quarantine>();
  if (!room) return std::unexpected{room.error()};
  const auto list = room_for<Block>(blocks);
  if (!list) return std::unexpected{list.error()};
  return new (*room) Quarantine{.blocks = *list, .capacity = blocks};
}

Result<Device*> System::add_device(const DeviceSettings& settings) {
  if (find_device(settings.name) != nullptr)
    return refuse(Error::already_declared, {}, settings.name);
  const std::span<const Window> windows = settings.translation.windows();
  for (const Window& window : windows) {
    if (window.size_bytes == 0) continue;
    if (const auto fault = fault_of(window)) return refuse(*fault, {}, settings.name);
  }
  if (const auto fault = fault_of(settings.streaming)) return refuse(*fault, {}, settings.name);
  if (auto fault = fault_of(settings.fallback)) {
    fault->other = settings.name;
    return std::unexpected{*fault};
  }

  const std::size_t before = used_;
  const auto give_up = [&](const Failure& failure) {
    used_ = before;
    return std::unexpected{failure};
  };
  const auto device_room = room_for<Device>();
  if (!device_room) return give_up(device_room.error());
  const auto windows_room = room_for<Window>(windows.size());
  if (!windows_room) return give_up(windows_room.error());
  const auto reaches = room_for<Reach>(reach_count(windows.size()));
  if (!reaches) return give_up(reaches.error());
  const auto streaming_reaches = room_for<Reach>(reach_count(windows.size()));
  if (!streaming_reaches) return give_up(streaming_reaches.error());
  const auto quarantine = quarantine_of(settings.quarantine_blocks);
  if (!quarantine) return give_up(quarantine.error());

  Translation translation = settings.translation;
  if (translation.kind() == Translation::Kind::windows) {
    translation = Translation::through(keep_windows(windows, *windows_room));
  }
  const DmaAddr streaming_mask = settings.streaming.mask.value_or(settings.coherent_mask);

  // Where there is no data cache there is nothing for a device to be incoherent with.
  const bool no_cache = !platform_.described_only && platform_.port.cache_line_bytes() <= 1;
  auto* const device = new (*device_room)
      Device{.name = settings.name,
             .id = device_count_++,
             .translation = translation,
             .coherent_mask = settings.coherent_mask,
             .reaches = {*reaches, make_reaches(translation, settings.coherent_mask, *reaches)},
             .coherent = no_cache || settings.coherent.value_or(platform_.devices_coherent),
             .behind_iommu = settings.behind_iommu,
             .numa_node = settings.numa_node,
             .roles = &roles_,
             .streaming = settings.streaming,
             .streaming_reaches = {*streaming_reaches,
                                   make_reaches(translation, streaming_mask, *streaming_reaches)},
             .quarantine = *quarantine,
             .fallback = settings.fallback};
  append(devices_, device);
  return device;
}

Result<Binding*> System::add_binding(Device& device, std::string_view pool_name, Memory memory,
                                     const BindingSettings& settings) {
  Binding** place = &device.bindings;
  for (Binding** link = &device.bindings; *link != nullptr; link = &(*link)->next) {
    const Binding& other = **link;
    if (other.index == settings.index || (!settings.name.empty() && other.name == settings.name)) {
      return refuse(Error::already_declared, pool_name, other.pool_name);
    }
    if (other.index < settings.index) place = &(*link)->next;
  }
  const auto room = room_for<Binding>();
  if (!room) return std::unexpected{room.error()};
  *place = new (*room) Binding{.index = settings.index,
                               .name = settings.name,
                               .pool_name = pool_name,
                               .memory = memory,
                               .pool = nullptr,
                               .reaches = reaches_for(device, memory),
                               .refused = std::nullopt,
                               .next = *place};
  return *place;
}

std::optional<Error> System::binding_error(const Device& device, const Pool& pool,
                                           const Binding& binding) const {
  const Translation translation = translation_of(device, binding);
  if (pool.memory() == Memory::coherent && !device.coherent && only_cached(pool))
    return Error::no_uncached_view;
  for (const Chunk& chunk : pool.chunks()) {
    if (const auto error = reach_error(translation, binding.reaches, chunk.range)) return error;
  }
  return std::nullopt;
}

Result<void> System::bind(Device& device, Pool& pool, const BindingSettings& settings) {
  if (pool.memory() == Memory::ordinary) return refuse(Error::wrong_kind, pool.name());
  if (pool.closed()) return refuse(Error::pool_gone, pool.name());
  const std::size_t before = used_;
  const auto reach_room = room_for<Reach>(settings.window ? 1 : 0);
  if (!reach_room) return std::unexpected{reach_room.error()};
  const auto window_room = room_for<Window>(settings.window ? 1 : 0);
  const auto added = window_room ? add_binding(device, pool.name(), pool.memory(), settings)
                                 : std::unexpected{window_room.error()};
  if (!added) {
    used_ = before;
    return std::unexpected{added.error()};
  }
  Binding& binding = **added;
  binding.pool = &pool;
  if (settings.window) {
    binding.window = new (*window_room) Window{*settings.window};
    binding.reaches = {*reach_room, 0};
    binding.refused = fault_of(*settings.window);
  }
  if (!binding.refused) {
    if (binding.window != nullptr) {
      const Translation window = translation_of(device, binding);
      const DmaAddr mask = mask_for(pool.memory(), masks_of(device));
      binding.reaches = {*reach_room, make_reaches(window, mask, *reach_room)};
    }
    binding.refused = binding_error(device, pool, binding);
  }
  if (binding.refused) return refuse(*binding.refused, pool.name(), device.name);
  return {};
}

Result<void> System::set_masks(Device& device, const Masks& masks) {
  const Masks before = masks_of(device);
  const auto is_lost = [](const Translation& translation, DmaAddr was, DmaAddr will_be,
                          PhysRange range) {
    return is_reached(translation, was, range) && !is_reached(translation, will_be, range);
  };
  // Of a bounce pool nobody says whether a block was taken as coherent memory or as a copy.
  const auto is_block_lost = [&](Memory memory, PhysRange range) {
    const auto streaming = [](const Masks& of) { return of.streaming.value_or(of.coherent); };
    return is_lost(device.translation, before.coherent, masks.coherent, range) ||
           (memory == Memory::bounce &&
            is_lost(device.translation, streaming(before), streaming(masks), range));
  };
  for (const Binding* binding = device.bindings; binding != nullptr; binding = binding->next) {
    if (binding->refused) continue;
    const Translation translation = translation_of(device, *binding);
    for (const Chunk& chunk : binding->pool->chunks()) {
      if (is_lost(translation, mask_for(binding->memory, before), mask_for(binding->memory, masks),
                  chunk.range))
        return refuse(Error::unreachable, binding->pool_name, device.name);
    }
  }
  for (const PoolNode* node = pools_; node != nullptr; node = node->next) {
    if (node->pool.closed()) continue;
    bool lost = false;
    node->pool.visit([&](const Held& held) {
      const bool may_be_its = held.holder == device.id || !node->keeps_holders;
      lost = lost || (may_be_its && is_block_lost(node->pool.memory(), held.range));
    });
    if (lost) return refuse(Error::in_use, node->pool.name(), device.name);
  }

  device.coherent_mask = masks.coherent;
  device.streaming.mask = masks.streaming;
  const auto work_out = [](const Translation& translation, DmaAddr mask,
                           std::span<const Reach> reaches) {
    auto* const room = const_cast<Reach*>(reaches.data());  // it is the System's own storage
    return std::span<const Reach>{room, make_reaches(translation, mask, room)};
  };
  device.reaches = work_out(device.translation, masks.coherent, device.reaches);
  device.streaming_reaches = work_out(device.translation, masks.streaming.value_or(masks.coherent),
                                      device.streaming_reaches);
  for (Binding* binding = device.bindings; binding != nullptr; binding = binding->next) {
    if (binding->window == nullptr) binding->reaches = reaches_for(device, binding->memory);
    const bool for_want_of_reach =
        binding->refused == Error::unreachable || binding->refused == Error::not_in_window;
    if (binding->pool == nullptr || (binding->refused && !for_want_of_reach)) continue;
    if (binding->window != nullptr) {
      binding->reaches = work_out(translation_of(device, *binding),
                                  mask_for(binding->memory, masks), binding->reaches);
    }
    binding->refused = binding_error(device, *binding->pool, *binding);
  }
  return {};
}

Result<void> System::bind_refused(Device& device, std::string_view pool_name, Memory memory,
                                  Error why, const BindingSettings& settings) {
  const auto binding = add_binding(device, pool_name, memory, settings);
  if (!binding) return std::unexpected{binding.error()};
  (*binding)->refused = why;
  return {};
}

Result<void> System::release(Pool& pool) {
  // Before anything is changed: what was carved goes back under the lock of another pool.
  if (!pool.port().may_lock()) return refuse(Error::would_wait, pool.name());
  if (auto closed = pool.close(); !closed) {
    Failure failure = closed.error();
    if (failure.code == Error::in_use) failure.other = holder_name(pool);
    return std::unexpected{failure};
  }
  if (const Block* const carved = node_of(pool)->carved) {
    const auto freed = carved->pool->give_back(*carved);
    CARVEOUT_ASSERT(freed.has_value());  // nobody else has it
  }
  for (Pool*& slot : roles_.pools) {
    if (slot == &pool) slot = nullptr;
  }
  for (Roles::Member** link = &roles_.members; *link != nullptr; link = &(*link)->next) {
    if ((*link)->pool != &pool) continue;
    *link = (*link)->next;
    break;
  }
  for (Roles::NodePool** link = &roles_.contiguous_nodes; *link != nullptr;) {
    if ((*link)->pool == &pool) {
      *link = (*link)->next;
    } else {
      link = &(*link)->next;
    }
  }
  for (Device* device = devices_; device != nullptr; device = device->next) {
    for (Binding* binding = device->bindings; binding != nullptr; binding = binding->next) {
      if (binding->pool == &pool) binding->refused = Error::pool_gone;
    }
  }
  forget_piece(pool);
  return {};
}

const System::PoolNode* System::node_of(const Pool& pool) const {
  const PoolNode* node = pools_;
  while (&node->pool != &pool) node = node->next;
  return node;
}

/// Somebody who holds a block of the pool; empty where nobody can tell.
std::string_view System::holder_name(const Pool& pool) const {
  const auto holder = pool.any_holder();
  if (!holder || !node_of(pool)->keeps_holders) return {};
  if ((*holder & kLent) != 0) return "ordinary users";
  if (const Device* const device = this->device(*holder)) return device->name;
  for (const PoolNode* node = pools_; node != nullptr; node = node->next) {
    const bool is_piece = node->carved != nullptr && node->carved->pool == &pool;
    if (is_piece && !node->pool.closed()) return node->pool.name();
  }
  return {};
}

Pool* System::find_pool(std::string_view name) const {
  for (PoolNode* node = pools_; node != nullptr; node = node->next) {
    if (node->pool.name() == name && !node->pool.closed()) return &node->pool;
  }
  return nullptr;
}

Device* System::find_device(std::string_view name) const {
  for (Device* device = devices_; device != nullptr; device = device->next) {
    if (device->name == name) return device;
  }
  return nullptr;
}

Device* System::device(Holder id) const {
  for (Device* device = devices_; device != nullptr; device = device->next) {
    if (device->id == id) return device;
  }
  return nullptr;
}

}  // namespace carveout
