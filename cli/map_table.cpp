#include "map_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "board_map.hpp"
#include "carveout/device_tree/memory_region.hpp"
#include "fault_words.hpp"
#include "node_name.hpp"
#include "offline.hpp"
#include "page.hpp"
#include "region_use.hpp"

namespace carveout::cli {
namespace {

using device_tree::DmaFault;
using device_tree::Node;
using device_tree::RegionKind;
using device_tree::RegionPlacement;
using device_tree::ReservedMemoryFault;
using device_tree::ReservedRegion;
using device_tree::Tree;

/// An entry of a device's memory-region.
struct User {
  Node device;
  std::uint32_t index;
  bool enabled;                    ///< the device
  std::optional<Trouble> trouble;  ///< the first of its places'
};

class Map {
 public:
  Map(const Board& board, bool colour)
      : board_{board},
        tree_{board.tree()},
        page_{board.source, colour},
        map_{tree_},
        users_(map_.regions().size()) {
    if (!map_.error()) find_refused(board, map_);
  }

  std::string print() {
    // In the order in which `map --json` asks, so that a tree beyond the limits is so for both.
    Table buses = bus_table();
    Table devices = device_table();
    if (map_.error()) throw refusal(board_.source, *map_.error());
    title();
    memory();
    regions();
    page_.blank();
    page_.line("Buses that translate", Style::heading);
    if (buses.empty()) {
      page_.line("none: device addresses are physical addresses", Style::plain, 2);
    } else {
      buses.print(page_);
    }
    page_.blank();
    page_.line("Devices with regions of their own", Style::heading);
    if (devices.empty()) page_.line("none", Style::plain, 2);
    if (!devices.empty()) devices.print(page_);
    return page_.take();
  }

 private:
  void title() {
    const auto model = tree_.strings(Tree::root(), "model").first();
    page_.line(model.value_or("(the tree states no model)"), Style::heading);
    Words compatible;
    for (const std::string_view each : tree_.strings(Tree::root(), "compatible")) {
      compatible.glue(",").keep(each);
    }
    if (!compatible.empty()) page_.line(compatible, 0, 2);
  }

  void memory() {
    Table table{board_.source, {"FIRST", "LAST", "SIZE", ""}};
    device_tree::for_each_memory(tree_, [&](Node node, PhysRange range) {
      table.row({{hex(range.base.raw())},
                 {last_text(range)},
                 {size_text(range.size_bytes)},
                 {path_of(tree_, node)}});
    });
    const bool none = table.empty();
    for (const PhysRange range : tree_.reservations()) {
      table.row({{hex(range.base.raw())},
                 {last_text(range)},
                 {size_text(range.size_bytes)},
                 {"memory reservation"}});
    }
    page_.blank();
    page_.line("Memory", Style::heading);
    if (none) page_.line("none stated: a boot loader may add it", Style::plain, 2);
    if (!table.empty()) table.print(page_);
  }

  void regions() {
    page_.blank();
    page_.line("Reserved regions", Style::heading);
    if (map_.regions().empty()) {
      page_.line("none", Style::plain, 2);
      return;
    }
    if (map_.reserved().fault() != ReservedMemoryFault::none) {
      page_.line(Words{}
                     .keep(path_of(tree_, *map_.reserved().node()))
                     .say("counts as disabled, with all its regions:", Style::bad)
                     .say(meaning_of(map_.reserved().fault()), Style::bad),
                 2, 4);
    }
    Table table{board_.source, {"FIRST", "LAST", "SIZE", "KIND", "", "NODE"}};
    for (std::size_t at = 0; at < map_.regions().size(); ++at) {
      const MapRegion& region = map_.regions()[at];
      const std::string kind{name_of(region.facts.kind)};
      const std::string path = path_of(tree_, region.facts.node);
      const std::string mapping = mapping_of(region.facts);
      if (region.places.empty()) {
        const auto size = region.facts.size_bytes;
        table.row({{"-"}, {"-"}, {size ? size_text(*size) : "-"}, {kind}, {mapping}, {path}});
      }
      for (std::size_t i = 0; i < region.places.size(); ++i) {
        const PhysRange place = region.places[i].range;
        table.row({{hex(place.base.raw())},
                   {last_text(place)},
                   {size_text(place.size_bytes)},
                   {kind},
                   {mapping},
                   {i == 0 ? path : fmt::format("chunk {} of it", i)}});
      }
      notes(region, users_[at], table);
    }
    table.print(page_);
  }

  static std::string mapping_of(const ReservedRegion& facts) {
    return fmt::format("{}{}{}", facts.no_map ? "no-map" : "",
                       facts.no_map && facts.reusable ? " " : "", facts.reusable ? "reusable" : "");
  }

  void notes(const MapRegion& region, std::span<const User> users, Table& table) const {
    const ReservedRegion& facts = region.facts;
    Words words;
    const auto say = [&](std::string_view text, Style style = Style::plain) {
      words.glue(";");
      words.say(text, style);
    };
    if (!facts.okay) say("disabled", Style::bad);
    if (facts.default_of() == RegionKind::coherent) {
      say("default pool, for devices that are not coherent and have none of their own",
          Style::good);
    }
    if (facts.default_of() == RegionKind::contiguous) {
      say("default contiguous memory", Style::good);
    }
    if (facts.placement == RegionPlacement::none) {
      say("without a place:", Style::bad);
      words.say(meaning_of(facts.fault), Style::bad);
    }
    if (region.not_placed) {
      say("dynamic, and not placed:", Style::bad);
      words.say(meaning_of(*region.not_placed), Style::bad);
    } else if (facts.placement == RegionPlacement::dynamic) {
      say("dynamic: placed here by Carveout's rule");
    }
    if (const auto alignment = facts.alignment_value()) {
      say("alignment");
      words.keep(hex(*alignment));
    }
    for (const PhysRange range : facts.alloc_ranges) {
      say("allowed in");
      words.keep(fmt::format("{} to {}", hex(range.base.raw()), last_text(range)));
    }
    if (facts.kind == RegionKind::carveout) {
      for (const std::string_view compatible : facts.compatible) say(compatible);
    }
    for (const MapRegion::Place& place : region.places) {
      if (place.range.empty()) say("empty", Style::bad);
      if (place.range.wraps()) say("passes the end of the address space", Style::bad);
    }
    if (const auto refused = region.refused_besides()) {
      say("no pool,", Style::bad);
      words.say(sentence_of(Trouble{Trouble::Kind::refused, *refused}), Style::bad);
    }
    if (!words.empty()) table.note(words);
    for (const User& user : users) {
      Words use;
      use.say(facts.enabled ? "used by" : "listed by");
      const bool told = user.trouble && facts.enabled;  // of the region it was said
      use.keep(path_of(tree_, user.device), told ? Style::bad : Style::plain);
      use.glue(fmt::format(", pool {}{}{}{}", user.index, user.enabled ? "" : ", disabled",
                           told ? ", " : "", told ? what(*user.trouble) : ""));
      table.note(use);
    }
  }

  Table bus_table() {
    Table table{board_.source, {"DEVICE ADDRESS", "LAST", "MEMORY FROM", "SIZE", "BUS"}};
    for (const Node node : tree_.nodes()) {
      if (!tree_.is_translating_bus(node)) continue;
      const MapView& view = map_.of_bus(node);
      const std::string path = path_of(tree_, node);
      if (view.windows.empty()) {
        table.row({{"-"}, {"-"}, {"-"}, {"-"}, {path}});
        table.note(Words{}
                       .say("invalid: no device below it reaches memory:", Style::bad)
                       .say(meaning_of(view.fault), Style::bad));
        continue;
      }
      bool first = true;
      for (const Window& window : view.windows) {
        table.row({{hex(window.dma.raw())},
                   {hex(window.dma_range().last().raw())},
                   {hex(window.cpu.raw())},
                   {size_text(window.size_bytes)},
                   {first ? path : ""}});
        first = false;
      }
      defaults_on(view, table);
    }
    return table;
  }

  /// Says where devices on a bus see the default pools.
  void defaults_on(const MapView& view, Table& table) {
    for (const RegionKind kind : {RegionKind::coherent, RegionKind::contiguous}) {
      MapRegion* const found = map_.default_of(kind);
      if (found == nullptr || found->places.empty()) continue;
      const PhysRange place = found->places.front().range;
      const PlaceUse use = use_of(*found, 0, view, UsedAs::default_region);
      Words words;
      words.say(kind == RegionKind::coherent ? "the default pool" : "default contiguous memory");
      words.keep(fmt::format("({})", hex(place.base.raw())));
      words.say("is");
      if (use.trouble) {
        words.say(what(*use.trouble), Style::bad);
        if (use.trouble->kind == Trouble::Kind::not_reached) words.say("from here", Style::bad);
      } else {
        words.say("at").keep(hex(use.dma->raw())).say("here");
      }
      table.note(words);
    }
  }

  Table device_table() {
    Table table{board_.source, {"POOL", "NAME", "DEVICE ADDRESS", "REGION"}};
    for (const Node node : tree_.nodes()) {
      if (!tree_.has_memory_region(node)) continue;
      const std::string path = path_of(tree_, node);
      const MapView& view = map_.of_device(node);
      table.group(about(node, path, view));
      for (const device_tree::Binding& binding : device_tree::MemoryRegions{tree_, node}) {
        pool(node, binding, view, table);
      }
    }
    return table;
  }

  Words about(Node node, std::string_view path, const MapView& view) const {
    Words words;
    words.keep(path, Style::heading);
    if (!tree_.enabled(node)) words.glue(",").say("disabled", Style::bad);
    const auto coherent = tree_.coherent(node);
    words.glue(",").say(!coherent   ? "coherence not stated"
                        : *coherent ? "coherent"
                                    : "not coherent");
    words.glue(";");
    if (view.fault != DmaFault::none) {
      words.say("reaches NO MEMORY:", Style::bad).say(meaning_of(view.fault), Style::bad);
    } else if (view.bus) {
      words.say("addresses as on").keep(path_of(tree_, *view.bus)).glue(",").say("up to");
      words.keep(hex(view.translation().limit().value_or(DmaAddr{0}).raw()));
    } else {
      words.say("device addresses are physical addresses");
    }
    return words;
  }

  /// One row for an entry of memory-region; more where its region has several chunks.
  void pool(Node device, const device_tree::Binding& binding, const MapView& view, Table& table) {
    const std::string index = fmt::format("{}", binding.index);
    const std::string_view name = binding.name.value_or("");
    const auto row = [&](std::string_view address, std::string_view path,
                         std::string_view trouble) {
      table.row({{index}, {name}, {address, trouble.empty() ? Style::plain : Style::bad}, {path}});
      if (!trouble.empty()) table.note(Words{}.say(trouble, Style::bad));
    };
    if (!binding.region) {
      row("-", fmt::format("phandle {}", hex(binding.phandle)), "no node has this phandle");
      return;
    }
    const std::string path = path_of(tree_, *binding.region);
    MapRegion* const found = map_.region_at(*binding.region);
    if (found == nullptr) {
      row("-", path, "is no region of /reserved-memory");
      return;
    }
    User user{device, binding.index, tree_.enabled(device), std::nullopt};
    const std::size_t rows =
        found->facts.enabled ? std::max<std::size_t>(found->places.size(), 1) : 1;
    for (std::size_t i = 0; i < rows; ++i) {
      const PlaceUse use = use_of(*found, i, view, UsedAs::own);
      row(use.dma && found->facts.enabled ? hex(use.dma->raw()) : "-",
          i == 0 ? path : fmt::format("chunk {} of it", i),
          use.trouble ? sentence_of(*use.trouble) : "");
      if (!user.trouble) user.trouble = use.trouble;
    }
    const auto at = static_cast<std::size_t>(found - map_.regions().data());
    users_[at].push_back(user);
  }

  const Board& board_;
  const Tree& tree_;
  Page page_;
  BoardMap map_;
  std::vector<std::vector<User>> users_;  ///< of each region
};

}  // namespace

std::string map_table(const Board& board, bool colour) { return Map{board, colour}.print(); }

}  // namespace carveout::cli
