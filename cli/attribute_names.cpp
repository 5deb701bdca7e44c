#include <array>
#include <string>
#include <utility>

#include "why_request.hpp"

namespace carveout::cli {
namespace {

constexpr std::array<std::pair<std::string_view, Attributes>, 4> kNames{{
    {"non_coherent", Attributes::non_coherent},
    {"no_cpu_mapping", Attributes::no_cpu_mapping},
    {"uninitialized", Attributes::uninitialized},
    {"force_contiguous", Attributes::force_contiguous},
}};

}  // namespace

std::vector<std::string_view> names_of(Attributes set) {
  std::vector<std::string_view> names;
  for (const auto& [name, attribute] : kNames) {
    if (has(set, attribute)) names.push_back(name);
  }
  return names;
}

std::optional<Attributes> attribute_named(std::string_view name) {
  for (const auto& [known, attribute] : kNames) {
    if (known == name) return attribute;
  }
  return std::nullopt;
}

std::string known_attributes() {
  std::string list;
  for (const auto& [name, attribute] : kNames) {
    if (!list.empty()) list += ", ";
    list += name;
  }
  return list;
}

std::string_view name_of(Context context) {
  return context == Context::may_wait ? "may_wait" : "must_not_wait";
}

}  // namespace carveout::cli
