// The picture of one run: what CPUs, hardware and devices did, and how cache and RAM came apart.
#pragma once

#include <filesystem>
#include <string>

#include "carveout_sim/adversary.hpp"
#include "carveout_sim/run_record.hpp"

namespace carveout::sim {

/// An SVG image that needs nothing else, light or dark as the reader's system is. Of a long run it
/// shows what the first mistake is about: the line, its neighbours, and at most 60 steps that touch
/// them; without a report, the last load or transfer that saw what cache and RAM do not agree on.
[[nodiscard]] std::string to_svg(const RunRecord& run);

/// A page with that image, the same facts as a table, and all reports.
/// @param failing  how the run came to fail, in words.
[[nodiscard]] std::string to_html(const RunRecord& run, const std::string& failing = {});

/// Runs the shortest failing schedule once more and writes its picture: the image, where `to` ends
/// with .svg, else the page.
/// @throws std::ios_base::failure  the file cannot be written
void write_timeline(const std::filesystem::path& to, const Program& run, const Failing& failing);

}  // namespace carveout::sim
