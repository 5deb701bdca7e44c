#include "rule_id.hpp"

#include <fmt/format.h>

#include <utility>

namespace carveout::cli {

std::string rule_id(Rule rule) { return fmt::format("DMA{:03}", std::to_underlying(rule)); }

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      break;
  }
  return "error";
}

}  // namespace carveout::cli
