// The verbs, call by call, between two addresses that whoever counts instructions looks for: in
// pools that are brought to the states in which docs/allocator.md says that a call is dearest, and,
// so that a dearer one would show, in pools that are churned.
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "board.hpp"
#include "carveout/ops/coherent.hpp"
#include "carveout/ops/streaming.hpp"
#include "carveout/pool/size_classes.hpp"
#include "carveout/setup/from_tables.hpp"
#include "carveout_port/cortex_m.hpp"
#include "tables.hpp"

// Empty functions, each at an address of its own. Every name but the first is a row of the table.
#define AN500_COUNTED(name) \
  extern "C" [[gnu::naked, gnu::noinline, gnu::no_icf]] void counted_##name() { asm("bx lr"); }
AN500_COUNTED(begin)
AN500_COUNTED(alloc)
AN500_COUNTED(alloc_behind)
AN500_COUNTED(alloc_placed)
AN500_COUNTED(alloc_placed_behind)
AN500_COUNTED(alloc_exact)
AN500_COUNTED(alloc_exact_behind)
AN500_COUNTED(alloc_longest)
AN500_COUNTED(alloc_churned)
AN500_COUNTED(alloc_placed_churned)
AN500_COUNTED(alloc_placed_behind_churned)
AN500_COUNTED(free)
AN500_COUNTED(free_refused)
AN500_COUNTED(free_refused_churned)
AN500_COUNTED(free_churned)
AN500_COUNTED(map_line)
AN500_COUNTED(map_page)
AN500_COUNTED(map_parts)
AN500_COUNTED(map_parts_churned)
AN500_COUNTED(map_copy_line)
AN500_COUNTED(map_copy_page)
AN500_COUNTED(map_copy_exact)
AN500_COUNTED(unmap_line)
AN500_COUNTED(unmap_page)
AN500_COUNTED(unmap_parts)
AN500_COUNTED(unmap_parts_churned)
AN500_COUNTED(unmap_copy_line)
AN500_COUNTED(unmap_copy_page)

namespace an500 {
namespace {

using namespace carveout;

/// What is at the end of a row's calls.
using Row = void (*)();

constexpr std::uint64_t kGranule = 32;
constexpr std::uint64_t kGranules = kPool.size_bytes / kGranule;
constexpr TagStore kStore = TagStore::AN500_STORE;

// ---- the board ----------------------------------------------------------------------------------

/// Two pools that a device has to itself, and one for copies, in the contract's memory.
constexpr PhysRange eighths(std::uint64_t first, std::uint64_t count) {
  const std::uint64_t eighth = kContractPool.size_bytes / 8;
  return {PhysAddr{kContractPool.base.raw() + first * eighth}, count * eighth};
}
constexpr PhysRange kFirst = eighths(0, 2);
constexpr PhysRange kSecond = eighths(2, 2);
constexpr PhysRange kCopies = eighths(4, 4);
constexpr PhysRange kUncached = eighths(0, 4);
constexpr Alias kCountedAliases[]{kAliases[0],
                                  {kUncached.base, kUncached.base, kUncached.size_bytes}};
constexpr PoolSettings kCountedPools[]{
    {.name = "default", .chunks = {&kPool, 1}, .granule_bytes = kGranule, .store = kStore},
    {.name = "first", .chunks = {&kFirst, 1}, .granule_bytes = kGranule, .store = kStore},
    {.name = "second", .chunks = {&kSecond, 1}, .granule_bytes = kGranule, .store = kStore},
    {.name = "copies",
     .memory = Memory::bounce,
     .chunks = {&kCopies, 1},
     .granule_bytes = kGranule,
     .store = kStore}};

/// What is lent lies below the pools.
constexpr PhysRange kLent{kMemory[0].base, kPool.base.raw() - kMemory[0].base.raw()};

/// A quarter of the default pool each, in the opposite order and apart, so that no block can lie in
/// two; and the device's own pools.
constexpr std::uint64_t kQuarter = kPool.size_bytes / 4;
constexpr Window quarter(std::uint64_t index) {
  return {.dma = DmaAddr{0x6000'0000 + (3 - index) * 2 * kQuarter},
          .cpu = PhysAddr{kPool.base.raw() + index * kQuarter},
          .size_bytes = kQuarter};
}
constexpr Window kWindows[]{
    quarter(0),
    quarter(1),
    quarter(2),
    quarter(3),
    {.dma = DmaAddr{0x7000'0000},
     .cpu = kContractPool.base,
     .size_bytes = kContractPool.size_bytes},
    {.dma = DmaAddr{0x7800'0000}, .cpu = kLent.base, .size_bytes = kLent.size_bytes}};
constexpr Window kCopiesAlone[]{
    {.dma = DmaAddr{0x1000'0000}, .cpu = kCopies.base, .size_bytes = kCopies.size_bytes}};

constexpr Role kThenDefault[]{Role::default_pool};
constexpr DmaAddr kMask{0xffff'ffff};
constexpr std::uint64_t kPage = 4096;
enum Devices : std::size_t { kPlain, kBehind, kBehindWindows, kCopied };
constexpr DeviceSettings kCountedDevices[]{
    {.name = "plain", .coherent_mask = kMask},
    {.name = "behind", .coherent_mask = kMask, .fallback = kThenDefault},
    {.name = "behind, six windows",
     .coherent_mask = kMask,
     .translation = Translation::through(kWindows),
     .fallback = kThenDefault},
    // As NVMe has it: a copy keeps its place in a page, and crosses into no other.
    {.name = "copied",
     .coherent_mask = kMask,
     .translation = Translation::through(kCopiesAlone),
     .streaming = {.segment_boundary_bytes = kPage, .keep_low_bits = kPage - 1}}};
constexpr setup::BindingRow kBindings[]{
    {.device = kBehind, .pool = 1, .settings = {.index = 0}},
    {.device = kBehind, .pool = 2, .settings = {.index = 1}},
    {.device = kBehindWindows, .pool = 1, .settings = {.index = 0}},
    {.device = kBehindWindows, .pool = 2, .settings = {.index = 1}}};
constexpr setup::DefaultRow kCountedDefaults[]{{.role = Role::default_pool, .pool = 0},
                                               {.role = Role::bounce, .pool = 3}};
constexpr setup::Tables kCounted{.pools = kCountedPools,
                                 .devices = kCountedDevices,
                                 .bindings = kBindings,
                                 .defaults = kCountedDefaults};

alignas(8) std::array<std::byte, setup::measure(kCounted)> storage;
alignas(kPage) std::array<std::byte, 2 * kPage> buffer;

// ---- states -------------------------------------------------------------------------------------

/// A pool that is brought to a state. Lengths are in granules.
class Shaped {
 public:
  void of(Pool& pool) { pool_ = &pool; }

  [[nodiscard]] std::uint64_t left() const { return pool_->usage().total_bytes / kGranule - used_; }
  [[nodiscard]] bool is_room_for(std::uint64_t length) const { return left() >= length + 2; }

  /// A block; which one it is.
  std::size_t take(std::uint64_t length) {
    const auto block = pool_->take({.size_bytes = length * kGranule}, {&kAll, 1}, View::uncached);
    if (!block) board::fail(block.error(), "a state has its blocks");
    if (block) blocks_[count_] = *block;
    used_ += length;
    return count_++;
  }
  void give(std::size_t index) {
    if (blocks_[index] && !pool_->give_back(*blocks_[index])) board::check(false, "a block goes");
    blocks_[index].reset();
  }
  /// A block that open() gives back, and one behind it that stays.
  void hole(std::uint64_t length) {
    holes_[hole_count_++] = take(length);
    take(1);
  }
  void open() {
    if (left() != 0) take(left());
    for (std::size_t i = 0; i < hole_count_; ++i) give(holes_[i]);
    merge_parked();
  }
  /// A request for all of it is refused, after what is parked was given up.
  void merge_parked() {
    const auto all =
        pool_->take({.size_bytes = pool_->usage().total_bytes}, {&kAll, 1}, View::uncached);
    board::check(!all, "a pool that has a state is in use");
  }

  void clear() {
    for (std::size_t i = 0; i < count_; ++i) give(i);
    count_ = hole_count_ = 0;
    used_ = 0;
    // The next state begins with one free run, and with nothing that is parked.
    give(take(left()));
    count_ = 0;
    used_ = 0;
  }
  /// One of the blocks, to be given back by who counts.
  std::optional<Block> lose(std::size_t index) {
    const auto block = blocks_[index];
    blocks_[index].reset();
    return block;
  }

 private:
  static constexpr Reach kAll{PhysAddr{0}, PhysAddr{UINT64_MAX}, DmaAddr{0}};

  Pool* pool_ = nullptr;
  std::uint64_t used_ = 0;
  std::array<std::optional<Block>, kGranules> blocks_;
  std::array<std::size_t, kGranules> holes_{};
  std::size_t count_ = 0;
  std::size_t hole_count_ = 0;
};

void empty(Shaped&) {}

/// 18 granules have the class of 17: these are in it, and too short.
constexpr std::uint64_t kTooShort = 17;

/// The class above has what the own one has not.
void own_class_too_short(Shaped& pool) {
  pool.hole(70);
  while (pool.is_room_for(kTooShort)) pool.hole(kTooShort);
  pool.open();
}

/// No class has it, and what is parked, which is given up first, joins two runs that are too short
/// as well.
void nothing_even_parked(Shaped& pool) {
  pool.hole(5);
  const std::size_t parked = pool.take(3);
  pool.hole(6);
  while (pool.is_room_for(kTooShort)) pool.hole(kTooShort);
  pool.open();
  pool.give(parked);
}

/// The same, but that it joins two to what is wanted.
void nothing_but_what_is_parked(Shaped& pool) {
  pool.hole(kTooShort);
  pool.hole(kTooShort);
  pool.hole(8);
  const std::size_t parked = pool.take(1);
  pool.hole(9);
  pool.open();
  pool.give(parked);
}

/// A bounded search looks at four runs of each class: so many there are, from the shortest on, and
/// the first granule is taken, which a large alignment would find.
void four_of_each_class(Shaped& pool, std::uint64_t spared) {
  pool.take(1);
  unsigned before = SizeClass::kCount;
  for (std::uint32_t length = 1; pool.is_room_for(length + spared); ++length) {
    const unsigned size_class = SizeClass::of(length).floor;
    if (size_class == before) continue;
    before = size_class;
    for (int i = 0; i < 4 && pool.is_room_for(length + spared); ++i) pool.hole(length);
  }
}
void four_of_each_class(Shaped& pool) {
  four_of_each_class(pool, 0);
  pool.open();
}

/// Behind which, at the end, is the only one where a page has its place.
void four_of_each_class_and_a_page(Shaped& pool) {
  constexpr std::uint64_t kPages = 2 * kPage / kGranule;
  four_of_each_class(pool, kPages);
  if (pool.left() > kPages) pool.take(pool.left() - kPages);
  const std::size_t last = pool.take(kPages);
  pool.open();
  pool.give(last);
  pool.merge_parked();
}

/// Every other granule is free: the most runs that a pool can have.
void comb(Shaped& pool) {
  pool.take(1);
  while (pool.is_room_for(1)) pool.hole(1);
  pool.open();
}

using State = void (*)(Shaped&);

// ---- calls --------------------------------------------------------------------------------------

std::uint32_t taken;
std::uint32_t refused;

/// Without zeroing, which is linear in the size and counted by nobody here.
std::optional<Block> alloc(const Device& device, std::uint64_t size_bytes, Options options,
                           Row row) {
  options.attributes = Attributes::uninitialized;
  counted_begin();
  const auto block = alloc_coherent(device, size_bytes, options);
  row();
  if (!block) {
    ++refused;
    return std::nullopt;
  }
  ++taken;
  return *block;
}

void free(std::optional<Block>& block, Row row = counted_free) {
  if (!block) return;
  counted_begin();
  const auto freed = free_coherent(*block);
  row();
  if (!freed) board::fail(freed.error(), "a block");
  block.reset();
}

/// All pools of this board, and what is asked of them.
struct Bench {
  const System& system;
  Shaped& pool;
  Shaped& first;
  Shaped& second;
  Shaped& copies;

  [[nodiscard]] const Device& device(std::size_t index) const { return *system.device(index); }
  void own_pools(State state) const {
    state(first);
    state(second);
  }
  void clear() const {
    for (Shaped* each : {&pool, &first, &second, &copies}) each->clear();
  }
};

constexpr Options kNow{.context = Context::must_not_wait};

/// Nothing but bytes is asked for. Each request finds its state as it was made.
void count_plain(const Bench& bench) {
  constexpr State kStates[]{empty, own_class_too_short, nothing_even_parked,
                            comb,  four_of_each_class,  nothing_but_what_is_parked};
  for (const State state : kStates) {
    for (const std::uint64_t length : {1U, 3U, 16U, 17U, 18U, 70U, 256U}) {
      for (const bool behind : {false, true}) {
        if (behind) bench.own_pools(nothing_even_parked);
        state(bench.pool);
        auto block = alloc(bench.device(behind ? kBehind : kPlain), length * kGranule, kNow,
                           behind ? counted_alloc_behind : counted_alloc);
        free(block);
        bench.clear();
      }
    }
  }
  // All that there is: linear in it.
  auto longest = alloc(bench.device(kPlain), kPool.size_bytes, kNow, counted_alloc_longest);
  free(longest);
}

/// Whatever there is to ask for: every alignment, with and without a boundary.
void ask_for_places(const Device& device, Context context, Row row) {
  for (const std::uint64_t length : {1U, 3U, 18U}) {
    const std::uint64_t size = length * kGranule;
    for (std::uint64_t align = 1; align <= kPool.size_bytes; align *= 2) {
      for (const std::uint64_t boundary :
           {std::uint64_t{0}, std::bit_ceil(size), kPool.size_bytes}) {
        auto block =
            alloc(device, size,
                  {.align_bytes = align, .boundary_bytes = boundary, .context = context}, row);
        free(block);
      }
    }
  }
}

/// Who must not wait looks at four runs of each class, who may at every run.
void count_placed(const Bench& bench) {
  for (const State state :
       {empty, nothing_even_parked, nothing_but_what_is_parked, comb,
        static_cast<State>(four_of_each_class), four_of_each_class_and_a_page}) {
    state(bench.pool);
    ask_for_places(bench.device(kPlain), Context::must_not_wait, counted_alloc_placed);
    ask_for_places(bench.device(kPlain), Context::may_wait, counted_alloc_exact);
    bench.own_pools(static_cast<State>(four_of_each_class));
    ask_for_places(bench.device(kBehindWindows), Context::must_not_wait,
                   counted_alloc_placed_behind);
    bench.clear();
    state(bench.pool);
    bench.own_pools(comb);
    ask_for_places(bench.device(kBehindWindows), Context::may_wait, counted_alloc_exact_behind);
    bench.clear();
  }
}

/// A block between two runs, and one that is parked there and driven out.
void count_frees(const Bench& bench) {
  constexpr std::uint64_t kParkedAtMost = kGranules / 64;
  for (const std::uint64_t length : {std::uint64_t{1}, kParkedAtMost, kParkedAtMost + 1}) {
    bench.pool.hole(3);
    const std::size_t middle = bench.pool.take(length);
    bench.pool.hole(5);
    const std::size_t other = bench.pool.take(2);
    bench.pool.open();
    auto between = bench.pool.lose(middle);
    auto after = bench.pool.lose(other);
    if (!between || !after) {
      board::check(false, "blocks to give back");
      return;
    }
    const Block again = *between;
    free(between);
    free(after);
    counted_begin();
    const auto twice = free_coherent(again);
    counted_free_refused();
    board::check(!twice, "a block that was given back is refused");
    bench.clear();
  }
  // The refusal says whose the memory is now: it looks for it among all that the pool has, and this
  // is the last of it.
  bench.pool.take(kGranules - 1);
  const std::size_t last = bench.pool.take(1);
  auto gone = bench.pool.lose(last);
  if (!gone) {
    board::check(false, "a block to give back twice");
    return;
  }
  const Block copy = *gone;
  free(gone);
  bench.clear();
  while (bench.pool.left() != 0) bench.pool.take(1);
  counted_begin();
  const auto stale = free_coherent(copy);
  counted_free_refused();
  board::check(!stale, "so is one whose memory has another owner");
  bench.clear();
}

/// The same numbers in every run.
class Random {
 public:
  std::uint32_t next() {
    last_ ^= last_ << 13;
    last_ ^= last_ >> 17;
    last_ ^= last_ << 5;
    return last_;
  }

 private:
  std::uint32_t last_ = 0x0bad'5eed;
};

/// What was given back already, of whatever it is said.
void free_again(const Block& block) {
  counted_begin();
  const auto freed = free_coherent(block);
  counted_free_refused_churned();
  if (freed) board::check(false, "a block that was given back is refused");
}

/// Short ones and long ones alike, evenly by their logarithm, taken and given back in no order.
void churn(const Device& device, bool placed, Row row) {
  static std::array<std::optional<Block>, 256> blocks;
  std::optional<Block> gone;
  Random numbers;
  for (std::uint32_t step = 0; step < 20'000; ++step) {
    const std::uint32_t random = numbers.next();
    std::optional<Block>& slot = blocks[random % blocks.size()];
    if (slot) {
      // Long since, as a rule: its memory has other owners.
      if (step % 16 == 0 && gone) free_again(*gone);
      if (step % 64 == 0) gone = slot;
      free(slot, counted_free_churned);
      continue;
    }
    const std::uint32_t size = 1 + ((random >> 8) & ((1U << (random >> 28) % 14) - 1));
    const std::uint64_t align = placed ? std::bit_ceil(size) : 1;
    slot = alloc(device, size, {.align_bytes = align, .context = Context::must_not_wait}, row);
  }
  for (std::optional<Block>& slot : blocks) free(slot, counted_free_churned);
}

/// A refused map counts as well.
void lend(const Device& device, std::span<std::byte> lent, Context context, Row mapped_row,
          Row unmapped_row) {
  const auto bytes = bytes_at(device, lent.data(), lent.size());
  if (!bytes) return board::fail(bytes.error(), "bytes");
  for (const Direction direction :
       {Direction::to_device, Direction::from_device, Direction::bidirectional}) {
    counted_begin();
    const auto mapped = map(device, *bytes, direction, {.context = context});
    mapped_row();
    if (!mapped) {
      ++refused;
      continue;
    }
    counted_begin();
    const auto unmapped = unmap(device, *mapped);
    unmapped_row();
    board::check(unmapped.has_value(), "and taken back");
  }
}

/// Up to a page of it, each with parts of lines or without, some at a time: their copies churn the
/// pool of copies.
void churn_loans(const Device& device, Row mapped_row, Row unmapped_row) {
  static std::array<std::optional<MappedBytes>, 16> lent;
  constexpr Direction kDirections[]{Direction::to_device, Direction::from_device,
                                    Direction::bidirectional};
  Random numbers;
  for (std::uint32_t step = 0; step < 20'000; ++step) {
    std::optional<MappedBytes>& slot = lent[numbers.next() % lent.size()];
    if (slot) {
      counted_begin();
      const auto unmapped = unmap(device, *slot);
      unmapped_row();
      if (!unmapped) board::fail(unmapped.error(), "a loan is taken back");
      slot.reset();
      continue;
    }
    const std::uint32_t random = numbers.next();
    const std::uint32_t size = 1 + (numbers.next() & ((1U << random % 13) - 1));
    // None crosses into another page.
    const std::uint64_t first = random / 13 % (kPage - size + 1);
    const auto bytes = bytes_at(device, buffer.data() + first, size);
    if (!bytes) return board::fail(bytes.error(), "bytes");
    counted_begin();
    const auto mapped = map(device, *bytes, kDirections[random % 3], {.context = kNow.context});
    mapped_row();
    if (mapped) slot = *mapped;
    if (!mapped) ++refused;
  }
  for (std::optional<MappedBytes>& slot : lent) {
    if (slot && !unmap(device, *slot)) board::check(false, "a loan is taken back");
    slot.reset();
  }
}

/// One cache line, which is the least, and a page: what is between is linear.
void count_loans(const Bench& bench) {
  constexpr auto kMustNotWait = Context::must_not_wait;
  const std::span page = std::span{buffer}.first<kPage>();
  const auto line = page.first<32>();
  for (const Devices lender : {kPlain, kBehindWindows}) {
    lend(bench.device(lender), line, kMustNotWait, counted_map_line, counted_unmap_line);
    lend(bench.device(lender), page, kMustNotWait, counted_map_page, counted_unmap_page);
  }
  four_of_each_class_and_a_page(bench.copies);
  // As many bytes as a page has that share their first and their last line with somebody else's.
  for (const Devices lender : {kPlain, kBehindWindows}) {
    for (const std::size_t first : {1U, 17U, 31U}) {
      lend(bench.device(lender), std::span{buffer}.subspan(first, kPage), kMustNotWait,
           counted_map_parts, counted_unmap_parts);
    }
  }
  lend(bench.device(kCopied), line, kMustNotWait, counted_map_copy_line, counted_unmap_copy_line);
  lend(bench.device(kCopied), page, kMustNotWait, counted_map_copy_page, counted_unmap_copy_page);
  bench.clear();
  for (const State state :
       {empty, nothing_even_parked, comb, static_cast<State>(four_of_each_class),
        four_of_each_class_and_a_page}) {
    state(bench.copies);
    lend(bench.device(kCopied), line, Context::may_wait, counted_map_copy_exact,
         counted_unmap_copy_line);
    bench.clear();
  }
}

}  // namespace
}  // namespace an500

int board::run() {
  using namespace an500;
  cortex_m::Port port{kMemory};
  const auto system = setup::build(kCounted, {.port = port, .aliases = kCountedAliases}, storage,
                                   [](const Failure& failure) { fail(failure, "a table's row"); });
  if (!system) {
    fail(system.error(), "the System");
    return finish("verbs");
  }
  static std::array<Shaped, std::size(kCountedPools)> pools;
  for (std::size_t i = 0; i < pools.size(); ++i) {
    pools[i].of(*(*system)->find_pool(kCountedPools[i].name));
  }
  const Bench bench{**system, pools[0], pools[1], pools[2], pools[3]};
  count_plain(bench);
  count_placed(bench);
  count_frees(bench);
  count_loans(bench);
  churn(bench.device(kPlain), false, counted_alloc_churned);
  churn(bench.device(kPlain), true, counted_alloc_placed_churned);
  churn_loans(bench.device(kPlain), counted_map_parts_churned, counted_unmap_parts_churned);
  churn_loans(bench.device(kBehindWindows), counted_map_parts_churned, counted_unmap_parts_churned);
  // Counted with the states that were made, for it shows a dearer call than they do.
  churn_loans(bench.device(kCopied), counted_map_copy_page, counted_unmap_copy_page);
  bench.own_pools(comb);
  churn(bench.device(kBehindWindows), true, counted_alloc_placed_behind_churned);
  bench.clear();
  count("blocks taken", taken);
  count("requests refused", refused);
  check(taken > 2000 && refused > 1000, "the pools were used, and were full");
  for (const PoolSettings& pool : kCountedPools) {
    check_equal((*system)->find_pool(pool.name)->usage().used_bytes, 0, "nothing is left in use");
  }
  return finish("verbs");
}
