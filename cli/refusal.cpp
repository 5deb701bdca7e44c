#include "refusal.hpp"

#include <fmt/format.h>

#include "printable.hpp"

namespace carveout::cli {

Refusal::Refusal(std::string_view subject, std::string_view what, std::string_view where)
    : line_{fmt::format("carveout: {}: {} ({})", printable(subject), printable(what),
                        printable(where))} {}

}  // namespace carveout::cli
