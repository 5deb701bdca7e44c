// Everything that a driver needs, core to ops. Board code adds setup/.
#pragma once

#include "carveout/core/address.hpp"
#include "carveout/core/attributes.hpp"
#include "carveout/core/direction.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/text.hpp"
#include "carveout/core/window.hpp"
#include "carveout/map/alias.hpp"
#include "carveout/map/device.hpp"
#include "carveout/map/route.hpp"
#include "carveout/ops/buffer.hpp"
#include "carveout/ops/coherent.hpp"
#include "carveout/ops/streaming.hpp"
#include "carveout/pool/pool.hpp"
#include "carveout/port/copy.hpp"
#include "carveout/port/port.hpp"
#include "carveout/port/sync_table.hpp"
