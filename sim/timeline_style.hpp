// How a timeline looks, as an image and as a page.
#pragma once

#include <string>
#include <string_view>

namespace carveout::sim {

class Story;

[[nodiscard]] std::string title_of(const Story& story);

/// Fill and border of each kind of box; the words on them have one colour. The hatched fill says
/// stale to who sees no colours, as the dashed border says "by itself".
inline constexpr std::string_view kTimelineStyle = R"css(  <defs>
    <pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect class="hatch-ground" width="8" height="8"/><rect class="hatch-line" width="2" height="8"/>
    </pattern>
    <style>
      svg { --ink: #1f2933; --faint: #52606d; --paper: #ffffff; --edge: #cbd2d9; --red: #b42318;
        --cpu: #dbe4f0; --cpu-edge: #3e5c8a; --device: #e9dcf5; --device-edge: #6b46a1;
        --self: #fff4d6; --self-edge: #a15c00; --clean: #e3f1e5; --clean-edge: #4c8055;
        --dirty: #ffe0b2; --dirty-edge: #a15c00; --stale: #fbc9c4; --ram: #eef1f4 }
      @media (prefers-color-scheme: dark) {
        svg { --ink: #e6eaef; --faint: #a3b0bd; --paper: #12171d; --edge: #36424e; --red: #ff8a7e;
          --cpu: #233349; --cpu-edge: #7ea1d6; --device: #33264a; --device-edge: #b08fe6;
          --self: #3a2f12; --self-edge: #e0a84a; --clean: #1d3324; --clean-edge: #75b182;
          --dirty: #4a3310; --dirty-edge: #e0a84a; --stale: #5c2620; --ram: #222a33 }
      }
      text { font-family: Helvetica, Arial, 'DejaVu Sans', sans-serif; font-size: 12.5px; fill: var(--ink) }
      text.head { font-size: 18px; font-weight: bold }
      text.label { fill: var(--faint) }
      text.name, text.line { font-weight: bold }
      text.wrong { font-weight: bold; fill: var(--red); font-size: 13.5px }
      text.bytes { font-family: 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: 12px }
      text.halo { paint-order: stroke; stroke: var(--paper); stroke-width: 5px; stroke-linejoin: round }
      rect.paper { fill: var(--paper); stroke: var(--edge) }
      rect.band { fill: var(--stale); stroke: var(--red); opacity: .5 }
      rect.cpu { fill: var(--cpu); stroke: var(--cpu-edge) }
      rect.device { fill: var(--device); stroke: var(--device-edge) }
      rect.self { fill: var(--self); stroke: var(--self-edge); stroke-width: 2; stroke-dasharray: 6 4 }
      rect.absent { fill: none; stroke: var(--edge); stroke-dasharray: 3 4 }
      rect.clean { fill: var(--clean); stroke: var(--clean-edge) }
      rect.dirty { fill: var(--dirty); stroke: var(--dirty-edge) }
      rect.stale { fill: url(#hatch); stroke: var(--red); stroke-width: 2 }
      rect.hatch-ground { fill: var(--paper) }
      rect.hatch-line { fill: var(--stale) }
      rect.ram { fill: var(--ram); stroke: var(--edge) }
      rect.verdict { fill: none; stroke: var(--red); stroke-width: 2 }
    </style>
  </defs>
)css";

}  // namespace carveout::sim
