#include "carveout/ops/lent.hpp"

#include "carveout/ops/refusal.hpp"
#include "prepare.hpp"

namespace carveout {

Result<Block> borrow(Pool& pool, std::uint64_t size_bytes, Holder user,
                     std::optional<PhysRange> avoid) {
  if (!pool.has(View::cached))
    return refused(pool, {.code = Error::wrong_view, .pool = pool.name()});
  auto block = take_lent(pool, size_bytes, user, View::cached, avoid);
  if (!block) return refused(pool, block.error());
  detail::prepare(*block, View::cached, Attributes::none, true);
  return block;
}

}  // namespace carveout
