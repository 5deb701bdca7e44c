// Streaming by Linux's names.
#include "face.hpp"

namespace carveout::linux_face {
namespace {

/// Maps and remembers. DMA_MAPPING_ERROR where either cannot be done.
dma_addr_t lend(const Device& device, void* at, std::size_t size, enum dma_data_direction dir,
                unsigned long attrs, Kind kind, unsigned int entries, const char* function) {
  const auto direction = direction_of(dir);
  if (!direction) {
    report(function, "a mapping without a direction");
    return DMA_MAPPING_ERROR;
  }
  const auto bytes = bytes_at(device, static_cast<std::byte*>(at), size);
  if (!bytes) return DMA_MAPPING_ERROR;
  // May be an interrupt: Linux asks nobody whether a mapping may wait.
  const auto mapped = map(device, *bytes, *direction,
                          {.attributes = attributes_of(attrs), .context = Context::must_not_wait});
  if (!mapped) return DMA_MAPPING_ERROR;
  const Live* const live = state().table.add({.claim = {.kind = kind,
                                                        .owner = &device,
                                                        .key = mapped->dma.raw(),
                                                        .size_bytes = size,
                                                        .direction = dir,
                                                        .cpu = at,
                                                        .entries = entries},
                                              .mapped = *mapped});
  if (live != nullptr) return mapped->dma.raw();
  undo(abandon(device, *mapped), function);
  return DMA_MAPPING_ERROR;
}

/// By the handle alone: unmap is not told the CPU's address, so that is what was mapped.
std::optional<Live> take_mapping(Claim claim, const char* function) {
  const auto live = state().table.find(claim.key, [&](const Live& each) {
    return each.claim.key == claim.key && each.claim.kind == claim.kind &&
           each.claim.owner == claim.owner && each.claim.size_bytes == claim.size_bytes &&
           each.claim.direction == claim.direction && each.claim.entries == claim.entries;
  });
  const auto near = live ? live : state().table.find(claim.key, [&](const Live& each) {
    return each.claim.key == claim.key;
  });
  if (near) claim.cpu = near->claim.cpu;
  return take_back(claim, function);
}

void take_from_device(const Live& live, const Device& device, unsigned long attrs,
                      const char* function) {
  if (!unmap(device, *live.mapped, attributes_of(attrs)))
    report(function, "the bounce pool does not take its copy back");
}

/// A sync names any part of a mapping by its device address.
void sync(const struct device* dev, dma_addr_t addr, std::size_t size, enum dma_data_direction dir,
          const char* function, Result<void> (*work)(const Device&, const MappedBytes&, Part)) {
  const Device* const device = device_of(dev, function);
  if (device == nullptr) return;
  const auto holds = [&](const Live& each) {
    return each.mapped && each.claim.owner == device && addr >= each.claim.key &&
           addr - each.claim.key < each.claim.size_bytes;
  };
  auto live = state().table.find(addr, holds);
  if (!live) live = state().table.find(std::nullopt, holds);  // a part that begins further on
  if (!live) return report(function, "it is not mapped");
  if (live->claim.direction != DMA_BIDIRECTIONAL && live->claim.direction != dir)
    return report(function, "the direction is another than at first");
  if (!work(*device, *live->mapped, {.offset_bytes = addr - live->claim.key, .size_bytes = size}))
    report(function, "part of it is not mapped");
}

Claim entry_claim(const Device& device, const struct scatterlist& sg, int nents,
                  enum dma_data_direction dir) {
  return {.kind = Kind::list,
          .owner = &device,
          .key = sg.dma_address,
          .size_bytes = sg.length,
          .direction = dir,
          .cpu = sg.buffer,
          .entries = static_cast<unsigned int>(nents)};
}

}  // namespace

extern "C" {

dma_addr_t dma_map_single_attrs(struct device* dev, void* ptr, size_t size,
                                enum dma_data_direction dir, unsigned long attrs) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return DMA_MAPPING_ERROR;
  return lend(*device, ptr, size, dir, attrs, Kind::single, 0, __func__);
}

void dma_unmap_single_attrs(struct device* dev, dma_addr_t addr, size_t size,
                            enum dma_data_direction dir, unsigned long attrs) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return;
  const auto live = take_mapping(
      {.kind = Kind::single, .owner = device, .key = addr, .size_bytes = size, .direction = dir},
      __func__);
  if (live) take_from_device(*live, *device, attrs, __func__);
}

dma_addr_t dma_map_resource(struct device* dev, phys_addr_t phys_addr, size_t size,
                            enum dma_data_direction dir, unsigned long /*attrs*/) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return DMA_MAPPING_ERROR;
  const auto dma = map_resource(*device, {PhysAddr{phys_addr}, size});
  if (!dma) return DMA_MAPPING_ERROR;
  const Live* const live = state().table.add({.claim = {.kind = Kind::resource,
                                                        .owner = device,
                                                        .key = dma->raw(),
                                                        .size_bytes = size,
                                                        .direction = dir}});
  return live == nullptr ? DMA_MAPPING_ERROR : dma->raw();
}

void dma_unmap_resource(struct device* dev, dma_addr_t addr, size_t size,
                        enum dma_data_direction dir, unsigned long /*attrs*/) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return;
  static_cast<void>(take_mapping(
      {.kind = Kind::resource, .owner = device, .key = addr, .size_bytes = size, .direction = dir},
      __func__));
}

void dma_sync_single_for_cpu(struct device* dev, dma_addr_t addr, size_t size,
                             enum dma_data_direction dir) {
  sync(dev, addr, size, dir, __func__, sync_for_cpu);
}

void dma_sync_single_for_device(struct device* dev, dma_addr_t addr, size_t size,
                                enum dma_data_direction dir) {
  sync(dev, addr, size, dir, __func__, sync_for_device);
}

int dma_mapping_error(struct device* /*dev*/, dma_addr_t dma_addr) {
  return dma_addr == DMA_MAPPING_ERROR ? -ENOMEM : 0;
}

bool dma_need_sync(struct device* dev, dma_addr_t dma_addr) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return false;
  const auto live = state().table.find(dma_addr, [&](const Live& each) {
    return each.claim.key == dma_addr && each.claim.owner == device && each.mapped;
  });
  return !device->coherent || (live && live->mapped->copy);
}

unsigned int dma_map_sg_attrs(struct device* dev, struct scatterlist* sg, int nents,
                              enum dma_data_direction dir, unsigned long attrs) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr || nents <= 0) return 0;
  for (int i = 0; i < nents; ++i) {
    sg[i].dma_address = lend(*device, sg[i].buffer, sg[i].length, dir, attrs, Kind::list,
                             static_cast<unsigned int>(nents), __func__);
    if (sg[i].dma_address != DMA_MAPPING_ERROR) {
      sg[i].dma_length = sg[i].length;
      continue;
    }
    while (i-- > 0) {
      const auto live = take_back(entry_claim(*device, sg[i], nents, dir), __func__);
      if (live) undo(abandon(*device, *live->mapped), __func__);
    }
    return 0;
  }
  return static_cast<unsigned int>(nents);
}

void dma_unmap_sg_attrs(struct device* dev, struct scatterlist* sg, int nents,
                        enum dma_data_direction dir, unsigned long attrs) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return;
  for (int i = 0; i < nents; ++i) {
    const auto live = take_back(entry_claim(*device, sg[i], nents, dir), __func__);
    if (live) take_from_device(*live, *device, attrs, __func__);
  }
}

int dma_map_sgtable(struct device* dev, struct sg_table* sgt, enum dma_data_direction dir,
                    unsigned long attrs) {
  const unsigned int mapped =
      dma_map_sg_attrs(dev, sgt->sgl, static_cast<int>(sgt->orig_nents), dir, attrs);
  if (mapped == 0) return -EIO;
  sgt->nents = mapped;
  return 0;
}

void dma_sync_sg_for_cpu(struct device* dev, struct scatterlist* sg, int nelems,
                         enum dma_data_direction dir) {
  for (int i = 0; i < nelems; ++i)
    dma_sync_single_for_cpu(dev, sg[i].dma_address, sg[i].length, dir);
}

void dma_sync_sg_for_device(struct device* dev, struct scatterlist* sg, int nelems,
                            enum dma_data_direction dir) {
  for (int i = 0; i < nelems; ++i)
    dma_sync_single_for_device(dev, sg[i].dma_address, sg[i].length, dir);
}

void dma_unmap_sgtable(struct device* dev, struct sg_table* sgt, enum dma_data_direction dir,
                       unsigned long attrs) {
  dma_unmap_sg_attrs(dev, sgt->sgl, static_cast<int>(sgt->orig_nents), dir, attrs);
}

void dma_sync_sgtable_for_cpu(struct device* dev, struct sg_table* sgt,
                              enum dma_data_direction dir) {
  dma_sync_sg_for_cpu(dev, sgt->sgl, static_cast<int>(sgt->orig_nents), dir);
}

void dma_sync_sgtable_for_device(struct device* dev, struct sg_table* sgt,
                                 enum dma_data_direction dir) {
  dma_sync_sg_for_device(dev, sgt->sgl, static_cast<int>(sgt->orig_nents), dir);
}

}  // extern "C"

}  // namespace carveout::linux_face
