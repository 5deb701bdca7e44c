#include "gen/names.hpp"

#include <fmt/format.h>

namespace carveout::cli {
namespace {

// Not std::isalnum(), which asks the locale.
bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::string Identifiers::make(std::string_view prefix, std::string_view name) {
  std::string plain{prefix};
  bool gap = true;
  for (const char c : name) {
    if (is_plain(c)) {
      if (gap) plain += '_';
      plain += c;
    }
    gap = !is_plain(c);
  }
  std::string id = plain;
  while (!given_.try_emplace(id, 1).second) id = fmt::format("{}_{}", plain, ++given_[plain]);
  return id;
}

}  // namespace carveout::cli
