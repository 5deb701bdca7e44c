// The board: what `carveout gen` made of the tree that the emulator states and of board.dtso (see
// make-tables), and what no tree says.
#pragma once

#include "carveout/setup/from_tables.hpp"
#include "generated/carveout_tables.hpp"

namespace virt {

inline constexpr carveout::PhysRange kPool =
    riscv_virt::kPools[riscv_virt::pool_default_82000000].chunks[0];

constexpr carveout::DeviceSettings with_quarantine(carveout::DeviceSettings device) {
  device.quarantine_blocks = 2;
  return device;
}
inline constexpr carveout::DeviceSettings kDevices[]{
    with_quarantine(riscv_virt::kDevices[riscv_virt::device_edu]),
    riscv_virt::kDevices[riscv_virt::device_edu28]};
inline constexpr carveout::setup::Tables kTables{
    .pools = riscv_virt::kPools, .devices = kDevices, .defaults = riscv_virt::kDefaults};

}  // namespace virt
