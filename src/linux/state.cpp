// The face's state: its storage, its table, and what it says about mistakes.
#include <algorithm>
#include <new>
#include <utility>

#include "c/face.hpp"
#include "carveout/core/assert.hpp"
#include "carveout/core/size.hpp"
#include "face.hpp"

namespace carveout::linux_face {
namespace {

constexpr std::size_t kAlign = 8;
/// What tables of dma_pools are counted in.
constexpr std::size_t kGranule = 64;
constexpr std::size_t kNever = SIZE_MAX;

State* the_state = nullptr;

/// Where each part of the storage begins, from a front that is aligned.
struct Plan {
  std::size_t state = 0;
  std::size_t heads = 0;
  std::size_t nodes = 0;
  std::size_t pools = 0;
  std::size_t taken = 0;
  std::size_t tables = 0;
  std::size_t tables_bytes = 0;
  std::size_t end = 0;
};

Plan plan_of(const carveout_linux_limits& limits) {
  Plan plan;
  std::size_t end = 0;
  const auto part = [&end](std::uint64_t count, std::uint64_t bytes_each) {
    const std::size_t first = end;
    const auto bytes = checked_multiply(count, bytes_each);
    const bool fits = bytes && *bytes < kNever - kAlign && end != kNever;
    const std::size_t size =
        fits ? (static_cast<std::size_t>(*bytes) + (kAlign - 1)) & ~(kAlign - 1) : kNever;
    end = saturating_add(end, size);
    return first;
  };
  plan.state = part(1, sizeof(State));
  plan.heads = part(limits.live, sizeof(std::uint32_t));
  plan.nodes = part(limits.live, sizeof(Table::Node));
  plan.pools = part(limits.dma_pools, sizeof(DmaPool));
  plan.taken = part(1, RangeAllocator::storage_bytes(1, limits.dma_pools));
  // Of each pool the blocks of its pages, and for each block 8 bytes; then to whole granules.
  const std::size_t before = end;
  plan.tables = part(limits.dma_pool_blocks, sizeof(std::uint64_t));
  part(limits.dma_pools, checked_multiply(limits.dma_pool_pages, sizeof(Block)).value_or(kNever));
  part(limits.dma_pools, kGranule);
  part(1, kGranule);
  plan.tables_bytes = end == kNever ? 0 : (end - before) & ~(kGranule - 1);
  plan.end = end;
  return plan;
}

int begin(System& system, const carveout_linux_limits& limits, std::span<std::byte> storage) {
  if (the_state != nullptr) return -EBUSY;
  if (limits.live == 0 || limits.live >= Table::kNone) return -EINVAL;
  const Plan plan = plan_of(limits);
  const auto at = reinterpret_cast<std::uintptr_t>(storage.data());
  const std::size_t skipped = (kAlign - at % kAlign) % kAlign;
  if (plan.end == kNever || storage.size() < saturating_add(skipped, plan.end)) return -ENOMEM;
  std::byte* const front = storage.data() + skipped;
  const auto place = [front](std::size_t offset) { return static_cast<void*>(front + offset); };

  auto* const pools = static_cast<DmaPool*>(place(plan.pools));
  for (std::size_t i = 0; i < limits.dma_pools; ++i) {
    new (pools + i) DmaPool{
        .taken = false,
        .blocks = std::nullopt,
        .tables = {
            .range = {PhysAddr{0}, 0}, .dma = DmaAddr{0}, .tag = 0, .chunk = 0, .serial = 0}};
  }
  const PhysRange tables{PhysAddr{0}, plan.tables_bytes};
  auto taken = RangeAllocator::create(
      {&tables, 1}, kGranule, limits.dma_pools,
      {front + plan.taken, RangeAllocator::storage_bytes(1, limits.dma_pools)});
  if (!taken) return -ENOMEM;
  the_state = new (place(plan.state))
      State{.system = &system,
            .table = Table{system.platform().port,
                           {static_cast<std::uint32_t*>(place(plan.heads)), limits.live},
                           static_cast<Table::Node*>(place(plan.nodes))},
            .dma_pools = {pools, limits.dma_pools},
            .dma_pool_pages = limits.dma_pool_pages,
            .pool_tables = {front + plan.tables, plan.tables_bytes},
            .pool_tables_taken = std::move(*taken)};
  return 0;
}

/// What is wrong with a claim on something that lives under its key, and how many of the checks it
/// passed: of several that live there, the one that passed most is meant.
struct Fault {
  int passed;
  const char* what;  ///< nullptr: nothing
};
Fault fault_of(const Claim& claim, const Claim& live) {
  if (claim.kind != live.kind) return {0, "it was handed out by another kind of function"};
  if (claim.owner != live.owner) return {1, "it belongs to another device or pool"};
  if (claim.size_bytes != live.size_bytes) return {2, "the size is another than at first"};
  if (claim.direction != live.direction) return {3, "the direction is another than at first"};
  if (claim.cpu != live.cpu) return {4, "the CPU's address is another than at first"};
  if (claim.entries != live.entries)
    return {5, "the list has another number of entries than at first"};
  return {6, nullptr};
}

int set_masks(const Device& device, const Masks& masks) {
  return state().system->set_masks(changeable(device), masks) ? 0 : -EIO;
}

}  // namespace

Table::Table(PortRef port, std::span<std::uint32_t> heads, Node* nodes)
    : port_{port}, heads_{heads}, nodes_{nodes} {
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    new (heads_.data() + i) std::uint32_t{kNone};
    const auto next = static_cast<std::uint32_t>(i + 1);
    new (nodes_ + i) Node{.live = {.claim = {}}, .next = i + 1 == heads_.size() ? kNone : next};
  }
}

const Live* Table::add(const Live& live) {
  if (!port_.may_lock()) return nullptr;
  const LockGuard guard{port_, lock_};
  const std::uint32_t at = free_;
  if (at == kNone) return nullptr;
  Node& node = nodes_[at];
  free_ = node.next;
  node.live = live;
  if (node.live.claim.cpu == nullptr) node.live.claim.cpu = &node;
  std::uint32_t& head = heads_[bucket_of(live.claim.key)];
  node.next = head;
  head = at;
  __atomic_store_n(&count_, count_ + 1, __ATOMIC_RELAXED);
  return &node.live;
}

std::optional<Live> Table::take(const Claim& claim, const char*& wrong) {
  wrong = "an interrupt would have to wait for the port's lock";
  if (!port_.may_lock()) return std::nullopt;
  const LockGuard guard{port_, lock_};
  wrong = "it was never handed out, or given back before";
  int passed = -1;
  for (std::uint32_t* link = &heads_[bucket_of(claim.key)]; *link != kNone;
       link = &nodes_[*link].next) {
    Node& node = nodes_[*link];
    if (node.live.claim.key != claim.key) continue;
    const Fault fault = fault_of(claim, node.live.claim);
    if (fault.what != nullptr) {
      if (fault.passed > passed) wrong = fault.what;
      passed = std::max(passed, fault.passed);
      continue;
    }
    const std::uint32_t at = *link;
    *link = node.next;
    node.next = free_;
    free_ = at;
    __atomic_store_n(&count_, count_ - 1, __ATOMIC_RELAXED);
    wrong = nullptr;
    return node.live;
  }
  return std::nullopt;
}

State& state() {
  CARVEOUT_ASSERT(the_state != nullptr);
  return *the_state;
}

void report(const char* function, const char* what) {
  State& face = state();
  __atomic_fetch_add(&face.mistakes, 1, __ATOMIC_RELAXED);
  if (face.mistake != nullptr) face.mistake(face.mistake_context, function, what);
}

const Device* device_of(const struct device* dev, const char* function) {
  if (dev != nullptr && dev->carveout != nullptr) return static_cast<const Device*>(dev->carveout);
  report(function, "the device is tied to none of the system's");
  return nullptr;
}

std::optional<Live> take_back(const Claim& claim, const char* function) {
  const char* wrong = nullptr;
  auto live = state().table.take(claim, wrong);
  if (!live) report(function, wrong);
  return live;
}

Attributes attributes_of(unsigned long attrs) {
  Attributes made = Attributes::none;
  const auto add = [&](unsigned long theirs, Attributes ours) {
    if ((attrs & theirs) != 0) made = made | ours;
  };
  add(DMA_ATTR_WRITE_COMBINE, Attributes::write_combine);
  add(DMA_ATTR_NO_KERNEL_MAPPING, Attributes::no_cpu_mapping);
  add(DMA_ATTR_SKIP_CPU_SYNC, Attributes::skip_cpu_sync);
  add(DMA_ATTR_FORCE_CONTIGUOUS, Attributes::force_contiguous);
  add(DMA_ATTR_ALLOC_SINGLE_PAGES, Attributes::single_pages);
  add(DMA_ATTR_NO_WARN, Attributes::no_warn);
  add(DMA_ATTR_PRIVILEGED, Attributes::privileged);
  return made;
}

int errno_of(Error error) {
  switch (error) {
    case Error::already_declared:
    case Error::in_use:
    case Error::overlaps:
      return -EBUSY;
    case Error::exhausted:
    case Error::table_full:
    case Error::storage_too_small:
    case Error::would_wait:
      return -ENOMEM;
    case Error::no_pool:
      return -ENODEV;
    default:
      return -EINVAL;
  }
}

extern "C" {

size_t carveout_linux_storage_bytes(const struct carveout_linux_limits* limits) {
  return saturating_add(plan_of(*limits).end, kAlign - 1);
}

int carveout_linux_init(struct carveout_system* system, const struct carveout_linux_limits* limits,
                        void* storage, size_t size) {
  return begin(*system->system, *limits, {static_cast<std::byte*>(storage), size});
}

size_t carveout_linux_exit(void) {
  const std::size_t live = state().table.count();
  the_state = nullptr;
  return live;
}

int carveout_linux_device(struct device* dev, const char* name) {
  dev->carveout = state().system->find_device(name_from(name));
  return dev->carveout == nullptr ? -ENODEV : 0;
}

void carveout_linux_on_mistake(carveout_linux_mistake_fn mistake, void* context) {
  state().mistake = mistake;
  state().mistake_context = context;
}

size_t carveout_linux_mistakes(void) {
  return __atomic_load_n(&state().mistakes, __ATOMIC_RELAXED);
}

size_t carveout_linux_live(void) { return state().table.count(); }

int dma_set_mask(struct device* dev, uint64_t mask) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return -ENODEV;
  return set_masks(*device, {.coherent = device->coherent_mask, .streaming = DmaAddr{mask}});
}

int dma_set_coherent_mask(struct device* dev, uint64_t mask) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return -ENODEV;
  return set_masks(*device, {.coherent = DmaAddr{mask},
                             .streaming = device->streaming.mask.value_or(device->coherent_mask)});
}

int dma_set_mask_and_coherent(struct device* dev, uint64_t mask) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return -ENODEV;
  return set_masks(*device, {.coherent = DmaAddr{mask}, .streaming = DmaAddr{mask}});
}

uint64_t dma_get_mask(struct device* dev) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return 0;
  return device->streaming.mask.value_or(device->coherent_mask).raw();
}

size_t dma_max_mapping_size(struct device* dev) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return 0;
  const std::uint64_t most = largest_mapping_bytes(*device);
  return most > kNever ? kNever : static_cast<std::size_t>(most);
}

int dma_get_cache_alignment(void) { return static_cast<int>(state().port().cache_line_bytes()); }

void dma_wmb(void) { state().port().publish_barrier(); }
void dma_rmb(void) { state().port().observe_barrier(); }
void dma_mb(void) { state().port().full_barrier(); }

int of_reserved_mem_device_init_by_idx(struct device* dev, struct device_node* /*np*/, int idx) {
  const Device* const device = device_of(dev, __func__);
  if (device == nullptr) return -ENODEV;
  for (const Binding* own = device->bindings; own != nullptr; own = own->next) {
    if (static_cast<int>(own->index) == idx) return own->refused ? errno_of(*own->refused) : 0;
  }
  return -ENODEV;
}

int of_reserved_mem_device_init_by_name(struct device* dev, struct device_node* /*np*/,
                                        const char* name) {
  const Device* const device = device_of(dev, __func__);
  const std::string_view wanted = name_from(name);
  if (device == nullptr || wanted.empty()) return -ENODEV;  // bindings without a name have ""
  for (const Binding* own = device->bindings; own != nullptr; own = own->next) {
    if (own->name == wanted) return own->refused ? errno_of(*own->refused) : 0;
  }
  return -ENODEV;
}

}  // extern "C"

}  // namespace carveout::linux_face

int carveout_linux_init(carveout::System& system, const carveout_linux_limits& limits,
                        void* storage, size_t size) {
  return carveout::linux_face::begin(system, limits, {static_cast<std::byte*>(storage), size});
}
