// Streaming for C: the raw layer.
#include "carveout/ops/streaming.hpp"
#include "face.hpp"

namespace carveout::c {
namespace {

static_assert(static_cast<int>(Direction::to_device) == CARVEOUT_TO_DEVICE);
static_assert(static_cast<int>(Direction::from_device) == CARVEOUT_FROM_DEVICE);
static_assert(static_cast<int>(Direction::bidirectional) == CARVEOUT_BIDIRECTIONAL);
static_assert(static_cast<int>(CacheWork::nothing) == CARVEOUT_CACHE_NOTHING);
static_assert(static_cast<int>(CacheWork::clean) == CARVEOUT_CACHE_CLEAN);
static_assert(static_cast<int>(CacheWork::invalidate) == CARVEOUT_CACHE_INVALIDATE);
static_assert(static_cast<int>(CacheWork::clean_invalidate) == CARVEOUT_CACHE_CLEAN_INVALIDATE);

static_assert(static_cast<int>(View::uncached) + 1 == CARVEOUT_VIEW_UNCACHED);
static_assert(static_cast<int>(View::cached) + 1 == CARVEOUT_VIEW_CACHED);

carveout_bytes to_c(const CpuBytes& bytes) {
  return {.cpu = bytes.cpu,
          .phys = {bytes.phys.raw()},
          .size_bytes = bytes.size_bytes,
          .padding_bytes = bytes.padding_bytes,
          .view = bytes.view ? static_cast<carveout_view>(*bytes.view) + 1
                             : carveout_view{CARVEOUT_VIEW_BY_ADDRESS}};
}

CpuBytes cpu_bytes(const carveout_bytes& bytes) {
  CpuBytes made{.cpu = static_cast<std::byte*>(bytes.cpu),
                .phys = PhysAddr{bytes.phys.raw},
                .size_bytes = bytes.size_bytes,
                .padding_bytes = bytes.padding_bytes};
  if (bytes.view == CARVEOUT_VIEW_UNCACHED) made.view = View::uncached;
  if (bytes.view == CARVEOUT_VIEW_CACHED) made.view = View::cached;
  return made;
}

MappedBytes mapped_bytes(const carveout_mapping& mapping) {
  MappedBytes mapped{.bytes = cpu_bytes(mapping.bytes),
                     .dma = DmaAddr{mapping.dma.raw},
                     .direction = static_cast<Direction>(mapping.direction)};
  if (mapping.is_copied) mapped.copy = from_c(mapping.copy);
  return mapped;
}

Part part_of(std::uint64_t offset_bytes, std::uint64_t size_bytes) {
  return {.offset_bytes = offset_bytes, .size_bytes = size_bytes};
}

/// Whether its numbers mean something.
bool is_request(const carveout_bytes& bytes, carveout_direction direction,
                std::uint32_t attributes = 0) {
  return is_one_of(direction, CARVEOUT_TO_DEVICE, CARVEOUT_BIDIRECTIONAL) &&
         is_one_of(bytes.view, CARVEOUT_VIEW_BY_ADDRESS, CARVEOUT_VIEW_CACHED) &&
         are_attributes(attributes);
}
bool is_request(const carveout_mapping& mapping, std::uint32_t attributes = 0) {
  return is_request(mapping.bytes, mapping.direction, attributes);
}

}  // namespace

extern "C" {

void* carveout_pointer(const carveout_block* block, carveout_view view) {
  if (view != CARVEOUT_VIEW_UNCACHED && view != CARVEOUT_VIEW_CACHED) return nullptr;
  const View wanted = view == CARVEOUT_VIEW_CACHED ? View::cached : View::uncached;
  return c::from_c(block->pool)->pointer(from_c(*block), wanted);
}

carveout_bytes carveout_bytes_of_block(const carveout_block* block, uint64_t size_bytes) {
  return to_c(bytes_of(from_c(*block), size_bytes));
}

carveout_error carveout_bytes_at(const carveout_device* device, void* at, uint64_t size_bytes,
                                 carveout_bytes* bytes, carveout_failure* why) {
  const auto found = bytes_at(*from_c(device), static_cast<std::byte*>(at), size_bytes);
  if (found) *bytes = to_c(*found);
  return answer(found, why);
}

carveout_error carveout_map(const carveout_device* device, const carveout_bytes* bytes,
                            carveout_direction direction, uint32_t attributes, bool must_not_wait,
                            carveout_mapping* mapping, carveout_failure* why) {
  if (!is_request(*bytes, direction, attributes))
    return fail({.code = Error::bad_attributes, .asked_bytes = bytes->size_bytes}, why);
  const auto mapped = map(*from_c(device), cpu_bytes(*bytes), static_cast<Direction>(direction),
                          {.attributes = static_cast<Attributes>(attributes),
                           .context = must_not_wait ? Context::must_not_wait : Context::may_wait});
  if (mapped) {
    *mapping = {.bytes = to_c(mapped->bytes),
                .dma = {mapped->dma.raw()},
                .direction = direction,
                .is_copied = mapped->copy.has_value(),
                .copy = mapped->copy ? to_c(*mapped->copy) : carveout_block{}};
  }
  return answer(mapped, why);
}

carveout_error carveout_unmap(const carveout_device* device, const carveout_mapping* mapping,
                              uint32_t attributes, carveout_failure* why) {
  if (!is_request(*mapping, attributes)) return fail({.code = Error::bad_attributes}, why);
  return answer(unmap(*from_c(device), mapped_bytes(*mapping), static_cast<Attributes>(attributes)),
                why);
}

carveout_error carveout_sync_for_cpu(const carveout_device* device, const carveout_mapping* mapping,
                                     uint64_t offset_bytes, uint64_t size_bytes,
                                     carveout_failure* why) {
  if (!is_request(*mapping)) return fail({.code = Error::bad_attributes}, why);
  return answer(
      sync_for_cpu(*from_c(device), mapped_bytes(*mapping), part_of(offset_bytes, size_bytes)),
      why);
}

carveout_error carveout_sync_for_device(const carveout_device* device,
                                        const carveout_mapping* mapping, uint64_t offset_bytes,
                                        uint64_t size_bytes, carveout_failure* why) {
  if (!is_request(*mapping)) return fail({.code = Error::bad_attributes}, why);
  return answer(
      sync_for_device(*from_c(device), mapped_bytes(*mapping), part_of(offset_bytes, size_bytes)),
      why);
}

carveout_error carveout_abandon(const carveout_device* device, const carveout_mapping* mapping,
                                carveout_failure* why) {
  if (!is_request(*mapping)) return fail({.code = Error::bad_attributes}, why);
  return answer(abandon(*from_c(device), mapped_bytes(*mapping)), why);
}

void carveout_whole_lines(const carveout_device* device, const carveout_mapping* mapping,
                          uint64_t* offset_bytes, uint64_t* size_bytes) {
  const Part part =
      whole_lines(*from_c(device), mapped_bytes(*mapping), part_of(*offset_bytes, *size_bytes));
  *offset_bytes = part.offset_bytes;
  *size_bytes = part.size_bytes;
}

// map_each() and unmap_each() keep lists in the library's form, for which there is no room here.

carveout_error carveout_map_each(const carveout_device* device, const carveout_bytes* bytes,
                                 size_t count, carveout_direction direction, uint32_t attributes,
                                 bool must_not_wait, carveout_mapping* mappings,
                                 carveout_failure* why) {
  for (std::size_t i = 0; i < count; ++i) {
    const carveout_error refused =
        carveout_map(device, &bytes[i], direction, attributes, must_not_wait, &mappings[i], why);
    if (refused == CARVEOUT_OK) continue;
    // The failure to tell is the entry's.
    while (i-- > 0) carveout_abandon(device, &mappings[i], nullptr);
    return refused;
  }
  return CARVEOUT_OK;
}

carveout_error carveout_unmap_each(const carveout_device* device, const carveout_mapping* mappings,
                                   size_t count, uint32_t attributes, carveout_failure* why) {
  carveout_error first = CARVEOUT_OK;
  for (std::size_t i = 0; i < count; ++i) {
    carveout_failure* const told = first == CARVEOUT_OK ? why : nullptr;
    const carveout_error refused = carveout_unmap(device, &mappings[i], attributes, told);
    if (first == CARVEOUT_OK) first = refused;
  }
  return first;
}

carveout_error carveout_map_resource(const carveout_device* device, carveout_phys_range range,
                                     carveout_dma_addr* dma, carveout_failure* why) {
  const auto mapped = map_resource(*from_c(device), from_c(range));
  if (mapped) *dma = {mapped->raw()};
  return answer(mapped, why);
}

uint64_t carveout_largest_mapping_bytes(const carveout_device* device) {
  return largest_mapping_bytes(*from_c(device));
}

}  // extern "C"

}  // namespace carveout::c
