// A request that was refused, as `why` and `simulate` tell it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "carveout/core/error.hpp"
#include "json_text.hpp"

namespace carveout::cli {

struct RefusedRequest {
  explicit RefusedRequest(const Failure& failure);

  Error code;
  std::string message;
  std::string pool;
  std::uint64_t asked_bytes;
  std::optional<std::uint64_t> free_bytes;  ///< of a pool that was looked into
  std::optional<std::uint64_t> largest_run_bytes;
};

/// `{"code", "message", "pool", "asked", "free", "largest_run"}` without its closing brace.
void write_refused(JsonText& json, const RefusedRequest& refused);

}  // namespace carveout::cli
