// Pages of the host that the CPU may not touch for a while: a touch is recorded, with stacks, and
// goes on.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "carveout_sim/observer.hpp"

namespace carveout::sim {

enum class Allowed : std::uint8_t { everything, loads, nothing };

/// The pages of one view. As long as one object exists there is a handler for SIGSEGV, which hands
/// on what is nobody's.
class GuardedPages {
 public:
  static constexpr std::size_t kObjects = 64;  ///< at a time

  struct Touched {
    std::size_t offset;  ///< in the view
    Touch how;
    std::string stacks;  ///< in words: of the touch, and of the take() before it
  };

  /// @param view  whole pages of the host; outlives the object.
  /// @throws std::length_error  more than kObjects
  explicit GuardedPages(std::span<std::byte> view);
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;
  ~GuardedPages();

  /// Says whose pages are. Those that are so already keep their stack.
  void set(std::size_t first_page, std::size_t pages, Allowed allowed);
  /// What was touched since the last time, the first kTouches of it; the pages are closed again.
  [[nodiscard]] std::vector<Touched> settle();

  /// For the handler: whether a fault is a touch that was waited for.
  bool touched(const void* address, Touch how) noexcept;

 private:
  struct Stack {
    static constexpr int kFrames = 48;
    std::array<void*, kFrames> frames{};
    int count = 0;

    void take() noexcept;
    [[nodiscard]] std::string text() const;
  };
  /// The handler fills it, and settle() empties it.
  struct Raw {
    enum State : std::uint8_t { kFree, kBeingFilled, kFull };

    std::atomic<State> state = kFree;
    std::size_t offset = 0;
    Touch how = Touch::unknown;
    Stack stack{};
  };
  /// Of a page. Only the thread that makes it kOpening opens it; whoever else faults there
  /// meanwhile faults again until it is open.
  enum State : std::uint8_t { kCpus, kNoStores, kNothing, kOpening, kOpen };

  void protect(std::size_t first_page, std::size_t pages, State state) const noexcept;
  void become(std::size_t first_page, std::size_t end_page, State state);

  std::span<std::byte> view_;
  // What the handler reads and writes: no heap, no lock.
  std::vector<std::atomic<std::uint8_t>> state_;  ///< by page
  static constexpr std::size_t kTouches = 64;
  std::array<Raw, kTouches> touches_;
  std::atomic<bool> opened_ = false;  ///< a page, since settle()

  std::vector<State> should_be_;
  std::vector<std::shared_ptr<const Stack>> taken_by_;
};

}  // namespace carveout::sim
