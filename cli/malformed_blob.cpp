#include "malformed_blob.hpp"

#include <fmt/format.h>

namespace carveout::cli {

MalformedBlob::MalformedBlob(std::string_view subject, std::string_view what,
                             std::string_view where)
    : Refusal{subject, what, where},
      subject_{subject},
      reason_{fmt::format("{} ({})", what, where)} {}

}  // namespace carveout::cli
