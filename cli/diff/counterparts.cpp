#include "diff/counterparts.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace carveout::cli {
namespace {

using device_tree::Tree;

using Symbols = std::map<std::string, std::string>;  // label -> path
/// What a path is tied to, on the other side.
using Ties = std::map<std::string, std::set<std::string>>;

Symbols symbols_of(const Tree& tree) {
  Symbols symbols;
  const auto node = tree.find("/__symbols__");
  if (!node) return symbols;
  tree.for_each_property(*node, [&](device_tree::PropertyName name, device_tree::Bytes bytes) {
    const auto path = device_tree::Strings{bytes}.first();
    if (path) symbols.emplace(name.text(), *path);
  });
  return symbols;
}

Ties tied_by_label(const Symbols& from, const Symbols& to) {
  Ties ties;
  for (const auto& [label, path] : from) {
    const auto other = to.find(label);
    if (other != to.end()) ties[path].insert(other->second);
  }
  return ties;
}

/// What of its path a node has in common with its counterpart; nothing where its name has no unit
/// address.
std::optional<std::string> kept_of(Counterpart::By by, std::string_view path) {
  const std::size_t name = path.rfind('/') + 1;
  const std::size_t at = path.find('@', name);
  if (at == std::string_view::npos) return std::nullopt;
  if (by == Counterpart::By::name) return std::string{path.substr(name)};
  return std::string{path.substr(0, name)}.append(path.substr(at));
}

Ties tied_by_path(Counterpart::By by, const std::vector<std::string>& from,
                  const std::vector<std::string>& to) {
  std::map<std::string, std::vector<std::string>> there;
  for (const std::string& path : to) {
    if (const auto kept = kept_of(by, path)) there[*kept].push_back(path);
  }
  Ties ties;
  for (const std::string& path : from) {
    const auto kept = kept_of(by, path);
    const auto found = kept ? there.find(*kept) : there.end();
    if (found != there.end()) ties[path].insert(found->second.begin(), found->second.end());
  }
  return ties;
}

/// Whether a path has one tie and no other.
std::optional<std::string> only(const Ties& ties, const std::string& path) {
  const auto found = ties.find(path);
  if (found == ties.end() || found->second.size() != 1) return std::nullopt;
  return *found->second.begin();
}

}  // namespace

std::string_view name_of(Counterpart::By by) {
  switch (by) {
    case Counterpart::By::label:
      return "label";
    case Counterpart::By::unit_address:
      return "unit_address";
    case Counterpart::By::name:
      break;
  }
  return "name";
}

std::map<std::string, Counterpart> counterparts(const Tree& before,
                                                const std::vector<std::string>& removed,
                                                const Tree& after,
                                                const std::vector<std::string>& added) {
  std::map<std::string, Counterpart> found;
  if (removed.empty() || added.empty()) return found;
  const std::set<std::string> fresh(added.begin(), added.end());
  const auto tie = [&](const Ties& forth, const Ties& back, Counterpart::By by) {
    for (const std::string& path : removed) {
      const auto other = only(forth, path);
      if (!other || !fresh.contains(*other) || only(back, *other) != path) continue;
      if (found.contains(path) || found.contains(*other)) continue;
      found.emplace(path, Counterpart{.node = *other, .by = by});
      found.emplace(*other, Counterpart{.node = path, .by = by});
    }
  };
  const Symbols old_symbols = symbols_of(before);
  const Symbols new_symbols = symbols_of(after);
  tie(tied_by_label(old_symbols, new_symbols), tied_by_label(new_symbols, old_symbols),
      Counterpart::By::label);
  for (const auto by : {Counterpart::By::unit_address, Counterpart::By::name}) {
    tie(tied_by_path(by, removed, added), tied_by_path(by, added, removed), by);
  }
  return found;
}

}  // namespace carveout::cli
