#include "carveout/ops/lent.hpp"

#include "prepare.hpp"

namespace carveout {

Result<Block> borrow(Pool& pool, std::uint64_t size_bytes, Holder user,
                     std::optional<PhysRange> avoid) {
  const auto refused = [&](const Failure& failure) {
    pool.log()(failure);
    return std::unexpected{failure};
  };
  if (!pool.has(View::cached)) return refused({.code = Error::wrong_view, .pool = pool.name()});
  auto block = take_lent(pool, size_bytes, user, View::cached, avoid);
  if (!block) return refused(block.error());
  detail::prepare(*block, View::cached, Attributes::none);
  return block;
}

}  // namespace carveout
