// --workload: allocations and releases, as a table.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

#include "facts.hpp"
#include "refusal.hpp"
#include "sizes.hpp"

namespace carveout::cli {
namespace {

constexpr std::string_view kHeader = "time,op,id,device,size,align";
constexpr std::size_t kColumns = 6;

std::array<std::string_view, kColumns> columns(std::string_view line, const std::string& file,
                                               const std::string& where) {
  std::array<std::string_view, kColumns> cells;
  for (std::size_t i = 0; i < kColumns; ++i) {
    const std::size_t comma = line.find(',');
    cells[i] = line.substr(0, comma);
    const bool last = i + 1 == kColumns;
    if (last != (comma == std::string_view::npos)) {
      throw Refusal{file, fmt::format("has not the columns {}", kHeader), where};
    }
    line.remove_prefix(std::min(cells[i].size() + 1, line.size()));
  }
  return cells;
}

}  // namespace

Workload read_workload(const UserFile& file) {
  std::string_view rest = file.bytes;
  Workload workload;
  std::unordered_map<std::string_view, std::uint32_t> live;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string where = fmt::format("line {}", number);
    if (number == 1) {
      if (line != kHeader)
        throw Refusal{file.name, fmt::format("has no header {}", kHeader), where};
      continue;
    }
    if (line.empty()) continue;
    const auto [time, op, id, device, size, align] = columns(line, file.name, where);
    const auto known = live.find(id);
    if (op == "alloc") {
      const auto bytes = parse_size(size);
      if (!bytes) throw Refusal{file.name, bytes.error().what, where};
      if (known != live.end()) {
        throw Refusal{file.name, fmt::format("allocates '{}', which is allocated", id), where};
      }
      const auto request = static_cast<std::uint32_t>(workload.requests.size());
      live.emplace(id, request);
      workload.requests.push_back({std::string{device}, *bytes});
      workload.events.push_back({.request = request, .frees = false});
    } else if (op == "free") {
      if (known == live.end()) {
        throw Refusal{file.name, fmt::format("frees '{}', which is not allocated", id), where};
      }
      workload.events.push_back({.request = known->second, .frees = true});
      live.erase(known);
    } else {
      throw Refusal{file.name, fmt::format("'{}' is neither alloc nor free", op), where};
    }
  }
  if (workload.requests.empty()) throw Refusal{file.name, "has no allocation", "0 requests"};
  return workload;
}

}  // namespace carveout::cli
