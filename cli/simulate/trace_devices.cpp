#include "trace_devices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include "node_name.hpp"
#include "refusal.hpp"

namespace carveout::cli {
namespace {

using device_tree::Node;
using device_tree::Tree;

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The only node `name@address`, however many zeroes its unit address begins with.
std::optional<Node> by_unit_address(const Tree& tree, std::string_view name,
                                    std::uint64_t address) {
  std::optional<Node> found;
  for (const Node node : tree.nodes()) {
    const std::string_view has = tree.name(node);
    const std::size_t at = has.find('@');
    if (at == std::string_view::npos || has.substr(0, at) != name) continue;
    if (hexadecimal(has.substr(at + 1)) != address) continue;
    if (found) return std::nullopt;
    found = node;
  }
  return found;
}

/// The node that Linux calls so. What find_node() refuses is refused here.
Node by_kernel_name(const Board& board, std::string_view where, std::string_view name) {
  const std::size_t dot = name.find('.');
  const auto address =
      dot == std::string_view::npos ? std::nullopt : hexadecimal(name.substr(0, dot));
  if (address) {
    const std::string_view rest = name.substr(dot + 1);
    const auto node = by_unit_address(board.tree(), rest, *address);
    return node ? *node : find_node(board, where, rest);
  }
  const std::size_t colon = name.rfind(':');
  const bool of_a_bus = colon != std::string_view::npos && !name.contains('.');
  return find_node(board, where, of_a_bus ? name.substr(colon + 1) : name);
}

TraceDevices::Asker asker_of(const Board& board, const Trace& trace, const Trace::Device& device,
                             const SimulateRequest& request) {
  const Tree& tree = board.tree();
  if (device.name.empty()) {
    if (request.device.empty()) return {.node = "/", .any_on_bus = true};
    return {.node = path_of(tree, find_node(board, "--device", request.device)),
            .any_on_bus = false};
  }
  const auto named =
      std::ranges::find(request.names, device.name, &std::pair<std::string, std::string>::first);
  if (named != request.names.end()) {
    return {.node = path_of(tree, find_node(board, "--name", named->second)), .any_on_bus = false};
  }
  const std::string where = fmt::format("{}, line {}", trace.source(), device.line);
  const Node node = trace.form() == TraceForm::kernel
                        ? by_kernel_name(board, where + "; --name says which it is", device.name)
                        : find_node(board, where, device.name);
  return {.node = path_of(tree, node), .any_on_bus = false};
}

}  // namespace

TraceDevices find_devices(const Board& board, const Trace& trace, const SimulateRequest& request) {
  TraceDevices devices;
  for (const Trace::Device& device : trace.devices()) {
    TraceDevices::Asker asker = asker_of(board, trace, device, request);
    const auto known = std::ranges::find_if(devices.askers, [&](const TraceDevices::Asker& other) {
      return other.node == asker.node && other.any_on_bus == asker.any_on_bus;
    });
    devices.asker_of.push_back(static_cast<std::uint32_t>(known - devices.askers.begin()));
    if (known == devices.askers.end()) devices.askers.push_back(std::move(asker));
  }
  return devices;
}

}  // namespace carveout::cli
