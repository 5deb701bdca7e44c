// What a picture of a board shows, as facts and words: no geometry, no markup.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carveout/core/window.hpp"
#include "input.hpp"

namespace carveout::cli::picture {

/// What a reserved place is for; each has its own colour.
enum class Kind : std::uint8_t {
  coherent,     ///< shared-dma-pool
  contiguous,   ///< shared-dma-pool, reusable: CMA
  bounce,       ///< restricted-dma-pool
  no_map,       ///< reserved for somebody, and nobody else maps it
  carveout,     ///< reserved for somebody
  reservation,  ///< of the memory reservation block
  invalid,      ///< a contradiction in itself
};
inline constexpr std::size_t kKinds = 7;

/// Of regions that of the table.
[[nodiscard]] std::string word_of(Kind kind);

/// A place that is reserved: a chunk of a region, or an entry of the memory reservation block; or
/// a region that has no place.
struct Place {
  std::string path;    ///< of the region's node
  std::string name;    ///< its last part, and which chunk
  std::string remark;  ///< what the table says of it besides; may be empty
  Kind kind = Kind::carveout;
  bool enabled = true;
  bool dynamic = false;                     ///< placed by Carveout's rule, and not by the tree
  bool is_default = false;                  ///< of devices without regions of their own
  std::optional<PhysRange> range = {};      ///< neither empty nor wrapping
  std::optional<std::uint64_t> size_bytes;  ///< as stated
};

/// Windows through which devices look. Those of one list share it.
struct View {
  std::string buses;  ///< the nodes whose children look so, or a device
  std::vector<Window> windows;
};

/// A device, and any other device of a bus, at a place: one arrow of the picture.
struct Use {
  std::optional<std::size_t> place;  ///< nothing: what is listed is no region
  std::string name;                  ///< of what is listed
  std::string role;                  ///< "rx", "0", "default"
  std::optional<DmaAddr> dma;        ///< of the first byte, where it is seen
  std::string trouble;               ///< why it is not served; empty: it is
  std::string_view why = {};         ///< more of that

  [[nodiscard]] bool served() const { return trouble.empty(); }
  [[nodiscard]] std::string reason() const;  ///< all of it
};

/// Who asks for memory: a device with regions of its own, or all others of a bus.
struct Asker {
  std::string path;
  std::string name;
  std::string remark;
  std::optional<std::size_t> view;  ///< nothing: device addresses are physical addresses
  bool enabled = true;
  std::vector<Use> uses;
};

struct Memory {
  std::string path;
  PhysRange range;
};

/// Cells of a pool beside each other, and who holds them.
struct Holding {
  std::uint64_t first;
  std::uint64_t count;
  std::size_t holder;  ///< among Timeline::holders
  bool mostly;         ///< at least half of each cell
};

/// A moment of a pool's time, from 0 to 1000, and what is said of it.
struct Mark {
  int at;
  std::string words;
};

/// A pool over time, and at the moment that is shown first.
struct TimedPool {
  std::string name;
  std::string state;  ///< how much is held and free
  std::uint64_t cells;
  std::vector<Holding> held;
  std::vector<int> most_used;  ///< of equal stretches of time, each 0 to 1000 of the pool
  std::optional<Mark> peak;
  std::optional<Mark> refused;
};

/// A moment at which the slider stops.
struct TimedMoment {
  std::string when;
  std::string event;  ///< empty: a step

  [[nodiscard]] std::string words() const { return event.empty() ? when : when + ": " + event; }
};

struct Timeline {
  std::string title;      ///< the trace
  std::string length;     ///< of it
  std::string elsewhere;  ///< the first refusal that is none of the pools'; empty: none
  std::vector<std::string> holders;
  std::vector<TimedPool> pools;
  // For the page, which has a slider:
  std::vector<TimedMoment> moments;
  std::size_t shown = 0;  ///< which of them `held` and `state` are
  std::string data;       ///< JSON: state, held and shares of each pool at each moment
};

struct Scene {
  std::string title;
  std::string subtitle;
  std::vector<Memory> memory;
  std::vector<Place> places;  ///< ascending by address; those without one behind, in tree order
  std::vector<View> views;    ///< no two with the same windows
  std::vector<Asker> askers;  ///< in tree order, then those who stand for a bus
  std::optional<Timeline> timeline;
};

/// The most ranges of memory, places, windows and uses, all together, of a board that is drawn.
inline constexpr std::size_t kMaxDrawn = 4096;

/// Throws Refusal: the tree is beyond the limits, or there are more things than kMaxDrawn.
[[nodiscard]] Scene scene_of(const Board& board);

}  // namespace carveout::cli::picture
