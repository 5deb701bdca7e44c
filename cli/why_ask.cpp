#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "carveout/ops/coherent.hpp"
#include "machine.hpp"
#include "node_name.hpp"
#include "offline.hpp"
#include "refusal.hpp"
#include "sentence.hpp"
#include "why_request.hpp"

namespace carveout::cli {
namespace {

using device_tree::Node;
using device_tree::Tree;

Options options_of(const WhyRequest& request) {
  return {.align_bytes = request.align_bytes,
          .boundary_bytes = request.boundary_bytes.value_or(0),
          .attributes = request.attributes,
          .context = request.context,
          .pool = {.index = request.pool_index, .name = request.pool_name}};
}

WhyStep step_of(const Candidate& candidate) {
  WhyStep step{.role = candidate.role,
               .verdict = candidate.verdict,
               .why = candidate.reason,
               .error = candidate.error,
               .pool = std::string{candidate.pool_name},
               .reason = sentence(candidate),
               .usage = std::nullopt};
  if (candidate.pool != nullptr) {
    step.usage = candidate.pool->usage();
    step.granule_bytes = candidate.pool->granule_bytes();
  }
  return step;
}

WhyBlock block_of(const Taken& taken, const Device& device, const WhyRequest& request) {
  if (!taken.block) {
    return {.role = taken.role,
            .pool = {},
            .phys = std::nullopt,
            .dma = std::nullopt,
            .size_bytes = request.size_bytes};
  }
  const bool own = taken.role == Role::device || taken.role == Role::contiguous_device;
  return {.role = taken.role,
          .pool = std::string{taken.block->pool->name()},
          .phys = taken.block->phys.raw(),
          .dma = device.behind_iommu && !own ? std::nullopt : std::optional{taken.block->dma.raw()},
          .size_bytes = taken.block->size_bytes};
}

/// Requests times pools of the device's own: each may ask all of them.
constexpr std::uint64_t kMaxAttempts = 2'000'000;

void check_work(const Board& board, const Device& device, const WhyRequest& request) {
  std::uint64_t pools = 1;
  for (const Binding* own = device.bindings; own != nullptr; own = own->next) ++pools;
  if (pools * request.count <= kMaxAttempts) return;
  throw Refusal{board.source,
                fmt::format("{} requests of a device with {} pools of its own take too long",
                            request.count, pools - 1),
                "--count"};
}

/// Makes the request as often as was said, or up to the first refusal.
void make_requests(const Device& device, const WhyRequest& request, WhyAnswer& answer) {
  const Options options = options_of(request);
  for (std::uint64_t i = 0; i < request.count && !answer.failure; ++i) {
    // Only the last request's route is told; describing each of many would take longer than asking.
    const bool last = i + 1 == request.count;
    std::vector<Candidate> route;
    const auto taken =
        take_by_route(device, request.size_bytes, options,
                      [&](const Candidate& candidate) { route.push_back(candidate); });
    if (taken) answer.blocks.push_back(block_of(*taken, device, request));
    if (!taken) answer.failure = RefusedRequest{taken.error()};
    if (!last && taken) continue;
    for (const Candidate& candidate : route) answer.route.push_back(step_of(candidate));
  }
}

}  // namespace

WhyAnswer ask(const Board& board, const WhyRequest& request) {
  const bool any_on_bus = request.device.empty();
  return ask(board,
             any_on_bus ? find_node(board, "--bus", request.bus)
                        : find_node(board, "--device", request.device),
             request);
}

WhyAnswer ask(const Board& board, Node node, const WhyRequest& request) {
  const Tree& tree = board.tree();
  const bool any_on_bus = request.device.empty();
  const Machine machine = machine_of(tree);
  const auto coherent = tree.coherent(node);
  WhyAnswer answer{.node = path_of(tree, node),
                   .enabled = tree.enabled(node),
                   .states_coherent = coherent,
                   .coherent = coherent.value_or(request.cpu_coherent),
                   .behind_iommu = false,
                   .has_mmu = !machine.armv7m,
                   .uncached_view = request.uncached_view.value_or(!machine.armv7m),
                   .granule_bytes = machine.granule_bytes(),
                   .translation = Translation::Kind::identity,
                   .windows = {},
                   .findings = {},
                   .refused_pools = {},
                   .route = {},
                   .blocks = {},
                   .failure = {}};
  const std::array devices{setup::DeviceSpec{
      .node = answer.node, .coherent_mask = DmaAddr{request.mask()}, .any_on_bus = any_on_bus}};
  const Offline offline{board,
                        devices,
                        machine,
                        {.devices_coherent = request.cpu_coherent,
                         .uncached_view = answer.uncached_view,
                         .blocks = static_cast<std::size_t>(request.count),
                         .blame = "--count"},
                        [&](const Finding& finding) {
                          answer.findings.push_back({.rule = finding.rule,
                                                     .severity = finding.severity,
                                                     .node = std::string{finding.node},
                                                     .property = std::string{finding.property},
                                                     .sentence = sentence(finding)});
                        }};
  const Device& device = offline.device(0);
  answer.behind_iommu = device.behind_iommu;
  answer.translation = device.translation.kind();
  const auto windows = device.translation.windows();
  answer.windows.assign(windows.begin(), windows.end());
  for (const Binding* own = device.bindings; own != nullptr; own = own->next) {
    if (own->refused) answer.refused_pools.push_back({own->index, *own->refused});
  }
  check_work(board, device, request);
  make_requests(device, request, answer);
  return answer;
}

}  // namespace carveout::cli
