#include <array>
#include <string>

#include "why_request.hpp"

namespace carveout::cli {
namespace {

/// Those that can change the answer.
constexpr std::array kAttributes{Attributes::non_coherent, Attributes::no_cpu_mapping,
                                 Attributes::uninitialized, Attributes::force_contiguous};

}  // namespace

std::vector<std::string_view> names_of(Attributes set) {
  std::vector<std::string_view> names;
  for (const Attributes attribute : kAttributes) {
    if (has(set, attribute)) names.push_back(carveout::name_of(attribute));
  }
  return names;
}

std::optional<Attributes> attribute_named(std::string_view name) {
  for (const Attributes attribute : kAttributes) {
    if (carveout::name_of(attribute) == name) return attribute;
  }
  return std::nullopt;
}

std::string known_attributes() {
  std::string list;
  for (const Attributes attribute : kAttributes) {
    if (!list.empty()) list += ", ";
    list += carveout::name_of(attribute);
  }
  return list;
}

std::string_view name_of(Context context) {
  return context == Context::may_wait ? "may_wait" : "must_not_wait";
}

}  // namespace carveout::cli
