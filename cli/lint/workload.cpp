// --workload: a trace in the form of a table, read once.
#include <fmt/format.h>

#include <vector>

#include "facts.hpp"
#include "refusal.hpp"
#include "simulate/trace.hpp"

namespace carveout::cli {

Workload read_workload(const UserFile& file) {
  Trace trace{TraceText{file.name, file.bytes}};
  if (trace.form() != TraceForm::csv) {
    throw Refusal{file.name, fmt::format("has no header {}", kCsvHeader), "line 1"};
  }
  Workload workload;
  std::vector<std::uint32_t> request_of;  // by slot
  TraceStep step;
  while (trace.next(step)) {
    if (step.is_alloc) {
      if (step.slot >= request_of.size()) request_of.resize(step.slot + std::size_t{1});
      request_of[step.slot] = static_cast<std::uint32_t>(workload.requests.size());
      workload.requests.push_back(
          {trace.devices()[step.request.device].name, step.request.size_bytes});
    }
    workload.events.push_back({.request = request_of[step.slot], .frees = !step.is_alloc});
  }
  if (workload.requests.empty()) throw Refusal{file.name, "has no allocation", "0 requests"};
  return workload;
}

}  // namespace carveout::cli
