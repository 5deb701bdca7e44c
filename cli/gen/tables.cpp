// carveout_tables.hpp: the rows that setup::build() takes.
#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "gen/files.hpp"

namespace carveout::cli {
namespace {

constexpr std::string_view kHead =
    R"(// clang-format off
// Made by `carveout gen`: a change is lost when it is made again.
//
// The devices and pools of a board, for setup::build() of <carveout/setup/from_tables.hpp>.
#pragma once

#include <carveout/setup/from_tables.hpp>
#include <cstddef>
#include <cstdint>

)";

std::string_view name_of(Memory memory) {
  switch (memory) {
    case Memory::coherent:
      return "coherent";
    case Memory::contiguous:
      return "contiguous";
    case Memory::bounce:
      return "bounce";
    case Memory::ordinary:
      break;
  }
  return "ordinary";
}

std::string_view name_of_default(Role role) {
  return role == Role::default_pool      ? "default_pool"
         : role == Role::contiguous_node ? "contiguous_node"
                                         : "contiguous_default";
}

class Text {
 public:
  Text(const GenPlan& plan, const GenRequest& request) : plan_{plan}, request_{request} {}

  std::string write(std::string_view layout) {
    text_ = kHead;
    if (!plan_.model.empty()) add("// The tree's model: {}\n", in_comment(plan_.model));
    add("namespace {} {{\n\n", request_.name_space);
    add("/// carveout.ld of the same run asks for it, so that a stale one does not link.\n"
        "extern \"C\" {{\n"
        "[[gnu::used]] inline constexpr unsigned char carveout_layout_{0} = 0;\n"
        "}}\n"
        "inline constexpr std::uint64_t kLayout = 0x{0};\n\n",
        layout.empty() ? "0" : layout);
    if (plan_.cbom_block_bytes) {
      add("/// What a cache maintenance instruction works on, as all harts state.\n"
          "inline constexpr std::size_t kCacheBlockBytes = {};\n\n",
          *plan_.cbom_block_bytes);
    }
    windows();
    devices();
    pools();
    roles();
    tables();
    if (request_.world != GenWorld::one) worlds();
    add("}}  // namespace {}\n", request_.name_space);
    return std::move(text_);
  }

 private:
  template <class... T>
  void add(fmt::format_string<T...> format, T&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<T>(arguments)...);
  }

  void windows() {
    for (std::size_t i = 0; i < plan_.windows.size(); ++i) {
      add("inline constexpr carveout::Window kWindows{}[]{{\n", i);
      for (const Window& window : plan_.windows[i]) {
        add("    {{.dma = carveout::DmaAddr{{{:#x}}}, .cpu = carveout::PhysAddr{{{:#x}}}, "
            ".size_bytes = {:#x}}},\n",
            window.dma.raw(), window.cpu.raw(), window.size_bytes);
      }
      add("}};\n\n");
    }
  }

  void devices() {
    if (plan_.devices.empty()) return;
    add("// Rows of kDevices, and numbers of the devices in the System.\n");
    for (std::size_t i = 0; i < plan_.devices.size(); ++i) {
      add("inline constexpr std::size_t {} = {};\n", plan_.devices[i].id, i);
    }
    add("\ninline constexpr carveout::DeviceSettings kDevices[]{{\n");
    for (const GenDevice& device : plan_.devices) {
      add("    {{.name = {},\n", literal(device.path));
      if (!device.mask_stated) add("     // Nobody stated how many bits it drives.\n");
      add("     .coherent_mask = carveout::DmaAddr{{{:#x}}}",
          ~std::uint64_t{0} >> (64 - device.mask_bits));
      if (device.windows) {
        add(",\n     .translation = carveout::Translation::through(kWindows{})", *device.windows);
      }
      if (device.coherent) add(",\n     .coherent = {}", *device.coherent);
      if (device.behind_iommu) add(",\n     .behind_iommu = true");
      if (device.numa_node != 0) add(",\n     .numa_node = {}", device.numa_node);
      add("}},\n");
    }
    add("}};\n\n");
  }

  void pools() {
    if (plan_.pools.empty()) return;
    add("// Rows of kPools.\n");
    for (std::size_t i = 0; i < plan_.pools.size(); ++i) {
      add("inline constexpr std::size_t {} = {};\n", plan_.pools[i].id, i);
    }
    add("\n");
    for (std::size_t i = 0; i < plan_.pools.size(); ++i) {
      add("inline constexpr carveout::PhysRange kChunks{}[]{{\n", i);
      for (const GenRange& chunk : plan_.pools[i].chunks) {
        add("    {{carveout::PhysAddr{{{:#x}}}, {:#x}}},\n", chunk.range.base.raw(),
            chunk.range.size_bytes);
      }
      add("}};\n");
    }
    add("\ninline constexpr carveout::PoolSettings kPools[]{{\n");
    for (std::size_t i = 0; i < plan_.pools.size(); ++i) {
      add("    {{.name = {},\n     .memory = carveout::Memory::{},\n     .chunks = kChunks{}}},\n",
          literal(plan_.pools[i].path), name_of(plan_.pools[i].memory), i);
    }
    add("}};\n\n");
  }

  void roles() {
    if (!plan_.bindings.empty()) {
      add("inline constexpr carveout::setup::BindingRow kBindings[]{{\n");
      for (const GenBinding& row : plan_.bindings) {
        add("    {{.device = {}, .pool = {}, .settings = {{.index = {}",
            plan_.devices[row.device].id, plan_.pools[row.pool].id, row.index);
        if (!row.name.empty()) add(", .name = {}", literal(row.name));
        add("}}}},\n");
      }
      add("}};\n\n");
    }
    if (!plan_.defaults.empty()) {
      add("inline constexpr carveout::setup::DefaultRow kDefaults[]{{\n");
      for (const GenDefault& row : plan_.defaults) {
        add("    {{.role = carveout::Role::{}, .pool = {}", name_of_default(row.role),
            plan_.pools[row.pool].id);
        if (row.role == Role::contiguous_node) add(", .numa_node = {}", row.numa_node);
        add("}},\n");
      }
      add("}};\n\n");
    }
  }

  void worlds() {
    const auto list = [&](const char* name, const auto& rows) {
      if (rows.empty()) return;
      add("inline constexpr bool {}[]{{", name);
      const char* separator = "";
      for (const auto& row : rows) add("{}{}", std::exchange(separator, ", "), row.secure);
      add("}};\n");
    };
    add("// Row by row: whether only the Secure world has it.\n");
    list("kPoolIsSecure", plan_.pools);
    list("kDeviceIsSecure", plan_.devices);
    if (!plan_.bindings.empty()) {
      add("static_assert(\n"
          "    [] {{\n"
          "      for (const auto& row : kBindings) {{\n"
          "        if (kPoolIsSecure[row.pool] && !kDeviceIsSecure[row.device]) return false;\n"
          "      }}\n"
          "      return true;\n"
          "    }}(),\n"
          "    \"a device that is not Secure is bound to Secure memory\");\n");
    }
    add("\n");
  }

  void tables() {
    add("inline constexpr carveout::setup::Tables kTables{{");
    const char* separator = "";
    const auto field = [&](const char* name, const char* value, bool present) {
      if (!present) return;
      add("{}\n    .{} = {}", std::exchange(separator, ","), name, value);
    };
    field("pools", "kPools", !plan_.pools.empty());
    field("devices", "kDevices", !plan_.devices.empty());
    field("bindings", "kBindings", !plan_.bindings.empty());
    field("defaults", "kDefaults", !plan_.defaults.empty());
    add("}};\n\n"
        "/// Storage of a System of these, and of nothing else.\n"
        "inline constexpr std::size_t kStorageBytes = carveout::setup::measure(kTables);\n\n");
  }

  const GenPlan& plan_;
  const GenRequest& request_;
  std::string text_;
};

}  // namespace

std::string tables_text(const GenPlan& plan, const GenRequest& request, std::string_view layout) {
  return Text{plan, request}.write(layout);
}

}  // namespace carveout::cli
