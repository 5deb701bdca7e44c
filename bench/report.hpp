// A measurement as tables, as a picture, and against what is required.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>

namespace carveout::bench {

void print_tables(std::ostream& out, const nlohmann::ordered_json& measured);
/// @param measured  rows of any of the measurements, together.
/// Whether nothing that is required is missed.
bool print_verdict(std::ostream& out, const nlohmann::ordered_json& measured);
void draw(std::ostream& out, const nlohmann::ordered_json& measured);

}  // namespace carveout::bench
