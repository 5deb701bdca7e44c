// Labels in a column, each as near as can be to what it is about, none over another.
#pragma once

#include <span>

namespace carveout::cli::picture {

/// One label: where its middle would best be, and how high it is.
struct Wish {
  int middle;
  int height;
  int top = 0;  ///< the answer
};

/// Sets the tops: in the order given, from `top` on and, where there is room, not past `bottom`.
/// Neighbours that would overlap stand together around the mean of their wishes.
/// @param wishes  ascending by their middles, or nearly.
/// Cost: linear.
void spread(std::span<Wish> wishes, int top, int bottom);

}  // namespace carveout::cli::picture
