#include "carveout_sim/plain_machine.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "carveout/core/size.hpp"
#include "carveout/port/cache_lines.hpp"
#include "text.hpp"

namespace carveout::sim {

struct PlainMachine::Stack {
  static constexpr int kFrames = 48;
  std::array<void*, kFrames> frames;
  int count = 0;

  void take() noexcept { count = ::backtrace(frames.data(), kFrames); }
};

namespace {

// ---- the handler -------------------------------------------------------------------------------

std::array<std::atomic<PlainMachine*>, PlainMachine::kMachines> machines{};
std::mutex machines_mutex;
std::size_t machine_count = 0;
struct sigaction before;

Touch how_touched(const void* context) {
#if defined(__x86_64__)
  constexpr greg_t kWrite = 2;  // of the page fault's error code; Intel SDM vol. 3, 4.7
  const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
  return (registers[REG_ERR] & kWrite) != 0 ? Touch::store : Touch::load;
#else
  static_cast<void>(context);
  return Touch::unknown;
#endif
}

void on_fault(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  for (const auto& machine : machines) {
    PlainMachine* const each = machine.load(std::memory_order_acquire);
    if (each != nullptr && each->touched(info->si_addr, how_touched(context))) {
      errno = saved;
      return;
    }
  }
  // Not ours. With nobody to hand it to, the access is made again and ends the program.
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN) {
    struct sigaction end{};
    end.sa_handler = SIG_DFL;
    ::sigaction(SIGSEGV, &end, nullptr);
  } else {
    before.sa_handler(signal);
  }
}

void enter(PlainMachine& machine) {
  const std::lock_guard guard{machines_mutex};
  const auto free = std::ranges::find_if(
      machines, [](const auto& each) { return each.load(std::memory_order_relaxed) == nullptr; });
  if (free == machines.end()) throw std::length_error{"too many machines at a time"};
  if (machine_count++ == 0) {
    // Its first call loads a library, which no handler may do.
    void* frame = nullptr;
    ::backtrace(&frame, 1);
    struct sigaction action{};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGSEGV, &action, &before);
  }
  free->store(&machine, std::memory_order_release);
}

void leave(PlainMachine& machine) {
  const std::lock_guard guard{machines_mutex};
  for (auto& each : machines) {
    if (each.load(std::memory_order_relaxed) == &machine) each.store(nullptr);
  }
  if (--machine_count == 0) ::sigaction(SIGSEGV, &before, nullptr);
}

std::string text_of(std::span<void* const> frames) {
  std::string text;
  for (void* const frame : frames) {
    Dl_info info{};
    text += "      " + hex(reinterpret_cast<std::uintptr_t>(frame));
    if (::dladdr(frame, &info) != 0) {
      if (info.dli_sname != nullptr) {
        int status = 0;
        char* const name = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
        text += std::string{" "} + (name != nullptr ? name : info.dli_sname);
        std::free(name);
      } else if (info.dli_fname != nullptr) {
        const auto offset = reinterpret_cast<std::uintptr_t>(frame) -
                            reinterpret_cast<std::uintptr_t>(info.dli_fbase);
        text += std::string{" "} + info.dli_fname + "+" + hex(offset);
      }
    }
    text += "\n";
  }
  return text;
}

PlainFacts checked(const PlainFacts& facts) {
  const std::size_t page = host_page_bytes();
  const PhysRange cached{facts.cached, facts.size_bytes};
  const PhysRange uncached{facts.uncached, facts.size_bytes};
  if (facts.size_bytes == 0 || facts.size_bytes % page != 0 || facts.cached.raw() % page != 0 ||
      facts.uncached.raw() % page != 0) {
    throw std::invalid_argument{"RAM is one or more whole pages of the host"};
  }
  if (cached.wraps() || uncached.wraps() || cached.overlaps(uncached)) {
    throw std::invalid_argument{"the two addresses of RAM are apart, and end at 2^64 or before"};
  }
  if (!is_power_of_two(facts.line_bytes) || facts.line_bytes > page) {
    throw std::invalid_argument{"a cache line is a power of two and at most a page of the host"};
  }
  return facts;
}

}  // namespace

// ---- what was taken away ------------------------------------------------------------------------

struct PlainMachine::Touched {
  std::size_t offset;
  Touch how;
  Stack stack;
};

struct PlainMachine::Pages {
  enum State : std::uint8_t { kCpus, kNoStores, kNothing, kOpen };

  explicit Pages(std::size_t count) : state(count), taken_by(count), should_be(count) {}

  // What the handler reads and writes: no heap, no lock.
  std::vector<std::atomic<std::uint8_t>> state;
  static constexpr std::size_t kTouches = 64;  ///< between two calls of the machine; more are lost
  std::array<Touched, kTouches> touches;
  std::atomic<std::size_t> touched = 0;

  std::vector<std::shared_ptr<const Stack>> taken_by;
  std::vector<State> should_be;
};

bool PlainMachine::touched(const void* address, Touch how) noexcept {
  const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(address) -
                                reinterpret_cast<std::uintptr_t>(cached_view_.data());
  if (offset >= facts_.size_bytes) return false;
  const std::size_t page = offset / host_page_bytes();
  const auto state = pages_->state[page].load(std::memory_order_acquire);
  // Where another thread opened it since this one faulted, the access goes on and is not told.
  if (state == Pages::kNoStores || state == Pages::kNothing) {
    const std::size_t index = pages_->touched.fetch_add(1, std::memory_order_relaxed);
    if (index < Pages::kTouches) {
      pages_->touches[index].offset = offset;
      pages_->touches[index].how = how;
      pages_->touches[index].stack.take();
    }
    pages_->state[page].store(Pages::kOpen, std::memory_order_release);
  }
  return ::mprotect(cached_view_.data() + page * host_page_bytes(), host_page_bytes(),
                    PROT_READ | PROT_WRITE) == 0;
}

void PlainMachine::settle() {
  const std::size_t count =
      std::min(pages_->touched.load(std::memory_order_acquire), Pages::kTouches);
  for (std::size_t i = 0; i < count; ++i) {
    const Touched& touch = pages_->touches[i];
    const std::size_t page = touch.offset / host_page_bytes();
    std::string text = "    touched by:\n" + text_of({touch.stack.frames.data(),
                                                      static_cast<std::size_t>(touch.stack.count)});
    if (const auto& taken = pages_->taken_by[page]) {
      text += "    given to the device by:\n" +
              text_of({taken->frames.data(), static_cast<std::size_t>(taken->count)});
    }
    if (observer_ != nullptr) {
      observer_->cpu_touched({phys_at(touch.offset), 1}, touch.how, text);
    } else {
      untold_.push_back(std::move(text));
    }
  }
  if (pages_->touched.exchange(0) == 0) return;
  for (std::size_t page = 0; page < pages_->state.size(); ++page) {
    if (pages_->state[page].load() != Pages::kOpen) continue;
    const auto state = pages_->should_be[page];
    ::mprotect(cached_view_.data() + page * host_page_bytes(), host_page_bytes(),
               state == Pages::kNoStores ? PROT_READ : PROT_NONE);
    pages_->state[page].store(state);
  }
}

void PlainMachine::device_owns(PhysRange range, Direction direction) {
  const std::lock_guard guard{lock_};
  settle();
  if (range.empty() || !is_ram(range)) return;
  const std::size_t page_bytes = host_page_bytes();
  const std::size_t offset = offset_of(range.base);
  const std::size_t first = (offset + page_bytes - 1) / page_bytes;
  const std::size_t end = (offset + range.size_bytes) / page_bytes;
  if (first >= end) return;
  auto stack = std::make_shared<Stack>();
  stack->take();
  const auto state = carveout::device_writes(direction) ? Pages::kNothing : Pages::kNoStores;
  for (std::size_t page = first; page < end; ++page) {
    pages_->taken_by[page] = stack;
    pages_->should_be[page] = state;
    pages_->state[page].store(state);
  }
  ::mprotect(cached_view_.data() + first * page_bytes, (end - first) * page_bytes,
             state == Pages::kNoStores ? PROT_READ : PROT_NONE);
}

void PlainMachine::cpu_owns(PhysRange range) {
  const std::lock_guard guard{lock_};
  settle();
  if (range.empty() || !is_ram(range)) return;
  const std::size_t page_bytes = host_page_bytes();
  const std::size_t offset = offset_of(range.base);
  const std::size_t end = (offset + range.size_bytes + page_bytes - 1) / page_bytes;
  for (std::size_t page = offset / page_bytes; page < end; ++page) {
    if (pages_->state[page].load() == Pages::kCpus) continue;
    ::mprotect(cached_view_.data() + page * page_bytes, page_bytes, PROT_READ | PROT_WRITE);
    pages_->state[page].store(Pages::kCpus);
  }
}

std::vector<std::string> PlainMachine::touches() {
  const std::lock_guard guard{lock_};
  settle();
  return std::exchange(untold_, {});
}

// ---- the machine -------------------------------------------------------------------------------

PlainMachine::PlainMachine(const PlainFacts& facts)
    : facts_{checked(facts)},
      alias_{facts.cached, facts.uncached, facts.size_bytes},
      ram_memory_{facts.size_bytes},
      copy_memory_{facts.size_bytes},
      ram_{ram_memory_},
      uncached_view_{ram_memory_},
      copy_{copy_memory_},
      cached_view_{copy_memory_},
      fetched_(facts.size_bytes),
      present_(facts.size_bytes / facts.line_bytes),
      pages_{std::make_unique<Pages>(facts.size_bytes / host_page_bytes())} {
  enter(*this);
}

PlainMachine::~PlainMachine() {
  leave(*this);
  settle();
}

std::size_t PlainMachine::offset_of(PhysAddr address) const {
  return canonical(address).raw() - facts_.cached.raw();
}

PhysAddr PlainMachine::phys_at(std::size_t offset) const {
  return PhysAddr{facts_.cached.raw() + offset};
}

PhysAddr PlainMachine::canonical(PhysAddr address) const {
  if (!PhysRange{facts_.uncached, facts_.size_bytes}.contains(address)) return address;
  return PhysAddr{address.raw() - facts_.uncached.raw() + facts_.cached.raw()};
}

bool PlainMachine::is_ram(PhysRange range) const {
  if (range.empty()) return true;
  return !range.wraps() && (PhysRange{facts_.cached, facts_.size_bytes}.contains(range) ||
                            PhysRange{facts_.uncached, facts_.size_bytes}.contains(range));
}

std::byte* PlainMachine::cpu_view(PhysRange range) const {
  if (range.empty() || !is_ram(range)) return nullptr;
  const bool uncached = PhysRange{facts_.uncached, facts_.size_bytes}.contains(range.base);
  return (uncached ? uncached_view_ : cached_view_).data() + offset_of(range.base);
}

std::optional<PhysAddr> PlainMachine::phys_of(const std::byte* at, std::size_t size_bytes) const {
  const auto within = [&](const Mapping& view) -> std::optional<std::size_t> {
    const std::uintptr_t offset =
        reinterpret_cast<std::uintptr_t>(at) - reinterpret_cast<std::uintptr_t>(view.data());
    if (offset >= facts_.size_bytes || size_bytes > facts_.size_bytes - offset) return std::nullopt;
    return offset;
  };
  if (const auto offset = within(cached_view_)) return PhysAddr{facts_.cached.raw() + *offset};
  if (const auto offset = within(uncached_view_)) return PhysAddr{facts_.uncached.raw() + *offset};
  return std::nullopt;
}

template <class Each>
void PlainMachine::for_lines(std::size_t offset, std::size_t size_bytes, Each each) {
  for_each_line(offset, size_bytes, facts_.line_bytes, each);
}

bool PlainMachine::is_dirty(std::size_t line) const {
  return std::memcmp(copy_.data() + line, fetched_.data() + line, facts_.line_bytes) != 0;
}

void PlainMachine::tell_stores(std::size_t line) {
  if (observer_ == nullptr) return;
  for (std::size_t i = line; i < line + facts_.line_bytes;) {
    if (copy_.data()[i] == fetched_[i]) {
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    while (end < line + facts_.line_bytes && copy_.data()[end] != fetched_[end]) ++end;
    observer_->stores_found(0, {phys_at(i), end - i});
    i = end;
  }
}

void PlainMachine::copy_line(std::byte* to, const std::byte* from, std::size_t line) const {
  std::memcpy(to + line, from + line, facts_.line_bytes);
}

void PlainMachine::clean(const std::byte* at, std::size_t size_bytes) {
  maintain(Maintenance::clean, at, size_bytes);
}

void PlainMachine::invalidate(const std::byte* at, std::size_t size_bytes) {
  maintain(Maintenance::invalidate, at, size_bytes);
}

void PlainMachine::clean_invalidate(const std::byte* at, std::size_t size_bytes) {
  maintain(Maintenance::clean_invalidate, at, size_bytes);
}

void PlainMachine::maintain(Maintenance what, const std::byte* at, std::size_t size_bytes) {
  const std::lock_guard guard{lock_};
  settle();
  if (size_bytes == 0) return;
  const auto phys = phys_of(at, size_bytes);
  if (!phys) throw std::out_of_range{"these bytes do not lie in one view of the machine's RAM"};
  if (canonical(*phys) != *phys) {
    throw std::invalid_argument{"cache maintenance through an uncached alias does nothing"};
  }
  for_lines(offset_of(*phys), size_bytes, [&](std::size_t line) {
    const bool dirty = is_dirty(line);
    if (dirty) tell_stores(line);
    if (observer_ != nullptr) {
      observer_->cpu_maintains(0, {phys_at(line), facts_.line_bytes}, what);
    }
    if (dirty && what != Maintenance::invalidate) {
      copy_line(ram_.data(), copy_.data(), line);
      copy_line(fetched_.data(), copy_.data(), line);
      present_[line / facts_.line_bytes] = true;
    }
    if (what != Maintenance::clean) {
      copy_line(copy_.data(), ram_.data(), line);
      copy_line(fetched_.data(), ram_.data(), line);
      present_[line / facts_.line_bytes] = false;
    }
  });
}

void PlainMachine::device_read(Master master, Started started, PhysAddr from,
                               std::span<std::byte> into) {
  const std::lock_guard guard{lock_};
  settle();
  if (into.empty()) return;
  const std::size_t offset = offset_of(from);
  for_lines(offset, into.size(), [&](std::size_t line) {
    if (is_dirty(line)) tell_stores(line);
  });
  if (observer_ != nullptr) {
    observer_->device_reads(master, {phys_at(offset), into.size()}, started);
  }
  std::memcpy(into.data(), ram_.data() + offset, into.size());
}

void PlainMachine::device_write(Master master, PhysAddr to, std::span<const std::byte> from) {
  const std::lock_guard guard{lock_};
  settle();
  if (from.empty()) return;
  const std::size_t offset = offset_of(to);
  const bool worst = facts_.hardware == Hardware::worst;
  for_lines(offset, from.size(), [&](std::size_t line) {
    if (is_dirty(line)) tell_stores(line);
  });
  if (observer_ != nullptr) observer_->device_writes(master, {phys_at(offset), from.size()});
  std::memcpy(ram_.data() + offset, from.data(), from.size());
  for_lines(offset, from.size(), [&](std::size_t line) {
    const bool dirty = is_dirty(line);
    if (worst && dirty) {
      copy_line(ram_.data(), copy_.data(), line);
      copy_line(fetched_.data(), copy_.data(), line);
    }
    if (worst || dirty) present_[line / facts_.line_bytes] = true;
    if (present_[line / facts_.line_bytes]) return;
    copy_line(copy_.data(), ram_.data(), line);
    copy_line(fetched_.data(), ram_.data(), line);
  });
}

void PlainMachine::device_refused(Master master, DmaRange range, BusError error) {
  const std::lock_guard guard{lock_};
  settle();
  if (observer_ != nullptr) observer_->bus_refuses(master, range, error);
}

void PlainMachine::set_observer(Observer* observer) {
  const std::lock_guard guard{lock_};
  settle();
  observer_ = observer;
}

}  // namespace carveout::sim
