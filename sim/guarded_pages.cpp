#include "guarded_pages.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <stdexcept>

#include "carveout_sim/mapping.hpp"
#include "text.hpp"

namespace carveout::sim {
namespace {

// ---- the handler -------------------------------------------------------------------------------

std::array<std::atomic<GuardedPages*>, GuardedPages::kObjects> guards{};
std::mutex guards_mutex;
std::size_t guard_count = 0;
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
  for (const auto& guard : guards) {
    GuardedPages* const each = guard.load(std::memory_order_acquire);
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

void enter(GuardedPages& pages) {
  const std::lock_guard lock{guards_mutex};
  const auto free = std::ranges::find_if(
      guards, [](const auto& each) { return each.load(std::memory_order_relaxed) == nullptr; });
  if (free == guards.end()) throw std::length_error{"too many machines at a time"};
  if (guard_count++ == 0) {
    // Its first call loads a library, which no handler may do.
    void* frame = nullptr;
    ::backtrace(&frame, 1);
    struct sigaction action{};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGSEGV, &action, &before);
  }
  free->store(&pages, std::memory_order_release);
}

void leave(GuardedPages& pages) {
  const std::lock_guard lock{guards_mutex};
  for (auto& each : guards) {
    if (each.load(std::memory_order_relaxed) == &pages) each.store(nullptr);
  }
  if (--guard_count == 0) ::sigaction(SIGSEGV, &before, nullptr);
}

}  // namespace

// ---- stacks ------------------------------------------------------------------------------------

void GuardedPages::Stack::take() noexcept { count = ::backtrace(frames.data(), kFrames); }

std::string GuardedPages::Stack::text() const {
  std::string text;
  for (void* const frame : std::span{frames}.first(static_cast<std::size_t>(count))) {
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

// ---- the pages ---------------------------------------------------------------------------------

GuardedPages::GuardedPages(std::span<std::byte> view)
    : view_{view},
      state_(view.size() / host_page_bytes()),
      should_be_(state_.size()),
      taken_by_(state_.size()) {
  enter(*this);
}

GuardedPages::~GuardedPages() { leave(*this); }

void GuardedPages::protect(std::size_t first_page, std::size_t pages, State state) const noexcept {
  const int access = state == kNothing    ? PROT_NONE
                     : state == kNoStores ? PROT_READ
                                          : PROT_READ | PROT_WRITE;
  const std::size_t page_bytes = host_page_bytes();
  ::mprotect(view_.data() + first_page * page_bytes, pages * page_bytes, access);
}

bool GuardedPages::touched(const void* address, Touch how) noexcept {
  const std::uintptr_t offset =
      reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(view_.data());
  if (offset >= view_.size()) return false;
  const std::size_t page = offset / host_page_bytes();
  std::uint8_t state = state_[page].load(std::memory_order_acquire);
  if ((state == kNoStores || state == kNothing) &&
      state_[page].compare_exchange_strong(state, kOpening, std::memory_order_acq_rel)) {
    for (Raw& touch : touches_) {
      Raw::State free = Raw::kFree;
      if (!touch.state.compare_exchange_strong(free, Raw::kBeingFilled)) continue;
      touch.offset = offset;
      touch.how = how;
      touch.stack.take();
      touch.state.store(Raw::kFull, std::memory_order_release);
      break;
    }
    protect(page, 1, kOpen);
    state = kOpening;  // unless somebody said meanwhile whose it is
    state_[page].compare_exchange_strong(state, kOpen, std::memory_order_acq_rel);
    opened_.store(true, std::memory_order_release);
  } else {
    // Another thread opens it, or it is open by its state, and its protection lags behind: opened
    // once too often it may miss a touch, and closed for good the thread would fault for ever.
    protect(page, 1, kOpen);
  }
  return true;
}

std::vector<GuardedPages::Touched> GuardedPages::settle() {
  if (!opened_.exchange(false, std::memory_order_acq_rel)) return {};
  std::vector<Touched> told;
  for (Raw& touch : touches_) {
    if (touch.state.load(std::memory_order_acquire) != Raw::kFull) continue;
    std::string text = "    touched by:\n" + touch.stack.text();
    if (const auto& taken = taken_by_[touch.offset / host_page_bytes()]) {
      text += "    given to the device by:\n" + taken->text();
    }
    told.push_back({touch.offset, touch.how, std::move(text)});
    touch.state.store(Raw::kFree, std::memory_order_release);
  }
  for (std::size_t page = 0; page < state_.size(); ++page) {
    if (state_[page].load(std::memory_order_acquire) == kOpen)
      become(page, page + 1, should_be_[page]);
  }
  return told;
}

void GuardedPages::set(std::size_t first_page, std::size_t pages, Allowed allowed) {
  constexpr std::array kStates{kCpus, kNoStores, kNothing};
  const State state = kStates[static_cast<std::size_t>(allowed)];
  const std::size_t end = first_page + pages;
  std::shared_ptr<Stack> stack;
  for (std::size_t page = first_page; page < end;) {
    std::size_t changed = page;
    for (; changed < end && should_be_[changed] != state; ++changed) {
      if (allowed != Allowed::everything && stack == nullptr) {
        stack = std::make_shared<Stack>();
        stack->take();
      }
      if (allowed != Allowed::everything) taken_by_[changed] = stack;
      should_be_[changed] = state;
    }
    if (changed != page) become(page, changed, state);
    page = changed + 1;
  }
}

void GuardedPages::become(std::size_t first_page, std::size_t end_page, State state) {
  protect(first_page, end_page - first_page, state);
  for (std::size_t page = first_page; page < end_page; ++page) {
    state_[page].store(state, std::memory_order_release);
  }
}

}  // namespace carveout::sim
