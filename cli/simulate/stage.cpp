#include "stage.hpp"

#include <vector>

#include "machine.hpp"

namespace carveout::cli {
namespace {

std::vector<setup::DeviceSpec> specs_of(const TraceDevices& devices,
                                        const SimulateRequest& request) {
  const std::uint64_t mask = ~std::uint64_t{0} >> (64 - request.mask_bits);
  std::vector<setup::DeviceSpec> specs;
  specs.reserve(devices.askers.size());
  for (const TraceDevices::Asker& asker : devices.askers) {
    specs.push_back(
        {.node = asker.node, .coherent_mask = DmaAddr{mask}, .any_on_bus = asker.any_on_bus});
  }
  return specs;
}

OfflineSettings settings_of(const Machine& machine, const Trace& trace,
                            const SimulateRequest& request, std::size_t blocks) {
  return {.devices_coherent = request.cpu_coherent,
          .uncached_view = request.uncached_view.value_or(!machine.armv7m),
          .blocks = blocks,
          .blame = trace.source()};
}

}  // namespace

Stage::Stage(const Board& board, const Trace& trace, const SimulateRequest& request,
             std::size_t blocks)
    : devices{find_devices(board, trace, request)},
      offline{board, specs_of(devices, request), machine_of(board.tree()),
              settings_of(machine_of(board.tree()), trace, request, blocks), [](const Finding&) {}},
      first_pools{offline, devices} {}

}  // namespace carveout::cli
