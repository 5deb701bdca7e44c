// Coherent memory, what becomes of it, routes and blocks of one size for C.
#include "carveout/ops/coherent.hpp"
#include "carveout/map/mmap.hpp"
#include "carveout/map/route.hpp"
#include "carveout/ops/handover.hpp"
#include "carveout/ops/lent.hpp"
#include "carveout/ops/quarantine.hpp"
#include "carveout/ops/refusal.hpp"
#include "face.hpp"

namespace carveout::c {
namespace {

static_assert(static_cast<int>(Attributes::non_coherent) == CARVEOUT_ATTR_NON_COHERENT);
static_assert(static_cast<int>(Attributes::no_cpu_mapping) == CARVEOUT_ATTR_NO_CPU_MAPPING);
static_assert(static_cast<int>(Attributes::uninitialized) == CARVEOUT_ATTR_UNINITIALIZED);
static_assert(static_cast<int>(Attributes::force_contiguous) == CARVEOUT_ATTR_FORCE_CONTIGUOUS);
static_assert(static_cast<int>(Attributes::write_combine) == CARVEOUT_ATTR_WRITE_COMBINE);
static_assert(static_cast<int>(Attributes::single_pages) == CARVEOUT_ATTR_SINGLE_PAGES);
static_assert(static_cast<int>(Attributes::skip_cpu_sync) == CARVEOUT_ATTR_SKIP_CPU_SYNC);
static_assert(static_cast<int>(Attributes::no_warn) == CARVEOUT_ATTR_NO_WARN);
static_assert(static_cast<int>(Attributes::privileged) == CARVEOUT_ATTR_PRIVILEGED);
static_assert(static_cast<int>(Attributes::require_coherent) == CARVEOUT_ATTR_REQUIRE_COHERENT);
static_assert(static_cast<int>(Verdict::open) == CARVEOUT_VERDICT_OPEN);
static_assert(static_cast<int>(Verdict::taken) == CARVEOUT_VERDICT_TAKEN);
static_assert(static_cast<int>(Verdict::skipped) == CARVEOUT_VERDICT_SKIPPED);
static_assert(static_cast<int>(Verdict::refused) == CARVEOUT_VERDICT_REFUSED);

using c::from_c;  // beside those of this file

/// The block pool that lives at the front of its storage; its tables follow.
[[nodiscard]] BlockPool* from_c(carveout_block_pool* blocks) {
  return reinterpret_cast<BlockPool*>(blocks);
}
[[nodiscard]] const BlockPool* from_c(const carveout_block_pool* blocks) {
  return reinterpret_cast<const BlockPool*>(blocks);
}

constexpr std::size_t kAlign = alignof(BlockPool);
static_assert(kAlign % BlockPool::kStorageAlign == 0 && sizeof(BlockPool) % kAlign == 0);

BlockPool::Settings from_c(const carveout_block_pool_settings& settings) {
  BlockPool::Settings made{.size_bytes = settings.size_bytes,
                           .boundary_bytes = settings.boundary_bytes};
  if (settings.align_bytes != 0) made.align_bytes = settings.align_bytes;
  if (settings.page_bytes != 0) made.page_bytes = settings.page_bytes;
  if (settings.most_pages != 0) made.most_pages = settings.most_pages;
  return made;
}

/// NULL is no options. Fails with: bad_attributes (a number that means nothing), unknown_pool.
Result<Options> from_c(const carveout_options* options) {
  if (options == nullptr) return Options{};
  if (!is_one_of(options->choice, CARVEOUT_ANY_POOL, CARVEOUT_POOL_BY_NAME) ||
      !are_attributes(options->attributes))
    return refuse(Error::bad_attributes);
  Options made{.boundary_bytes = options->boundary_bytes,
               .attributes = static_cast<Attributes>(options->attributes),
               .context = options->must_not_wait ? Context::must_not_wait : Context::may_wait};
  if (options->align_bytes != 0) made.align_bytes = options->align_bytes;
  if (options->choice == CARVEOUT_POOL_BY_INDEX) made.pool.index = options->pool_index;
  if (options->choice == CARVEOUT_POOL_BY_NAME) {
    made.pool.name = text_of(options->pool_name);
    // To the library, it would be any pool.
    if (made.pool.name.empty()) return refuse(Error::unknown_pool);
  }
  return made;
}

using Allocate = Result<Block>(const Device&, std::uint64_t, const Options&);

carveout_error allocate(Allocate& verb, const carveout_device* device, std::uint64_t size_bytes,
                        const carveout_options* options, carveout_block* block,
                        carveout_failure* why) {
  const auto made = from_c(options);
  if (!made) {
    const auto attributes = static_cast<Attributes>(options->attributes);
    return fail(refused(*from_c(device), attributes, made.error()).error(), why);
  }
  return hand_out(verb(*from_c(device), size_bytes, *made), block, why);
}

}  // namespace

// C's functions belong to no namespace: stated here, they are the ones of the header.
extern "C" {

carveout_error carveout_alloc_coherent(const carveout_device* device, uint64_t size_bytes,
                                       const carveout_options* options, carveout_block* block,
                                       carveout_failure* why) {
  return allocate(alloc_coherent, device, size_bytes, options, block, why);
}

carveout_error carveout_alloc_from_device_pool(const carveout_device* device, uint64_t size_bytes,
                                               const carveout_options* options,
                                               carveout_block* block, carveout_failure* why) {
  return allocate(alloc_from_device_pool, device, size_bytes, options, block, why);
}

carveout_error carveout_alloc_from_default_pool(const carveout_device* device, uint64_t size_bytes,
                                                const carveout_options* options,
                                                carveout_block* block, carveout_failure* why) {
  return allocate(alloc_from_default_pool, device, size_bytes, options, block, why);
}

carveout_error carveout_alloc_from_default_contiguous(const carveout_device* device,
                                                      uint64_t size_bytes,
                                                      const carveout_options* options,
                                                      carveout_block* block,
                                                      carveout_failure* why) {
  return allocate(alloc_from_default_contiguous, device, size_bytes, options, block, why);
}

carveout_error carveout_free_coherent(const carveout_block* block, carveout_failure* why) {
  return answer(free_coherent(from_c(*block)), why);
}

carveout_error carveout_borrow(carveout_pool* pool, uint64_t size_bytes, uint32_t user,
                               const carveout_phys_range* avoid, carveout_block* block,
                               carveout_failure* why) {
  std::optional<PhysRange> avoided;
  if (avoid != nullptr) avoided = from_c(*avoid);
  return hand_out(borrow(*from_c(pool), size_bytes, user, avoided), block, why);
}

carveout_error carveout_quarantine(const carveout_device* device, const carveout_block* block,
                                   carveout_failure* why) {
  return answer(quarantine(*from_c(device), from_c(*block)), why);
}

carveout_error carveout_quiesced(const carveout_device* device, carveout_failure* why) {
  return answer(quiesced(*from_c(device)), why);
}

carveout_error carveout_write_before_read(carveout_pool* pool, carveout_failure* why) {
  return answer(write_before_read(*from_c(pool)), why);
}

void carveout_clean_for_handover(const carveout_pool* pool) { clean_for_handover(*from_c(pool)); }

void carveout_clean_all_for_handover(const carveout_system* system) {
  clean_for_handover(system->system->roles());
}

void carveout_take_over(const carveout_pool* pool) { take_over(*from_c(pool)); }

carveout_error carveout_mmap_check(const carveout_device* device, const carveout_block* block,
                                   const carveout_mmap_request* request, carveout_phys_range* range,
                                   carveout_failure* why) {
  const auto allowed = mmap_check(*from_c(device), from_c(*block),
                                  {.first_page = request->first_page,
                                   .pages = request->pages,
                                   .page_bytes = request->page_bytes,
                                   .view = request->cached ? View::cached : View::uncached});
  if (allowed) *range = to_c(*allowed);
  return answer(allowed, why);
}

void carveout_publish_barrier(const carveout_system* system) {
  system->system->platform().port.publish_barrier();
}

void carveout_observe_barrier(const carveout_system* system) {
  system->system->platform().port.observe_barrier();
}

carveout_error carveout_route(const carveout_device* device, const carveout_options* options,
                              carveout_candidate_fn each, void* context) {
  const auto made = from_c(options);
  if (!made) return to_c(made.error().code);
  const auto error = route(*from_c(device), *made, [&](const Candidate& candidate) {
    const carveout_candidate told{
        .role = static_cast<carveout_role>(candidate.role),
        .verdict = static_cast<carveout_verdict>(candidate.verdict),
        .error = candidate.error ? to_c(*candidate.error) : carveout_error{CARVEOUT_OK},
        .pool = to_c(candidate.pool_name),
        .of_the_library = &candidate};
    return each(context, &told) ? Step::next : Step::stop;
  });
  return error ? to_c(*error) : carveout_error{CARVEOUT_OK};
}

size_t carveout_block_pool_storage_bytes(const carveout_block_pool_settings* settings) {
  const BlockPool::Settings made = from_c(*settings);
  const auto layout = BlockPool::layout(made);
  if (!layout) return SIZE_MAX;
  return saturating_add(sizeof(BlockPool) + kAlign - 1,
                        BlockPool::storage_bytes(*layout, made.most_pages));
}

carveout_error carveout_block_pool_create(const carveout_device* device,
                                          const carveout_block_pool_settings* settings,
                                          const carveout_options* options, void* storage,
                                          size_t size, carveout_block_pool** blocks,
                                          carveout_failure* why) {
  const auto at = reinterpret_cast<std::uintptr_t>(storage);
  const std::size_t front = (kAlign - at % kAlign) % kAlign + sizeof(BlockPool);
  std::span<std::byte> tables{static_cast<std::byte*>(storage), size};
  // Where not even the front fits, the tables have nothing.
  tables = tables.subspan(size < front ? size : front);
  const auto wanted = from_c(options);
  if (!wanted) return answer(wanted, why);
  auto made = create_block_pool(*from_c(device), from_c(*settings), tables, *wanted);
  if (made) {
    void* const room = tables.data() - sizeof(BlockPool);
    *blocks = reinterpret_cast<carveout_block_pool*>(new (room) BlockPool{std::move(*made)});
  }
  return answer(made, why);
}

carveout_error carveout_block_pool_take(carveout_block_pool* blocks, bool must_not_wait,
                                        carveout_block* block, carveout_failure* why) {
  const Context context = must_not_wait ? Context::must_not_wait : Context::may_wait;
  return hand_out(from_c(blocks)->take(context), block, why);
}

carveout_error carveout_block_pool_give_back(carveout_block_pool* blocks,
                                             const carveout_block* block, carveout_failure* why) {
  return answer(from_c(blocks)->give_back(from_c(*block)), why);
}

carveout_error carveout_block_pool_close(carveout_block_pool* blocks, carveout_failure* why) {
  return answer(from_c(blocks)->close(), why);
}

carveout_block_usage carveout_block_pool_usage(const carveout_block_pool* blocks) {
  const BlockPool::Usage usage = from_c(blocks)->usage();
  return {.blocks = usage.blocks,
          .peak_blocks = usage.peak_blocks,
          .pages = usage.pages,
          .page_bytes = usage.page_bytes};
}

}  // extern "C"

}  // namespace carveout::c
