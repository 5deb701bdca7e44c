// One request of `why`, and what came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "carveout/core/attributes.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/finding.hpp"
#include "carveout/core/window.hpp"
#include "carveout/map/device.hpp"
#include "carveout/map/route.hpp"
#include "carveout/pool/range_allocator.hpp"
#include "input.hpp"
#include "refused_request.hpp"
#include "rule_id.hpp"

namespace carveout::cli {

/// How often one request may be repeated: each live block is an entry in a table of its pool.
inline constexpr std::uint64_t kMaxCount = 65000;

/// What is asked.
struct WhyRequest {
  std::string device;  ///< NODE as typed; empty where a bus is named
  std::string bus;
  std::uint64_t size_bytes = 0;
  std::uint64_t align_bytes = 1;
  std::optional<std::uint64_t> boundary_bytes;
  unsigned mask_bits = 64;
  bool mask_given = false;
  std::optional<std::uint32_t> pool_index;
  std::string pool_name;  ///< empty: no pool is named
  Attributes attributes = Attributes::none;
  Context context = Context::may_wait;
  std::uint64_t count = 1;
  bool cpu_coherent_given = false;
  bool cpu_coherent = false;  ///< what a device is whose tree says nothing
  std::optional<bool> uncached_view;

  [[nodiscard]] std::uint64_t mask() const { return ~std::uint64_t{0} >> (64 - mask_bits); }
};

/// A candidate as it stood after the last request.
struct WhyStep {
  Role role;
  Verdict verdict;
  Reason why;
  std::optional<Error> error;
  std::string pool;                 ///< empty: none
  std::string reason;               ///< a sentence
  std::optional<Usage> usage;       ///< of the pool, afterwards
  std::uint64_t granule_bytes = 0;  ///< with usage
};

struct WhyBlock {
  Role role;
  std::string pool;  ///< empty for ordinary memory
  std::optional<std::uint64_t> phys;
  std::optional<std::uint64_t> dma;
  std::uint64_t size_bytes;
};

struct WhyFinding {
  Rule rule;
  Severity severity;
  std::string node;
  std::string property;
  std::string sentence;
};

/// A pool of the device's own that serves nothing.
struct WhyRefusedPool {
  std::uint32_t index;  ///< its place in memory-region
  Error why;
};

/// What came of a request, and the facts that decided.
struct WhyAnswer {
  std::string node;  ///< full path of the device or bus
  bool enabled;
  std::optional<bool> states_coherent;
  bool coherent;  ///< as stated, or as assumed
  bool behind_iommu;
  bool has_mmu;  ///< pages and an uncached view are assumed
  bool uncached_view;
  std::uint64_t granule_bytes;
  Translation::Kind translation;
  std::vector<Window> windows;
  std::vector<WhyFinding> findings;
  std::vector<WhyRefusedPool> refused_pools;  ///< whether or not this request came to them
  std::vector<WhyStep> route;                 ///< of the last request
  std::vector<WhyBlock> blocks;
  std::optional<RefusedRequest> failure;
};

/// Asks the code that answers on the target. Throws Refusal: no such node.
[[nodiscard]] WhyAnswer ask(const Board& board, const WhyRequest& request);
/// The same for a node that is known: of a device, or of any on a bus as `request.device` is empty.
[[nodiscard]] WhyAnswer ask(const Board& board, device_tree::Node node, const WhyRequest& request);

[[nodiscard]] std::string why_text(const Board& board, const WhyRequest& request,
                                   const WhyAnswer& answer, bool colour);

/// Schema carveout.why/1, one line.
[[nodiscard]] std::string why_json(const Board& board, const WhyRequest& request,
                                   const WhyAnswer& answer);

/// Names of the attributes in a set, as the library and the command line write them.
[[nodiscard]] std::vector<std::string_view> names_of(Attributes set);
/// An attribute by its name.
[[nodiscard]] std::optional<Attributes> attribute_named(std::string_view name);
/// All names, for a refusal.
[[nodiscard]] std::string known_attributes();
[[nodiscard]] std::string_view name_of(Context context);

}  // namespace carveout::cli
