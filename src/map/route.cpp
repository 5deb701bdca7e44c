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

/// A coherent pool of a device's own, or a restricted one: it bars everything below it in the order
/// of the rules, even where it cannot be used, and a restricted device may use both.
bool bars_others(Role role) { return role == Role::device || role == Role::bounce; }

/// What a role is for a device. The candidate is made in place: it is long.
class Judge {
 public:
  Judge(const Device& device, const Options& options) : device_{device}, options_{options} {}

  [[nodiscard]] const Candidate& candidate() const { return candidate_; }

  /// Whatever a role is for the device.
  void judge(Role role) {
    const Roles& roles = *device_.roles;
    Pool* pool = roles.of(role);
    switch (role) {
      case Role::device:
      case Role::bounce:
      case Role::contiguous_device:
        if (const Binding* const binding = first_of(device_.bindings, memory_for(role)))
          return judge(role, *binding);
        // The board's bounce pool is for streaming maps: it restricts nobody.
        if (role == Role::bounce) pool = nullptr;
        break;
      case Role::contiguous_node: {
        const Roles::NodePool* node = roles.contiguous_nodes;
        while (node != nullptr && node->numa_node != device_.numa_node) node = node->next;
        pool = node == nullptr ? nullptr : node->pool;
        break;
      }
      case Role::ordinary:
        if (pool == nullptr && !roles.ordinary_elsewhere.empty()) return judge_elsewhere();
        break;
      case Role::atomic:
      case Role::default_pool:
      case Role::contiguous_default:
        break;
    }
    judge(role, pool);
  }

  void judge(Role role, const Binding& binding) {
    make_absent(role);
    candidate_.pool = binding.pool;
    candidate_.pool_name = binding.pool_name;
    candidate_.reaches = binding.reaches;
    const auto view = view_of(binding.memory, binding.pool);
    if (binding.refused) {
      refuse(*binding.refused);
    } else if (!view) {
      refuse(Error::no_uncached_view);
    } else {
      open(role == Role::bounce ? Reason::restricted : Reason::own_pool, *view);
    }
  }

  void judge(Role role, Pool* pool) {
    make_absent(role);
    if (pool == nullptr) return;
    candidate_.pool = pool;
    candidate_.pool_name = pool->name();
    candidate_.reaches = reaches_of(device_);
    const auto view = view_of(pool->memory(), pool);
    if (!view) {
      candidate_.reason = Reason::no_uncached_view;
    } else if (!reaches_any(candidate_.reaches, *pool)) {
      refuse(Error::unreachable);
    } else {
      open(Reason::role_serves, *view);
    }
  }

  /// Whether a pool of its own is all that the device may reach, even where it cannot be used.
  void bar_if_restricted() {
    if (candidate_.verdict == Verdict::skipped || bars_others(candidate_.role)) return;
    if (first_of(device_.bindings, Memory::bounce) != nullptr) bar(Reason::restricted_bars);
  }

 protected:
  void bar(Reason reason) {
    candidate_.verdict = Verdict::skipped;
    candidate_.reason = reason;
    candidate_.error = std::nullopt;
  }

  const Device& device_;
  const Options& options_;
  Candidate candidate_{.role = Role::device, .verdict = Verdict::skipped, .reason = Reason::absent};

 private:
  /// Of a role that nobody has.
  [[gnu::noinline]] void make_absent(Role role) {
    candidate_ = {.role = role, .verdict = Verdict::skipped, .reason = Reason::absent};
  }

  void open(Reason reason, View view) {
    candidate_.verdict = Verdict::open;
    candidate_.reason = reason;
    candidate_.view = view;
  }

  void refuse(Error error) {
    candidate_.verdict = Verdict::refused;
    candidate_.reason = Reason::refused;
    candidate_.error = error;
  }

  void judge_elsewhere() {
    make_absent(Role::ordinary);
    if (needs_uncached_view(Memory::ordinary)) {
      candidate_.reason = Reason::no_uncached_view;
      return;
    }
    const auto reached = [&](const PhysRange& range) {
      return reaches_any(reaches_of(device_), range);
    };
    if (!std::ranges::any_of(device_.roles->ordinary_elsewhere, reached))
      return refuse(Error::unreachable);
    open(Reason::elsewhere, View::cached);
  }

  /// Whether what the CPU writes through its cache is lost on the device, and nobody said that he
  /// cares for that himself.
  [[nodiscard]] bool needs_uncached_view(Memory memory) const {
    if (has(options_.attributes, Attributes::no_cpu_mapping)) return false;
    return memory == Memory::coherent ||
           (!device_.coherent && !has(options_.attributes, Attributes::non_coherent));
  }

  /// How the CPU is to use memory of a pool that the device gets. Nothing where there is no right
  /// way.
  [[nodiscard]] std::optional<View> view_of(Memory memory, const Pool* pool) const {
    const Roles& roles = *device_.roles;
    if (has(options_.attributes, Attributes::no_cpu_mapping))
      return View::cached;  // it does not use it at all
    const bool needs_uncached = needs_uncached_view(memory);
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
    if (cached && (!needs_uncached || device_.coherent)) return View::cached;
    return uncached ? std::optional{View::uncached} : std::nullopt;
  }
};

/// A step of the rules: a role, and what must hold of the request for it.
struct Rule {
  enum When : std::uint8_t {
    always = 0,
    forced = 1,            ///< it asks for contiguous memory
    unforced = 2,          ///< it does not
    must_not_wait = 4,     ///< its caller may not
    nothing_ordinary = 8,  ///< the board declared no ordinary memory
    /// Nothing before this was open to it: otherwise here is the end. Not one of the facts.
    nothing_reached = 16,
  };
  Role role;
  std::uint8_t when = always;
};

constexpr Rule kForOtherDevice[] = {
    {Role::device},
    {Role::bounce},
    {Role::atomic, Rule::must_not_wait},
    {Role::default_pool},
    {Role::contiguous_device},
    {Role::contiguous_node},
    {Role::contiguous_default},
};

constexpr Rule kForCoherentDevice[] = {
    {Role::device},
    {Role::bounce},
    {Role::contiguous_device, Rule::forced},
    {Role::contiguous_node, Rule::forced},
    {Role::contiguous_default, Rule::forced},
    {Role::ordinary},
    // Only a board that declared no ordinary memory, a microcontroller without caches, spends its
    // default pool on devices that do not need it.
    {Role::default_pool, Rule::nothing_ordinary},
};

constexpr Rule kWithoutCoherentMemory[] = {
    {Role::bounce},
    {Role::contiguous_device, Rule::forced},
    {Role::contiguous_node, Rule::forced},
    {Role::contiguous_default, Rule::forced},
    {Role::ordinary},
    // Nobody asked for contiguous memory, but it is ordinary memory too.
    {Role::contiguous_device, Rule::unforced | Rule::nothing_reached},
    {Role::contiguous_node, Rule::unforced},
    {Role::contiguous_default, Rule::unforced},
    // Against the attributes: no other memory is left.
    {Role::device, Rule::nothing_reached},
    {Role::default_pool},
};

/// The walk through the rules.
class Walk : Judge {
 public:
  Walk(const Device& device, const Options& options, CandidateSink each)
      : Judge{device, options}, each_{each} {}

  void run() {
    const bool without = has(options_.attributes, kNoCoherentMemory);
    const std::span<const Rule> rules = without ? std::span<const Rule>{kWithoutCoherentMemory}
                                        : device_.coherent ? kForCoherentDevice
                                                           : kForOtherDevice;
    const unsigned holds = facts();
    for (const Rule& rule : rules) {
      if ((rule.when & Rule::nothing_reached) != 0) {
        if (reached_something_) return;
        only_memory_left_ = rule.role == Role::device;
      }
      if ((rule.when & ~holds) == 0 && !follow(rule.role)) return;
    }
  }

  void own_pools() { role(Role::device); }

  /// A pool that the request names.
  void say(const Binding& binding) {
    judge(role_of(binding.memory), binding);
    bar_if_restricted();
    if (candidate_.verdict == Verdict::open) {
      const bool against =
          binding.memory == Memory::coherent && has(options_.attributes, kNoCoherentMemory);
      candidate_.reason = against ? Reason::named_against : Reason::named;
    }
    each_(candidate_);
  }

 private:
  /// What holds of the request.
  [[nodiscard]] unsigned facts() const {
    unsigned facts = Rule::nothing_reached;
    facts |= has(options_.attributes, Attributes::force_contiguous) ? Rule::forced : Rule::unforced;
    if (options_.context == Context::must_not_wait) facts |= Rule::must_not_wait;
    const Roles& roles = *device_.roles;
    if (roles.ordinary_elsewhere.empty() && roles.of(Role::ordinary) == nullptr)
      facts |= Rule::nothing_ordinary;
    return facts;
  }

  /// Whether to go on.
  bool follow(Role which) {
    if (!role(which)) return false;
    return !bars_others(which) || candidate_.reason == Reason::absent;
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
      judge(which);
      if (!see(pass)) return false;
    }
    for (; binding != nullptr; binding = first_of(binding->next, memory)) {
      judge(which, *binding);
      if (!see(pass)) return false;
    }
    if (which != Role::atomic) return true;
    const Roles::AtomicPiece* piece = Roles::next_piece(device_.roles->atomic_pieces);
    for (; piece != nullptr; piece = Roles::next_piece(piece->next)) {
      judge(which, piece->pool);
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
    bar_if_restricted();
    if (candidate_.verdict == Verdict::skipped) return;
    const bool without = has(options_.attributes, kNoCoherentMemory) && !only_memory_left_;
    if (without && memory_for(candidate_.role) == Memory::coherent) {
      bar(Reason::coherent_barred);
    } else if (candidate_.verdict == Verdict::open) {
      candidate_.reason = Reason::fallback;
    }
  }

  CandidateSink each_;
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
  Judge judge{device, options};
  judge.judge(role);
  judge.bar_if_restricted();
  return judge.candidate();
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
