// A callback by reference: what a target has in place of std::function.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

namespace carveout {

template <class Signature>
class FunctionRef;

/// Refers to a callable for the length of one call. Not for keeping: it owns nothing.
template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<R, F&, Args...>)
  constexpr FunctionRef(F&& callable)  // NOLINT(google-explicit-constructor): lambdas are passed as they are
      : object_{const_cast<void*>(static_cast<const void*>(&callable))},
        call_{[](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<Args>(args)...);
        }} {}

  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

}  // namespace carveout
