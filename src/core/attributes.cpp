#include "carveout/core/attributes.hpp"

namespace carveout {

std::string_view name_of(Attributes attribute) {
  // No default: a new attribute without a name does not compile with our warnings.
  switch (attribute) {
    case Attributes::none:
      return "none";
    case Attributes::non_coherent:
      return "non_coherent";
    case Attributes::no_cpu_mapping:
      return "no_cpu_mapping";
    case Attributes::uninitialized:
      return "uninitialized";
    case Attributes::force_contiguous:
      return "force_contiguous";
    case Attributes::write_combine:
      return "write_combine";
    case Attributes::single_pages:
      return "single_pages";
    case Attributes::skip_cpu_sync:
      return "skip_cpu_sync";
    case Attributes::no_warn:
      return "no_warn";
    case Attributes::privileged:
      return "privileged";
    case Attributes::require_coherent:
      return "require_coherent";
  }
  return "unknown";
}

}  // namespace carveout
