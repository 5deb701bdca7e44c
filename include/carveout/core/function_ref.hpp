// A callback by reference: what a target has in place of std::function.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

namespace carveout {

template <class Signature>
class FunctionRef;

/// Refers to a function or a callable object for the length of one call. Not for keeping: it owns
/// nothing.
template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, FunctionRef> &&
             !std::is_function_v<std::remove_reference_t<F>> &&
             std::is_invocable_r_v<R, F&, Args...>)
  constexpr explicit(false) FunctionRef(F&& callable)  // lambdas are passed as they are
      : target_{.object = const_cast<void*>(static_cast<const void*>(&callable))},
        call_{[](Target target, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(target.object))(
              std::forward<Args>(args)...);
        }} {}

  constexpr explicit(false) FunctionRef(R (*function)(Args...))
      : target_{.function = function}, call_{[](Target target, Args... args) -> R {
          return target.function(std::forward<Args>(args)...);
        }} {}

  R operator()(Args... args) const { return call_(target_, std::forward<Args>(args)...); }

 private:
  union Target {
    void* object;
    R (*function)(Args...);
  };

  Target target_;
  R (*call_)(Target, Args...);
};

}  // namespace carveout
