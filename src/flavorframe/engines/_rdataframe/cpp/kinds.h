// Kinds of values: missing ones, truth values, and numbers, which are doubles and 64-bit integers.
// The rules are those of docs/semantics.md.
#ifndef FLAVORFRAME_KINDS_H
#define FLAVORFRAME_KINDS_H
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace flavorframe {

using Integer = long long;
using Unsigned = unsigned long long;

// Missing values

template <class T> struct Maybe { T value{}; bool valid = false; };

template <class T> struct IsMaybe : std::false_type {};
template <class T> struct IsMaybe<Maybe<T>> : std::true_type {};
template <class T> constexpr bool is_maybe = IsMaybe<std::decay_t<T>>::value;

template <class T> const T& value_of(const T& x) { return x; }
template <class T> const T& value_of(const Maybe<T>& x) { return x.value; }
template <class T> bool valid_of(const T&) { return true; }
template <class T> bool valid_of(const Maybe<T>& x) { return x.valid; }

/// f of the values; missing where one of them is.
template <class F, class... A> auto lift(F f, const A&... a) {
  if constexpr ((is_maybe<A> || ...))
    return Maybe<decltype(f(value_of(a)...))>{f(value_of(a)...), (valid_of(a) && ...)};
  else
    return f(a...);
}

/// The same for functions that must not see what a missing value holds.
template <class F, class... A> auto call(F f, const A&... a) {
  using R = decltype(f(value_of(a)...));
  if constexpr ((is_maybe<A> || ...))
    return (valid_of(a) && ...) ? Maybe<R>{f(value_of(a)...), true} : Maybe<R>{};
  else
    return f(a...);
}

// Numbers and truth

template <class T> auto number(const T& x) {
  if constexpr (std::is_floating_point_v<T>) return double(x);
  else if constexpr (std::is_unsigned_v<T> && sizeof(T) == sizeof(Unsigned)) return Unsigned(x);
  else return Integer(x);
}

/// The type in which two numbers are added: an unsigned one beside a signed one counts as signed.
template <class A, class B>
using Common = std::conditional_t<std::is_same_v<A, B>, A,
    std::conditional_t<std::is_same_v<A, double> || std::is_same_v<B, double>, double, Integer>>;

template <class T> bool truth(const T& x) { return x != 0; }
template <class T> bool holds(const T& x) { return valid_of(x) && truth(value_of(x)); }
template <class T> bool fails(const T& x) { return valid_of(x) && !truth(value_of(x)); }

template <class T> double as_double(const T& x) {
  return valid_of(x) ? double(value_of(x)) : std::numeric_limits<double>::quiet_NaN();
}
template <class T> Integer as_integer(const T& x) { return Integer(value_of(x)); }

template <class A, class B> auto both(A a, B b) {
  const auto x = a();
  if constexpr (!is_maybe<decltype(x)> && !is_maybe<decltype(b())>) {
    return truth(x) && truth(b());
  } else {
    if (fails(x)) return Maybe<bool>{false, true};
    const auto y = b();
    if (fails(y)) return Maybe<bool>{false, true};
    const bool valid = valid_of(x) && valid_of(y);
    return Maybe<bool>{valid, valid};
  }
}

template <class A, class B> auto either(A a, B b) {
  const auto x = a();
  if constexpr (!is_maybe<decltype(x)> && !is_maybe<decltype(b())>) {
    return truth(x) || truth(b());
  } else {
    if (holds(x)) return Maybe<bool>{true, true};
    const auto y = b();
    if (holds(y)) return Maybe<bool>{true, true};
    return Maybe<bool>{false, valid_of(x) && valid_of(y)};
  }
}

/// What may be chosen beside another: a number, if not both are truth values.
template <class A, class B> auto of_choice(const A& x, const B&) {
  if constexpr (std::is_same_v<A, bool> && std::is_same_v<B, bool>) return x;
  else return number(x);
}

/// The same of two values that are known.
template <class A, class B> auto both_of(const A& a, const B& b) {
  return both([&] { return a; }, [&] { return b; });
}
template <class A, class B> auto either_of(const A& a, const B& b) {
  return either([&] { return a; }, [&] { return b; });
}

template <class C, class A, class B> auto where(const C& c, const A& a, const B& b) {
  const auto x = of_choice(value_of(a), value_of(b));
  const auto y = of_choice(value_of(b), value_of(a));
  using R = Common<std::decay_t<decltype(x)>, std::decay_t<decltype(y)>>;
  const bool chosen = truth(value_of(c));
  const R result = chosen ? R(x) : R(y);
  if constexpr (is_maybe<C> || is_maybe<A> || is_maybe<B>)
    return Maybe<R>{result, valid_of(c) && (chosen ? valid_of(a) : valid_of(b))};
  else
    return result;
}

[[noreturn]] inline void refuse(const char* kind, const std::string& text) {
  throw std::runtime_error(std::string("flavorframe:") + kind + ":" + text + ":end");
}

}  // namespace flavorframe
#endif
