// Made by make-tables: a change is lost when it is made again.
#pragma once

#include <cstdint>

namespace machine {

/// Of the tree that the tables were made of.
inline constexpr std::uint32_t kTreeBytes = 0x0000107e;

}  // namespace machine
