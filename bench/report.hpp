// A measurement as tables, as a picture, and against what is required.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>

namespace carveout::bench {

void print_tables(std::ostream& out, const nlohmann::ordered_json& measured);
/// @param counts  what tools/instructions.sh --json prints; may be empty.
void print_verdict(std::ostream& out, const nlohmann::ordered_json& measured,
                   const nlohmann::ordered_json& counts);
void draw(std::ostream& out, const nlohmann::ordered_json& measured);

}  // namespace carveout::bench
