// Reductions: one value of many elements.
#ifndef FLAVORFRAME_REDUCTIONS_H
#define FLAVORFRAME_REDUCTIONS_H
#include <type_traits>
#include "operations.h"

namespace flavorframe {

template <class E, class F> bool any(const E& elements, F value) {
  for (Integer i : elements)
    if (holds(value(i))) return true;
  return false;
}
template <class E, class F> bool all(const E& elements, F value) {
  for (Integer i : elements)
    if (!holds(value(i))) return false;
  return true;
}
template <class E, class F> Integer count(const E& elements, F value) {
  Integer number = 0;
  for (Integer i : elements) number += holds(value(i));
  return number;
}
template <class E, class F> auto sum(const E& elements, F value) {
  std::decay_t<decltype(number(value_of(value(Integer(0)))))> total = 0;
  for (Integer i : elements) {
    const auto x = value(i);
    if (valid_of(x)) total = sum_of(total, number(value_of(x)));
  }
  return total;
}
template <class E, class F> auto first(const E& elements, F value) {
  using R = std::decay_t<decltype(value(Integer(0)))>;
  for (Integer i : elements) {
    if constexpr (is_maybe<R>) return value(i);
    else return Maybe<R>{value(i), true};
  }
  if constexpr (is_maybe<R>) return R{};
  else return Maybe<R>{};
}

/// The element whose value is extreme, the first of equal ones, and its value.
template <class T> struct Extreme { Integer place = -1; T value{}; };

template <bool largest, class E, class F> auto extreme(const E& elements, F value) {
  using T = std::decay_t<decltype(value_of(value(Integer(0))))>;
  Extreme<T> found;
  for (Integer i : elements) {
    const auto x = value(i);
    const T y = value_of(x);
    if (!valid_of(x) || y != y) continue;
    if (found.place < 0 || (largest ? y > found.value : y < found.value)) found = {i, y};
  }
  return found;
}
template <class E, class F> auto min(const E& elements, F value) {
  const auto found = extreme<false>(elements, value);
  return Maybe<decltype(found.value)>{found.value, found.place >= 0};
}
template <class E, class F> auto max(const E& elements, F value) {
  const auto found = extreme<true>(elements, value);
  return Maybe<decltype(found.value)>{found.value, found.place >= 0};
}
template <class E, class F> Maybe<Integer> argmin(const E& elements, F value) {
  const Integer place = extreme<false>(elements, value).place;
  return {place, place >= 0};
}
template <class E, class F> Maybe<Integer> argmax(const E& elements, F value) {
  const Integer place = extreme<true>(elements, value).place;
  return {place, place >= 0};
}

}  // namespace flavorframe
#endif
