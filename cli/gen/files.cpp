#include "gen/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace carveout::cli {
namespace {

bool is_plain(char c) {
  constexpr std::string_view kSigns = ",._+-/@() ";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kSigns.find(c) != std::string_view::npos;
}

std::vector<OutputFile> files_with(const GenPlan& plan, const GenRequest& request,
                                   std::string_view layout) {
  std::vector<OutputFile> files{
      {.name = "carveout.ld", .content = linker_text(plan, layout)},
      {.name = "carveout_tables.hpp", .content = tables_text(plan, request, layout)}};
  if (has_mpu(request.target)) {
    files.push_back({.name = "carveout_mpu.hpp", .content = mpu_text(plan, request, layout)});
  }
  return files;
}

/// FNV-1a with 64 bits: to notice accidents, and to be the same everywhere.
std::uint64_t hash_of(const std::vector<OutputFile>& files) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (const OutputFile& file : files) {
    for (const char c : file.content) {
      hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100'0000'01b3;
    }
  }
  return hash;
}

}  // namespace

std::vector<OutputFile> files_of(const GenPlan& plan, const GenRequest& request) {
  return files_with(plan, request, fmt::format("{:016x}", hash_of(files_with(plan, request, ""))));
}

std::string in_comment(std::string_view text) {
  std::string safe{text};
  std::ranges::replace_if(safe, [](char c) { return !is_plain(c); }, '_');
  return safe;
}

std::string literal(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    // Always three digits, so that the next character is not a fourth.
    if (is_plain(c)) quoted += c;
    if (!is_plain(c)) quoted += fmt::format("\\{:03o}", static_cast<std::uint8_t>(c));
  }
  return quoted + '"';
}

}  // namespace carveout::cli
