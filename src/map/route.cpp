#include "carveout/map/route.hpp"

#include <algorithm>

namespace carveout {
namespace {

constexpr Attributes kNoCoherentMemory = Attributes::non_coherent | Attributes::no_cpu_mapping;

/// An IOMMU can put any page at any device address.
constexpr Reach kEverything[] = {  // no std::array: GCC 12 puts one of class type into .data
    Reach::everything()};

std::span<const Reach> reaches_of(const Device& device) {
  return device.behind_iommu ? std::span<const Reach>{kEverything} : device.reaches;
}

/// Whether what the CPU writes through its cache is lost on the device, and nobody said that he
/// cares for that himself.
bool needs_uncached_view(const Device& device, const Options& options, Memory memory) {
  if (has(options.attributes, Attributes::no_cpu_mapping)) return false;
  return memory == Memory::coherent ||
         (!device.coherent && !has(options.attributes, Attributes::non_coherent));
}

/// How the CPU is to use memory of a pool that a device gets. Nothing where there is no right way.
std::optional<View> view_for(const Device& device, const Options& options, Memory memory,
                             const Pool* pool) {
  const Roles& roles = *device.roles;
  if (has(options.attributes, Attributes::no_cpu_mapping))
    return View::cached;  // it does not use it at all
  const bool needs_uncached = needs_uncached_view(device, options, memory);
  if (roles.described_only) {
    if (!needs_uncached) return View::cached;
    // A coherent pool is there to be uncached, and its board sees to that; other memory is RAM.
    const bool assumed = memory == Memory::coherent || roles.assume_uncached_view;
    return assumed ? std::optional{View::uncached} : std::nullopt;
  }
  const bool uncached = pool != nullptr && pool->has(View::uncached);
  const bool cached = pool != nullptr && pool->has(View::cached);
  if (needs_uncached && uncached) return View::uncached;
  // Through the cache only what needs no other view, or a device that sees the caches.
  if (cached && (!needs_uncached || device.coherent)) return View::cached;
  return uncached ? std::optional{View::uncached} : std::nullopt;
}

/// Of a role that nobody has. Candidates are made in place: they are long.
[[gnu::noinline]] void make_absent(Candidate& candidate, Role role) {
  candidate = {.role = role, .verdict = Verdict::skipped, .reason = Reason::absent};
}

void make_open(Candidate& candidate, Reason reason, View view) {
  candidate.verdict = Verdict::open;
  candidate.reason = reason;
  candidate.view = view;
}

void refuse(Candidate& candidate, Error error) {
  candidate.verdict = Verdict::refused;
  candidate.reason = Reason::refused;
  candidate.error = error;
}

void make(Candidate& candidate, Role role, const Device& device, const Options& options,
          const Binding& binding) {
  make_absent(candidate, role);
  candidate.pool = binding.pool;
  candidate.pool_name = binding.pool_name;
  candidate.reaches = binding.reaches;
  const auto view = view_for(device, options, binding.memory, binding.pool);
  if (binding.refused) {
    refuse(candidate, *binding.refused);
  } else if (!view) {
    refuse(candidate, Error::no_uncached_view);
  } else {
    make_open(candidate, role == Role::bounce ? Reason::restricted : Reason::own_pool, *view);
  }
}

void make(Candidate& candidate, Role role, const Device& device, const Options& options,
          Pool* pool) {
  make_absent(candidate, role);
  if (pool == nullptr) return;
  candidate.pool = pool;
  candidate.pool_name = pool->name();
  candidate.reaches = reaches_of(device);
  const auto view = view_for(device, options, pool->memory(), pool);
  if (!view) {
    candidate.reason = Reason::no_uncached_view;
  } else if (!reaches_any(candidate.reaches, *pool)) {
    refuse(candidate, Error::unreachable);
  } else {
    make_open(candidate, Reason::role_serves, *view);
  }
}

void make_elsewhere(Candidate& candidate, const Device& device, const Options& options) {
  make_absent(candidate, Role::ordinary);
  if (needs_uncached_view(device, options, Memory::ordinary)) {
    candidate.reason = Reason::no_uncached_view;
    return;
  }
  const auto reached = [&](PhysRange range) { return reaches_any(reaches_of(device), range); };
  if (!std::ranges::any_of(device.roles->ordinary_elsewhere, reached))
    return refuse(candidate, Error::unreachable);
  make_open(candidate, Reason::elsewhere, View::cached);
}

/// The first binding of such memory, from `binding` on.
const Binding* first_of(const Binding* binding, Memory memory) {
  while (binding != nullptr && binding->memory != memory) binding = binding->next;
  return binding;
}

const Binding* named(const Device& device, const PoolChoice& choice) {
  for (const Binding* binding = device.bindings; binding != nullptr; binding = binding->next) {
    if (choice.index ? binding->index == *choice.index : binding->name == choice.name)
      return binding;
  }
  return nullptr;
}

/// Whether a pool of its own is all that the device may reach, even where it cannot be used.
bool is_restricted(const Device& device) {
  return first_of(device.bindings, Memory::bounce) != nullptr;
}

/// What a device may use although it is restricted: the pools that come before the restriction in
/// the order of the rules, and the restricted one.
bool is_open_to_restricted(Role role) { return role == Role::device || role == Role::bounce; }

void bar(Candidate& candidate, Reason reason) {
  candidate.verdict = Verdict::skipped;
  candidate.reason = reason;
  candidate.error = std::nullopt;
}

void bar_if_restricted(Candidate& candidate, const Device& device) {
  if (candidate.verdict == Verdict::skipped || is_open_to_restricted(candidate.role)) return;
  if (is_restricted(device)) bar(candidate, Reason::restricted_bars);
}

Role role_of(Memory memory) {
  switch (memory) {
    case Memory::contiguous:
      return Role::contiguous_device;
    case Memory::bounce:
      return Role::bounce;
    case Memory::coherent:
    case Memory::ordinary:
      break;
  }
  return Role::device;
}

/// Whatever a role is for a device.
void make(Candidate& candidate, Role role, const Device& device, const Options& options) {
  const Roles& roles = *device.roles;
  Pool* pool = roles.of(role);
  switch (role) {
    case Role::device:
    case Role::bounce:
    case Role::contiguous_device:
      if (const Binding* const binding = first_of(device.bindings, memory_for(role)))
        return make(candidate, role, device, options, *binding);
      // The board's bounce pool is for streaming maps: it restricts nobody.
      if (role == Role::bounce) pool = nullptr;
      break;
    case Role::contiguous_node: {
      const Roles::NodePool* node = roles.contiguous_nodes;
      while (node != nullptr && node->numa_node != device.numa_node) node = node->next;
      pool = node == nullptr ? nullptr : node->pool;
      break;
    }
    case Role::ordinary:
      if (pool == nullptr && !roles.ordinary_elsewhere.empty())
        return make_elsewhere(candidate, device, options);
      break;
    case Role::atomic:
    case Role::default_pool:
    case Role::contiguous_default:
      break;
  }
  make(candidate, role, device, options, pool);
}

/// The walk: one member function for each paragraph of the rules. All answer whether to go on.
class Walk {
 public:
  Walk(const Device& device, const Options& options, CandidateSink each)
      : device_{device}, options_{options}, each_{each} {}

  /// Having a pool of its own bars everything below, even where it cannot be used.
  bool own_pools() {
    return role(Role::device) && first_of(device_.bindings, Memory::coherent) == nullptr;
  }

  void run() {
    if (has(options_.attributes, kNoCoherentMemory)) {
      without_coherent_memory();
    } else if (own_pools() && restricted()) {
      device_.coherent ? for_coherent_device() : for_other_device();
    }
  }

  /// A pool that the request names.
  void say(const Binding& binding) {
    make(candidate_, role_of(binding.memory), device_, options_, binding);
    bar_if_restricted(candidate_, device_);
    if (candidate_.verdict == Verdict::open) {
      const bool against =
          binding.memory == Memory::coherent && has(options_.attributes, kNoCoherentMemory);
      candidate_.reason = against ? Reason::named_against : Reason::named;
    }
    each_(candidate_);
  }

 private:
  bool contiguous() {
    return role(Role::contiguous_device) && role(Role::contiguous_node) &&
           role(Role::contiguous_default);
  }

  bool contiguous_where_asked() {
    return !has(options_.attributes, Attributes::force_contiguous) || contiguous();
  }

  bool restricted() {
    const bool go_on = role(Role::bounce);
    return go_on && candidate_.reason == Reason::absent;
  }

  void for_other_device() {
    if (options_.context == Context::must_not_wait && !role(Role::atomic)) return;
    if (role(Role::default_pool)) contiguous();
  }

  void for_coherent_device() {
    if (!contiguous_where_asked() || !role(Role::ordinary)) return;
    // Only a board that declared no ordinary memory, a microcontroller without caches, spends its
    // default pool on devices that do not need it.
    if (device_.roles->ordinary_elsewhere.empty() && device_.roles->of(Role::ordinary) == nullptr)
      role(Role::default_pool);
  }

  void without_coherent_memory() {
    if (!restricted() || !contiguous_where_asked() || !role(Role::ordinary)) return;
    if (reached_something_) return;
    // Nobody asked for contiguous memory, but it is ordinary memory too.
    if (!has(options_.attributes, Attributes::force_contiguous) && !contiguous()) return;
    if (reached_something_) return;
    only_memory_left_ = true;
    if (own_pools()) role(Role::default_pool);
  }

  /// What a walk through candidates is for. Several pools stand in for each other, so those that
  /// are open are counted first and said then.
  enum class Pass : std::uint8_t { count, count_fallback, say, say_fallback };

  static bool is_fallback(Pass pass) {
    return pass == Pass::count_fallback || pass == Pass::say_fallback;
  }

  /// What has several pools is one candidate.
  bool role(Role which) {
    open_ = 0;
    const bool several =
        which == Role::device || which == Role::contiguous_device || which == Role::atomic;
    if (several) each_of(which, Pass::count);
    return each_of(which, Pass::say);
  }

  /// Makes every candidate that a role is, one after the other, as long as the pass goes on: a
  /// device's own pools of one kind, or the pieces of the atomic pool. An absent one where there is
  /// none.
  bool each_of(Role which, Pass pass) {
    const Memory memory = memory_for(which);
    const bool own = which == Role::device || which == Role::contiguous_device;
    const Binding* binding = own ? first_of(device_.bindings, memory) : nullptr;
    if (binding == nullptr) {
      make(candidate_, which, device_, options_);
      if (!see(pass)) return false;
    }
    for (; binding != nullptr; binding = first_of(binding->next, memory)) {
      make(candidate_, which, device_, options_, *binding);
      if (!see(pass)) return false;
    }
    if (which != Role::atomic) return true;
    const Roles::AtomicPiece* piece = Roles::next_piece(device_.roles->atomic_pieces);
    for (; piece != nullptr; piece = Roles::next_piece(piece->next)) {
      make(candidate_, which, device_, options_, piece->pool);
      if (!see(pass)) return false;
    }
    return true;
  }

  void each_fallback(Role exhausted, Pass pass) {
    for (const Role which : device_.fallback) {
      if (which != exhausted && !each_of(which, pass)) return;
    }
  }

  bool see(Pass pass) {
    if (is_fallback(pass)) judge_fallback();
    const bool open = candidate_.verdict == Verdict::open;
    if (pass < Pass::say) {
      if (open) ++open_;
      return true;
    }
    if (open && open_ != 0) --open_;
    candidate_.has_stand_in = open_ != 0;
    if (open && pass == Pass::say) {
      reached_something_ = true;
      if (only_memory_left_) candidate_.reason = Reason::only_memory_left;
      if (open_ == 0 && !device_.fallback.empty()) return say_with_fallback();
    }
    return each_(candidate_) == Step::next;
  }

  /// The candidate whose exhaustion would be final. What the rules have below it is never tried, so
  /// the board's fallback takes that place.
  bool say_with_fallback() {
    const Candidate last = candidate_;
    each_fallback(last.role, Pass::count_fallback);
    candidate_ = last;
    candidate_.has_stand_in = open_ != 0;
    if (each_(candidate_) == Step::next) each_fallback(last.role, Pass::say_fallback);
    return false;
  }

  void judge_fallback() {
    bar_if_restricted(candidate_, device_);
    if (candidate_.verdict == Verdict::skipped) return;
    const bool without = has(options_.attributes, kNoCoherentMemory) && !only_memory_left_;
    if (without && memory_for(candidate_.role) == Memory::coherent) {
      bar(candidate_, Reason::coherent_barred);
    } else if (candidate_.verdict == Verdict::open) {
      candidate_.reason = Reason::fallback;
    }
  }

  const Device& device_;
  const Options& options_;
  CandidateSink each_;
  Candidate candidate_{.role = Role::device, .verdict = Verdict::skipped, .reason = Reason::absent};
  std::uint32_t open_ = 0;  ///< candidates that may serve and are still to come
  bool reached_something_ = false;
  bool only_memory_left_ = false;
};

std::string_view absence_of(Role role) {
  switch (role) {
    case Role::device:
      return "the device has no pool of its own";
    case Role::bounce:
      return "no restricted pool";
    case Role::atomic:
      return "the board made no atomic pool";
    case Role::default_pool:
      return "the board has no default pool";
    case Role::contiguous_device:
      return "the device has no contiguous memory of its own";
    case Role::contiguous_node:
      return "no contiguous memory for the device's NUMA node";
    case Role::contiguous_default:
      return "the board has no default contiguous memory";
    case Role::ordinary:
      return "the board declared no ordinary memory";
  }
  return "absent";
}

std::string_view service_of(Role role) {
  switch (role) {
    case Role::device:
      return "the device's own pool, and so no other";
    case Role::bounce:
      return "the restricted pool is the only memory that the device may reach";
    case Role::atomic:
      return "set aside for callers that must not wait";
    case Role::default_pool:
      return "serves every device without a pool of its own";
    case Role::contiguous_device:
      return "the device's own contiguous memory";
    case Role::contiguous_node:
      return "the contiguous memory of the device's NUMA node";
    case Role::contiguous_default:
      return "the board's default contiguous memory";
    case Role::ordinary:
      return "ordinary memory will do";
  }
  return "serves";
}

}  // namespace

std::optional<Error> route(const Device& device, const Options& options, CandidateSink each) {
  Walk walk{device, options, each};
  if (options.pool.any()) {
    walk.run();
  } else if (const Binding* const binding = named(device, options.pool)) {
    walk.say(*binding);
  } else {
    return Error::unknown_pool;
  }
  return std::nullopt;
}

std::optional<Error> route_own_pools(const Device& device, const Options& options,
                                     CandidateSink each) {
  if (!options.pool.any()) {
    const Binding* const binding = named(device, options.pool);
    if (binding == nullptr || binding->memory != Memory::coherent) return Error::unknown_pool;
    return route(device, options, each);
  }
  Walk{device, options, each}.own_pools();
  return std::nullopt;
}

Candidate candidate_for(Role role, const Device& device, const Options& options) {
  Candidate candidate{.role = role, .verdict = Verdict::skipped, .reason = Reason::absent};
  make(candidate, role, device, options);
  bar_if_restricted(candidate, device);
  return candidate;
}

void describe(const Candidate& candidate, Text& text) {
  switch (candidate.reason) {
    case Reason::absent:
      text.add(absence_of(candidate.role));
      break;
    case Reason::named:
      text.add("the request names it, and so no other");
      break;
    case Reason::named_against:
      text.add("the request names it, against its own attributes");
      break;
    case Reason::own_pool:
    case Reason::restricted:
    case Reason::role_serves:
      text.add(service_of(candidate.role));
      break;
    case Reason::only_memory_left:
      text.add("against the attributes: the device reaches no other memory");
      break;
    case Reason::no_uncached_view:
      text.add("the CPU has no uncached view of it");
      break;
    case Reason::elsewhere:
      text.add("ordinary memory, which is not Carveout's to place");
      break;
    case Reason::fallback:
      text.add("the board lets it stand in for what is exhausted");
      break;
    case Reason::restricted_bars:
      text.add("barred: the device may reach nothing but its restricted pool");
      break;
    case Reason::coherent_barred:
      text.add("no fallback: the request does without coherent memory");
      break;
    case Reason::refused:
      if (candidate.error) text.add(meaning_of(*candidate.error));
      break;
  }
}

}  // namespace carveout
