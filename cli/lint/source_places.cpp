#include "source_places.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dtc.hpp"

namespace carveout::cli {
namespace {

/// The first place in the comment at the end of a line of dtc's: `/* FILE:LINE, ... */`.
std::optional<SourcePlace> place_in(std::string_view line) {
  constexpr std::string_view kOpen = " /* ";
  const std::size_t open = line.rfind(kOpen);
  if (!line.ends_with(" */") || open == std::string_view::npos) return std::nullopt;
  line = line.substr(open + kOpen.size());
  const std::string_view first = line.substr(0, line.find_first_of(", "));
  const std::size_t colon = first.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view number = first.substr(colon + 1);
  SourcePlace place{.file = std::string{first.substr(0, colon)}, .line = 0};
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), place.line);
  if (error != std::errc{} || place.line == 0) return std::nullopt;
  return place;
}

/// `PATH` of a node, or `PATH:PROPERTY`, and where it stands.
using Places = std::unordered_map<std::string, std::optional<SourcePlace>>;

/// Reads what `dtc -O dts -T` writes, one line a node or property, and fills in what is wanted.
void read_places(std::string_view text, Places& wanted) {
  std::string path;                  // of the open node, without the root's slash
  std::vector<std::size_t> lengths;  // of the paths around it
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
    std::string key;
    const std::size_t end = line.find_first_of(" ;");
    if (line.starts_with("};")) {
      if (lengths.empty()) return;
      path.resize(lengths.back());
      lengths.pop_back();
      continue;
    }
    // A property has a `=` or a `;` behind its name; a node a `{`, and labels before it.
    std::string_view name = line.substr(0, end);
    std::string_view rest = line.substr(std::min(name.size(), line.size()));
    while (name.ends_with(':')) {
      rest.remove_prefix(std::min<std::size_t>(1, rest.size()));
      name = rest.substr(0, rest.find_first_of(" ;"));
      rest.remove_prefix(name.size());
    }
    if (rest.starts_with(" {")) {
      lengths.push_back(path.size());
      if (lengths.size() > 1) path.append("/").append(name);
      key = path.empty() ? "/" : path;
    } else if (!lengths.empty() && !name.empty()) {
      key = (path.empty() ? "/" : path) + ':' + std::string{name};
    } else {
      continue;
    }
    const auto known = wanted.find(key);
    if (known != wanted.end()) known->second = place_in(line);
  }
}

}  // namespace

void find_places(LintResult& result) {
  if (result.findings.empty()) return;
  const auto key_of = [](const SaidFinding& finding) {
    return finding.node + ':' + std::string{finding.property};
  };
  Places places;
  for (const SaidFinding& finding : result.findings) {
    places.try_emplace(finding.node);
    places.try_emplace(key_of(finding));
  }
  read_places(annotate_source(result.board), places);
  // dtc says its files as seen from the folder of the first.
  const std::string folder = result.board.substr(0, result.board.rfind('/') + 1);
  for (auto& [key, place] : places) {
    if (place && !place->file.starts_with('/')) place->file.insert(0, folder);
  }
  for (SaidFinding& finding : result.findings) {
    finding.place = places[key_of(finding)];
    if (!finding.place) finding.place = places[finding.node];
  }
}

}  // namespace carveout::cli
