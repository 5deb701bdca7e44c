// Which pools a request may be served from, in which order, and why: a pure function, the same on
// the target and offline. The architecture is this file and pool/pool.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "carveout/core/attributes.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/function_ref.hpp"
#include "carveout/core/text.hpp"
#include "carveout/map/device.hpp"
#include "carveout/pool/pool.hpp"

namespace carveout {

enum class Verdict : std::uint8_t {
  open,     ///< applies: the verb tries it
  taken,    ///< the verb was served from it (never said by route() itself)
  skipped,  ///< absent, or does not apply to this request
  refused,  ///< applies and cannot serve; `error` says which
};

/// Why a candidate stands as it does, beyond its verdict.
enum class Reason : std::uint8_t {
  absent,            ///< nobody has this role
  named,             ///< the request names it
  named_against,     ///< the request names it, against its own attributes
  own_pool,          ///< the device's own
  restricted,        ///< all that the device may reach
  role_serves,       ///< the role's pool serves such requests
  only_memory_left,  ///< against the attributes, because the device reaches nothing else
  no_uncached_view,  ///< the CPU would use it through the cache
  elsewhere,         ///< ordinary memory that Carveout does not manage
  refused,           ///< `error` says why: at binding, out of reach, or exhausted
  fallback,          ///< the board lets it stand in for what is exhausted
  restricted_bars,   ///< other memory of a device that may reach only its restricted pool
  coherent_barred,   ///< a fallback of coherent memory, for a request that does without
};

/// One step of a route.
struct Candidate {
  Role role;
  Verdict verdict;
  Reason reason;
  std::optional<Error> error = std::nullopt;  ///< with Verdict::refused
  Pool* pool = nullptr;  ///< nullptr: absent, refused when bound, or ordinary memory elsewhere
  std::string_view pool_name = {};
  std::span<const Reach> reaches = {};  ///< how the device reaches it
  View view = View::uncached;           ///< how the CPU is to use it
  /// Another candidate, further on, stands in for this one if it is exhausted: a pool of the same
  /// role, or the board's fallback.
  bool has_stand_in = false;
};

/// Whether the walk goes on to the next candidate.
enum class Step : bool { stop, next };

/// Receives the candidates in order.
using CandidateSink = FunctionRef<Step(const Candidate&)>;

/// Walks the candidates of a request in the order of the rules, from the first that is looked at
/// to the last that may serve. Pure: it takes no lock, changes nothing and looks at no pool's
/// state, so the order of two requests alike is the same whether memory is left or not.
///
/// The rules (README of this folder): attributes choose the kind of memory; a device's own pools
/// bar everything below them; so does a restricted pool; what the device does not reach at all is
/// passed, with the reason. That an exhausted candidate is final is the verb's to add. Where the
/// board declared a fallback for the device, it takes the place of what stands below the first
/// candidate that may serve, and is never memory that the CPU would use through its cache for a
/// device that does not see it.
///
/// Returns nothing, or the error that ends the request before any candidate: unknown_pool (the
/// request names an index or name that is not bound to the device).
/// Cost: linear in the device's own pools. Context: any.
std::optional<Error> route(const Device& device, const Options& options, CandidateSink each);

/// The part of route() that concerns the device's own coherent pools, whatever the attributes. A
/// request that names a pool of another kind is unknown_pool, too.
std::optional<Error> route_own_pools(const Device& device, const Options& options,
                                     CandidateSink each);

/// The candidate that a role is for a device, whether or not a route would come to it: what the
/// verbs of single roles use. For a role of the device's own, the first pool that it has. Of a
/// device with a restricted pool everything but that and its own coherent pools is skipped
/// (restricted_bars).
[[nodiscard]] Candidate candidate_for(Role role, const Device& device, const Options& options);

/// Writes why a candidate stands as it does, in a sentence.
void describe(const Candidate& candidate, Text& text);

}  // namespace carveout
