// Scenes for the tests of pictures, drawn from a seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>

#include "picture/scene.hpp"

namespace carveout::test {

/// Reserved places of all kinds and sizes, some over others, some without a place; views with
/// windows that cover some; devices that use them, some with names that are far too long.
inline cli::picture::Scene random_scene(unsigned seed, std::size_t places, std::size_t views) {
  using namespace cli::picture;
  std::mt19937_64 random{seed};
  const auto below = [&](std::uint64_t end) { return random() % end; };
  const auto name = [&](const char* what, std::size_t i) {
    return std::string(below(8) == 0 ? 100 : below(20), 'w') + what + std::to_string(i);
  };
  Scene scene;
  scene.title = name("board", seed);
  scene.subtitle = name("vendor,board", seed);
  scene.memory.push_back({"/memory@80000000", {PhysAddr{0x8000'0000}, 0x4000'0000}});
  scene.memory.push_back({"/memory@880000000", {PhysAddr{0x8'8000'0000}, 0x8000'0000}});
  std::uint64_t at = 0x8000'0000;
  for (std::size_t i = 0; i < places; ++i) {
    Place place;
    place.name = name("region", i);
    place.path = "/reserved-memory/" + place.name;
    place.kind = static_cast<Kind>(below(kKinds));
    place.enabled = below(10) != 0;
    place.dynamic = below(5) == 0;
    place.is_default = below(9) == 0;
    place.size_bytes = std::uint64_t{4096} << below(12);
    if (i + places / 20 < places) place.range = PhysRange{PhysAddr{at}, *place.size_bytes};
    // Some begin inside the one before.
    if (below(6) != 0) at += *place.size_bytes + (below(4) == 0 ? below(0x200'0000) : 0);
    scene.places.push_back(std::move(place));
  }
  for (std::size_t i = 0; i < views; ++i) {
    View view{.buses = name("/soc/bus", i), .windows = {}};
    for (std::uint64_t windows = below(4); windows != 0; --windows) {
      view.windows.push_back({DmaAddr{below(2) * 0x4000'0000'0000},
                              PhysAddr{0x8000'0000 + below(0x800) * 0x10'0000},
                              (1 + below(64)) * 0x10'0000});
    }
    scene.views.push_back(std::move(view));
  }
  for (std::size_t i = 0; i < places / 3; ++i) {
    Asker asker;
    asker.name = name("device", i);
    asker.path = "/soc/" + asker.name;
    asker.remark = name("not coherent", i);
    asker.enabled = below(8) != 0;
    if (views != 0 && below(2) == 0) asker.view = below(views);
    for (std::uint64_t uses = below(5); uses != 0; --uses) {
      const std::size_t place = below(places);
      Use use{.place = place,
              .name = scene.places[place].name,
              .role = below(2) == 0 ? "0" : name("rx", i),
              .dma = {},
              .trouble = {}};
      if (scene.places[place].range && below(3) != 0) {
        use.dma = DmaAddr{scene.places[place].range->base.raw() + below(2) * 0x1000};
      } else {
        use.trouble = "NOT REACHED";
      }
      asker.uses.push_back(std::move(use));
    }
    scene.askers.push_back(std::move(asker));
  }
  return scene;
}

}  // namespace carveout::test
