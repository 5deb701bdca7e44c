#include "region_use.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace carveout::cli {
namespace {

using device_tree::RegionKind;

std::optional<Trouble> trouble_of(const MapRegion& region, const MapRegion::Place* place) {
  using Kind = Trouble::Kind;
  if (!region.facts.enabled) return Trouble{Kind::disabled};
  if (region.refused) return Trouble{Kind::refused, *region.refused};
  if (place == nullptr) return Trouble{Kind::no_place};
  if (place->range.empty()) return Trouble{Kind::empty};
  if (place->range.wraps()) return Trouble{Kind::wraps};
  return std::nullopt;
}

}  // namespace

std::string what(const Trouble& trouble) {
  switch (trouble.kind) {
    case Trouble::Kind::disabled:
      return "the region is disabled";
    case Trouble::Kind::no_place:
      return "the region has no place";
    case Trouble::Kind::empty:
      return "the region is empty";
    case Trouble::Kind::wraps:
      return "the region passes 2^64";
    case Trouble::Kind::refused:
      return fmt::format("refused: {}", carveout::name_of(trouble.error));
    case Trouble::Kind::partly:
      return "reached in part only";
    case Trouble::Kind::not_reached:
      break;
  }
  return "NOT REACHED";
}

std::string_view why(const Trouble& trouble) {
  switch (trouble.kind) {
    case Trouble::Kind::disabled:
      return "the device gets none from here";
    case Trouble::Kind::refused:
      return carveout::meaning_of(trouble.error);
    case Trouble::Kind::not_reached:
      return "it lies whole in none of the device's windows";
    case Trouble::Kind::no_place:
    case Trouble::Kind::empty:
    case Trouble::Kind::wraps:
    case Trouble::Kind::partly:
      break;
  }
  return {};
}

std::string sentence_of(const Trouble& trouble) {
  const std::string_view more = why(trouble);
  return more.empty() ? what(trouble) : fmt::format("{}: {}", what(trouble), more);
}

PlaceUse use_of(MapRegion& region, std::size_t at, const MapView& view, UsedAs as) {
  using Kind = Trouble::Kind;
  MapRegion::Place* const place = at < region.places.size() ? &region.places[at] : nullptr;
  PlaceUse use{.dma = place != nullptr ? BoardMap::address_of(*place, view) : std::nullopt,
               .trouble = trouble_of(region, place)};
  if (use.trouble) return use;
  if (!use.dma) {
    const bool partly = as == UsedAs::default_region &&
                        std::ranges::any_of(view.windows, [&](const Window& window) {
                          return window.cpu_range().overlaps(place->range);
                        });
    use.trouble = Trouble{partly ? Kind::partly : Kind::not_reached};
  } else if (as == UsedAs::own && region.facts.kind != RegionKind::carveout &&
             !BoardMap::is_seen_whole(region, view)) {
    // A pool is bound whole, and refused for one chunk; what else is listed is only memory.
    use.trouble = Trouble{Kind::refused, Error::not_in_window};
  }
  return use;
}

}  // namespace carveout::cli
