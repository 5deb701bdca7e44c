// Pools for callers that must not wait, cut out of the default pool, and growing before they run
// out.
#include <bit>
#include <new>
#include <tuple>
#include <utility>

#include "carveout/core/size.hpp"
#include "carveout/setup/system.hpp"
#include "whole_granules.hpp"

namespace carveout {
namespace {

/// Holds what was cut out of a pool. No device has such a number, and no ordinary user.
constexpr Holder kBoard = kLent - 1;

}  // namespace

Result<System::PoolNode*> System::carve_piece(const AtomicSettings& settings, Pool& whole) {
  const std::size_t before = used_;
  const auto room = room_for<Block>();
  if (!room) return std::unexpected{room.error()};
  const Reach everything = Reach::everything();
  const auto block = whole.take(Need{.size_bytes = settings.size_bytes, .holder = kBoard},
                                {&everything, 1}, View::uncached);
  if (!block) {
    used_ = before;
    return std::unexpected{block.error()};
  }
  const PhysRange range{block->phys, block->size_bytes};
  const PoolSettings pool{.name = settings.name,
                          .memory = Memory::coherent,
                          .chunks = {&range, 1},
                          .granule_bytes = settings.granule_bytes,
                          .store = settings.store};
  Result<PoolNode*> made = refuse(Error::below_granule, settings.name);
  if (!inward(range, granule_of(settings.granule_bytes)).empty())
    made = make_pool(pool, new (*room) Block{*block});
  if (!made) {
    std::ignore = whole.give_back(*block);  // it was taken a moment ago
    used_ = before;
  }
  return made;
}

Result<Pool*> System::carve_atomic(const AtomicSettings& settings) {
  Pool*& slot = roles_.pools[static_cast<std::size_t>(Role::atomic)];
  if (slot != nullptr) return refuse(Error::already_declared, settings.name, slot->name());
  if (find_pool(settings.name) != nullptr)
    return refuse(Error::already_declared, settings.name, settings.name);
  if (settings.granule_bytes != 0 && !is_power_of_two(settings.granule_bytes))
    return refuse(Error::bad_granule, settings.name);
  if (settings.most_pieces == 0) return refuse(Error::table_full, settings.name);

  Pool* const whole = roles_.of(Role::default_pool);
  if (whole == nullptr) return refuse(Error::no_pool, settings.name);

  const std::uint64_t granule = granule_of(settings.granule_bytes);
  const auto taken = align_up(settings.size_bytes, whole->granule_bytes());
  const std::size_t needed =
      atomic_storage_bytes(settings.most_pieces, settings.store.value_or(platform_.store),
                           taken.value_or(0) >> std::countr_zero(granule));
  if (const std::size_t left = storage_.size() - used_ - set_aside_; needed > left) {
    return std::unexpected{Failure{.code = Error::storage_too_small,
                                   .pool = settings.name,
                                   .asked_bytes = needed,
                                   .free_bytes = left}};
  }
  const std::size_t before = used_;
  const auto first = carve_piece(settings, *whole);
  if (!first) return std::unexpected{first.error()};
  set_aside_ = needed - (used_ - before);
  atomic_ = settings;
  atomic_pieces_ = 1;
  slot = &(*first)->pool;
  return slot;
}

bool System::atomic_is_low() const {
  if (!atomic_ || atomic_pieces_ == atomic_->most_pieces) return false;
  std::uint64_t free_bytes = roles_.of(Role::atomic)->usage().free_bytes();
  for (const Roles::AtomicPiece* piece = roles_.atomic_pieces; piece != nullptr;
       piece = piece->next) {
    free_bytes += piece->pool->usage().free_bytes();
  }
  return free_bytes < atomic_->low_water_bytes;
}

Result<std::uint64_t> System::grow_atomic() {
  if (!atomic_is_low()) return 0;
  const std::size_t before = used_;
  const std::size_t set_aside = std::exchange(set_aside_, 0);
  // The default pool stays as long as a piece of it is used.
  const auto made = carve_piece(*atomic_, *roles_.of(Role::default_pool));
  const auto room = made ? room_for<Roles::AtomicPiece>() : std::unexpected{made.error()};
  set_aside_ = set_aside;
  if (!room) return std::unexpected{room.error()};
  set_aside_ -= used_ - before;
  ++atomic_pieces_;
  auto* const piece = new (*room) Roles::AtomicPiece{.pool = &(*made)->pool, .next = nullptr};
  Roles::AtomicPiece** end = &roles_.atomic_pieces;
  while (*end != nullptr) end = &(*end)->next;
  // An interrupt that sees the link sees a whole piece.
  __atomic_store_n(end, piece, __ATOMIC_RELEASE);
  return piece->pool->usage().total_bytes;
}

/// A pool leaves the pieces of the atomic pool. Another one becomes the first.
void System::forget_piece(const Pool& pool) {
  for (Roles::AtomicPiece** link = &roles_.atomic_pieces; *link != nullptr;) {
    if ((*link)->pool == &pool) {
      *link = (*link)->next;
    } else {
      link = &(*link)->next;
    }
  }
  Pool*& first = roles_.pools[static_cast<std::size_t>(Role::atomic)];
  if (first != nullptr) return;
  if (roles_.atomic_pieces != nullptr) {
    first = std::exchange(roles_.atomic_pieces, roles_.atomic_pieces->next)->pool;
  } else {
    atomic_.reset();
    set_aside_ = 0;
  }
}

}  // namespace carveout
