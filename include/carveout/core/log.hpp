// A board's ear: what it gives to hear of refusals.
#pragma once

#include <string_view>

#include "carveout/core/error.hpp"

namespace carveout {

/// Hears of every refusal of a verb, and of nothing else. Without one nobody does, which costs one
/// comparison a refusal.
///
/// It is called where the verb was, in an interrupt too, with no lock held, before the verb returns
/// the same failure to its caller. What it does with the words is the board's business: describe()
/// writes them without stdio.
class Log {
 public:
  /// @param device  the name of who asked; empty where a block is given back, which names nobody.
  using Hear = void (*)(void* context, const Failure& failure, std::string_view device);

  constexpr Log() = default;
  /// @param context  handed to `hear` as it is; outlives every verb.
  constexpr explicit Log(Hear hear, void* context = nullptr) : hear_{hear}, context_{context} {}

  void operator()(const Failure& failure, std::string_view device = {}) const {
    if (hear_ != nullptr) hear_(context_, failure, device);
  }

 private:
  Hear hear_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace carveout
