// Coherent memory by Linux's names, and what architecture code asks for.
#include "carveout/ops/coherent.hpp"
#include "carveout/map/mmap.hpp"
#include "face.hpp"

namespace carveout::linux_face {
namespace {

/// What Linux promises: the device address is aligned to the size, rounded up to a power of two.
std::uint64_t natural_alignment(std::uint64_t size_bytes) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 63;
  std::uint64_t align = 1;
  while (align < size_bytes && align != kMost) align <<= 1;
  return align;
}

Options options_of(std::size_t size, gfp_t flags, unsigned long attrs) {
  return {.align_bytes = natural_alignment(size),
          .attributes = attributes_of(attrs),
          .context = context_of(flags)};
}

/// Remembers a block and hands it out; gives it back where nothing more can be remembered.
void* hand_out(const Result<Block>& block, const Device& device, std::size_t size,
               dma_addr_t* handle, const char* function) {
  if (!block) return nullptr;
  const Live* const live = state().table.add({.claim = {.kind = Kind::coherent,
                                                        .owner = &device,
                                                        .key = block->dma.raw(),
                                                        .size_bytes = size,
                                                        .cpu = block->cpu},
                                              .block = *block});
  if (live == nullptr) {
    undo(free_coherent(*block), function);
    return nullptr;
  }
  *handle = block->dma.raw();
  // Where the CPU has no mapping, the table made it a cookie. It is const only for the table.
  return const_cast<void*>(live->claim.cpu);
}

void give_back(const Live& live, const char* function) {
  if (!free_coherent(*live.block)) report(function, "the pool does not take it back");
}

int order_of(std::uint64_t size_bytes) {
  int order = 0;
  while ((static_cast<std::uint64_t>(PAGE_SIZE) << order) < size_bytes) ++order;
  return order;
}

/// Gives back by the CPU's address what came from `pool`, as Linux's architectures do.
int release_at(const Pool* pool, int order, const void* vaddr, const char* function) {
  const auto live = state().table.find(std::nullopt, [&](const Live& each) {
    return each.claim.kind == Kind::coherent && each.claim.cpu == vaddr && each.block->pool == pool;
  });
  if (pool == nullptr || !live) return 0;
  if (order_of(live->claim.size_bytes) != order) {
    report(function, "the size is another than at first");
    return 1;
  }
  if (const auto taken = take_back(live->claim, function)) give_back(*taken, function);
  return 1;
}

/// The name of a binding that dma_declare_coherent_memory() made.
constexpr std::string_view kDeclared = "linux,declared";

/// The coherent pool that dma_declare_coherent_memory() or the board gave to a device.
const Binding* own_pool(const Device& device) {
  const Binding* own = device.bindings;
  while (own != nullptr && (own->memory != Memory::coherent || own->refused)) own = own->next;
  return own;
}

/// Ends a pool that dma_declare_coherent_memory() made. The device is then as before that: a
/// binding that stays as a refused one would bar other memory.
Result<void> end_declared(Device& device, Pool& pool) {
  if (auto released = state().system->release(pool); !released) return released;
  for (Binding** link = &device.bindings; *link != nullptr; link = &(*link)->next) {
    if ((*link)->pool != &pool) continue;
    *link = (*link)->next;
    break;
  }
  return {};
}

Result<Pool*> declare(std::string_view name, phys_addr_t phys, std::size_t size) {
  const PhysRange range{PhysAddr{phys}, size};
  return state().system->declare({.name = name, .chunks = {&range, 1}});
}

}  // namespace

extern "C" {

void* dma_alloc_attrs(struct device* dev, size_t size, dma_addr_t* dma_handle, gfp_t flag,
                      unsigned long attrs) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return nullptr;
  return hand_out(alloc_coherent(*device, size, options_of(size, flag, attrs)), *device, size,
                  dma_handle, __func__);
}

void dma_free_attrs(struct device* dev, size_t size, void* cpu_addr, dma_addr_t dma_handle,
                    unsigned long /*attrs*/) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr || cpu_addr == nullptr) return;
  const auto live = take_back({.kind = Kind::coherent,
                               .owner = device,
                               .key = dma_handle,
                               .size_bytes = size,
                               .cpu = cpu_addr},
                              __func__);
  if (live) give_back(*live, __func__);
}

void* dma_alloc_noncoherent(struct device* dev, size_t size, dma_addr_t* dma_handle,
                            enum dma_data_direction dir, gfp_t gfp) {
  const Device* const device = device_of(dev, __func__);
  const auto direction = direction_of(dir);
  if (device == nullptr || !direction) return nullptr;
  Options options = options_of(size, gfp, 0);
  options.attributes = Attributes::non_coherent;
  const auto block = alloc_coherent(*device, size, options);
  if (!block) return nullptr;
  const auto mapped =
      map(*device, bytes_of(*block, size), *direction, {.context = options.context});
  const Live* live = nullptr;
  if (mapped) {
    live = state().table.add({.claim = {.kind = Kind::noncoherent,
                                        .owner = device,
                                        .key = mapped->dma.raw(),
                                        .size_bytes = size,
                                        .direction = dir,
                                        .cpu = block->cpu},
                              .block = *block,
                              .mapped = *mapped});
    if (live == nullptr) undo(abandon(*device, *mapped), __func__);
  }
  if (live == nullptr) {
    undo(free_coherent(*block), __func__);
    return nullptr;
  }
  *dma_handle = mapped->dma.raw();
  return block->cpu;
}

void dma_free_noncoherent(struct device* dev, size_t size, void* vaddr, dma_addr_t dma_handle,
                          enum dma_data_direction dir) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr || vaddr == nullptr) return;
  const auto live = take_back({.kind = Kind::noncoherent,
                               .owner = device,
                               .key = dma_handle,
                               .size_bytes = size,
                               .direction = dir,
                               .cpu = vaddr},
                              __func__);
  if (!live) return;
  if (!unmap(*device, *live->mapped))
    report(__func__, "the bounce pool does not take its copy back");
  give_back(*live, __func__);
}

bool dma_can_mmap(struct device* dev) { return device_of(dev, __func__) != nullptr; }

int dma_mmap_attrs(struct device* dev, struct vm_area_struct* vma, void* cpu_addr,
                   dma_addr_t dma_addr, size_t size, unsigned long /*attrs*/) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return -ENODEV;
  const auto live = state().table.find(dma_addr, [&](const Live& each) {
    return each.claim.kind == Kind::coherent && each.claim.owner == device &&
           each.claim.key == dma_addr && each.claim.cpu == cpu_addr &&
           each.claim.size_bytes == size;
  });
  if (!live) {
    report(__func__, "it was never handed out, or given back before");
    return -ENXIO;
  }
  MmapRequest request{.first_page = vma->vm_pgoff,
                      .pages = (vma->vm_end - vma->vm_start) / PAGE_SIZE,
                      .page_bytes = PAGE_SIZE};
  for (const View view : {View::uncached, View::cached}) {
    request.view = view;
    const auto range = mmap_check(*device, *live->block, request);
    if (!range) continue;
    vma->carveout_phys = range->base.raw();
    vma->carveout_cached = view == View::cached;
    return 0;
  }
  return -ENXIO;
}

int dma_declare_coherent_memory(struct device* dev, phys_addr_t phys_addr, dma_addr_t device_addr,
                                size_t size) {
  const Device* const stated = device_of(dev, __func__);
  if (stated == nullptr) return -ENODEV;
  Device& device = changeable(*stated);
  if (own_pool(device) != nullptr) return -EBUSY;
  const auto pool = declare(device.name, phys_addr, size);
  if (!pool) return errno_of(pool.error().code);
  BindingSettings binding{.name = kDeclared,
                          .window = Window{DmaAddr{device_addr}, PhysAddr{phys_addr}, size}};
  for (const Binding* own = device.bindings; own != nullptr; own = own->next) {
    binding.index = own->index + 1;  // behind the board's, which serve nothing
  }
  const auto bound = state().system->bind(device, **pool, binding);
  if (bound) return 0;
  undo(end_declared(device, **pool), __func__);
  return errno_of(bound.error().code);
}

void dma_release_coherent_memory(struct device* dev) {
  const Device* const device = device_of(dev, __func__);
  const Binding* const own = device == nullptr ? nullptr : own_pool(*device);
  if (own == nullptr) return;
  if (own->name != kDeclared)
    return report(__func__, "the board gave it to the device, and others may have it too");
  if (!end_declared(changeable(*device), *own->pool)) report(__func__, "blocks of it are in use");
}

int dma_init_global_coherent(phys_addr_t phys_addr, size_t size) {
  System& system = *state().system;
  if (system.roles().of(Role::default_pool) != nullptr) return -EBUSY;
  const auto pool = declare("linux,dma-default", phys_addr, size);
  if (!pool) return errno_of(pool.error().code);
  const auto set = system.set_default(Role::default_pool, **pool);
  if (set) return 0;
  undo(system.release(**pool), __func__);
  return errno_of(set.error().code);
}

int dma_alloc_from_dev_coherent(struct device* dev, size_t size, dma_addr_t* dma_handle,
                                void** ret) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return 0;
  const auto block = alloc_from_device_pool(*device, size, options_of(size, GFP_ATOMIC, 0));
  if (!block && block.error().code == Error::no_pool) return 0;
  *ret = hand_out(block, *device, size, dma_handle, __func__);
  return 1;
}

int dma_release_from_dev_coherent(struct device* dev, int order, void* vaddr) {
  const Device* const device = device_of(dev, __func__);
  const Binding* const own = device == nullptr ? nullptr : own_pool(*device);
  return release_at(own == nullptr ? nullptr : own->pool, order, vaddr, __func__);
}

void* dma_alloc_from_global_coherent(struct device* dev, size_t size, dma_addr_t* dma_handle) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return nullptr;
  return hand_out(alloc_from_default_pool(*device, size, options_of(size, GFP_ATOMIC, 0)), *device,
                  size, dma_handle, __func__);
}

int dma_release_from_global_coherent(int order, void* vaddr) {
  return release_at(state().system->roles().of(Role::default_pool), order, vaddr, __func__);
}

}  // extern "C"

}  // namespace carveout::linux_face
