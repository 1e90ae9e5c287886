// Links from an element to one of another collection: by index, and by value.
#ifndef FLAVORFRAME_LINKS_H
#define FLAVORFRAME_LINKS_H
#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>
#include "operations.h"

namespace flavorframe {

/// The element that an index points to, or −1.
template <class I> Integer pointed(const I& index, Integer size) {
  if (!valid_of(index)) return -1;
  const auto place = number(value_of(index));
  return place >= 0 && place < size ? Integer(place) : -1;
}

template <class F> auto gather(Integer place, F value) {
  using R = std::decay_t<decltype(value(place))>;
  if constexpr (is_maybe<R>)
    return place < 0 ? R{} : value(place);
  else
    return place < 0 ? Maybe<R>{} : Maybe<R>{value(place), true};
}

/// Whether a key equals a value, in single precision where either is stored so.
template <class K, class V> bool same(const K& key, const V& value) {
  if (!valid_of(key) || !valid_of(value)) return false;
  using A = std::decay_t<decltype(value_of(key))>;
  using B = std::decay_t<decltype(value_of(value))>;
  if constexpr (std::is_same_v<A, float> || std::is_same_v<B, float>)
    return float(value_of(key)) == float(value_of(value));
  else if constexpr (std::is_arithmetic_v<A> && std::is_arithmetic_v<B>)
    return equal(number(value_of(key)), number(value_of(value)));
  else
    return value_of(key) == value_of(value);
}

/// The first element of the target that a link by value leads to, or −1, and how many there are.
struct Matches {
  Integer first = -1, number = 0;
};

/// What a key and a value are compared as; see `same`.
template <class K, class V> auto compared() {
  using A = std::decay_t<decltype(value_of(std::declval<K>()))>;
  using B = std::decay_t<decltype(value_of(std::declval<V>()))>;
  if constexpr (std::is_same_v<A, float> || std::is_same_v<B, float>)
    return float();
  else if constexpr (std::is_arithmetic_v<A> && std::is_arithmetic_v<B>)
    return std::common_type_t<decltype(number(A())), decltype(number(B()))>();
  else
    return std::string();
}
/// Whether they are then what they were: no type holds all whole numbers and all decimal ones.
template <class K, class V> constexpr bool comparable() {
  using A = std::decay_t<decltype(value_of(std::declval<K>()))>;
  using B = std::decay_t<decltype(value_of(std::declval<V>()))>;
  if constexpr (std::is_same_v<A, float> || std::is_same_v<B, float>)
    return true;
  else if constexpr (std::is_arithmetic_v<A> && std::is_arithmetic_v<B>)
    return std::is_same_v<decltype(number(A())), decltype(number(B()))>;
  else
    return true;
}
template <class K, class V> struct Sorted;

/// The elements of a target in the order of their keys; what equals nothing is left out.
template <class... K, class... V> struct Sorted<std::tuple<K...>, std::tuple<V...>> {
  static constexpr bool exact = (comparable<K, V>() && ...);
  using Key = std::tuple<decltype(compared<K, V>())...>;
  std::vector<std::pair<Key, Integer>> elements;

  template <class F> Sorted(Integer size, F keys) {
    for (Integer i = 0; i < size; ++i) {
      const auto key = keys(i);
      if (can_equal(key)) elements.emplace_back(as_key(key), i);
    }
    std::sort(elements.begin(), elements.end());
  }
  Matches find(const std::tuple<V...>& values) const {
    if (!can_equal(values)) return {};
    const auto key = as_key(values);
    const auto before = [](const auto& element, const Key& x) { return element.first < x; };
    const auto after = [](const Key& x, const auto& element) { return x < element.first; };
    const auto begin = std::lower_bound(elements.begin(), elements.end(), key, before);
    const auto end = std::upper_bound(begin, elements.end(), key, after);
    return begin == end ? Matches{} : Matches{begin->second, end - begin};
  }
  template <class T> static bool can_equal(const T& items) {
    return std::apply(
        [](const auto&... x) { return ((valid_of(x) && value_of(x) == value_of(x)) && ...); }, items);
  }
  template <class T> static Key as_key(const T& items) {
    return std::apply([](const auto&... x) { return Key(value_of(x)...); }, items);
  }
};

/// What is kept of a link's target within an event, once the target is long and the link is followed
/// often. Keys and values of one link always have the same types.
struct Lookup {
  Integer asked = 0;
  std::shared_ptr<void> sorted;
};
constexpr Integer few = 32;

/// Compare with one element after the other, up to the first that matches or to the last.
template <bool all, class F, class V, std::size_t... I>
Matches compare(Integer size, F keys, const V& values, std::index_sequence<I...>) {
  Matches found;
  for (Integer i = 0; i < size; ++i) {
    const auto key = keys(i);
    if (!(same(std::get<I>(key), std::get<I>(values)) && ...)) continue;
    if (found.number++ == 0) found.first = i;
    if (!all) break;
  }
  return found;
}

template <bool all = true, class F, class... V>
Matches matches_of(Lookup& lookup, Integer size, F keys, const std::tuple<V...>& values) {
  using Kept = Sorted<std::decay_t<decltype(keys(Integer(0)))>, std::tuple<V...>>;
  if constexpr (Kept::exact) {
    if (size > few && ++lookup.asked > few) {
      if (!lookup.sorted) lookup.sorted = std::make_shared<Kept>(size, keys);
      return static_cast<const Kept*>(lookup.sorted.get())->find(values);
    }
  }
  return compare<all>(size, keys, values, std::index_sequence_for<V...>());
}

template <class F, class V>
Maybe<Integer> match(Lookup& lookup, Integer size, F keys, const V& values) {
  const Integer first = matches_of<false>(lookup, size, keys, values).first;
  return {first < 0 ? 0 : first, first >= 0};
}

/// The first copy of each particle: up the chain of mothers while the label stays the same.
template <class M, class L>
std::vector<Maybe<Integer>> first_copies(Integer size, M mother, L label) {
  std::vector<Maybe<Integer>> found(size);
  for (Integer i = 0; i < size; ++i) {
    Integer at = i, steps = 0;
    for (; steps <= size; ++steps) {
      const Integer above = pointed(mother(at), size);
      if (above < 0 || above == at || !same(label(above), label(at))) break;
      at = above;
    }
    found[i] = {at, steps <= size};  // a chain that is longer is a circle
  }
  return found;
}

/// The mother of each particle, or −1.
template <class M> std::vector<Integer> mothers(Integer size, M mother) {
  std::vector<Integer> found(size);
  for (Integer i = 0; i < size; ++i) found[i] = pointed(mother(i), size);
  return found;
}

/// Whether mothers lead from one particle to another.
template <class A, class B>
bool is_ancestor(const std::vector<Integer>& mothers, const A& above, const B& below) {
  const Integer size = mothers.size(), wanted = pointed(above, size);
  Integer at = pointed(below, size);
  for (Integer steps = 0; wanted >= 0 && at >= 0 && steps < size; ++steps) {
    at = mothers[at];
    if (at == wanted) return true;
  }
  return false;
}

/// How many elements for which the condition holds have an index that leads to each of the target.
template <class I, class C>
std::vector<Integer> pointing(Integer target, Integer size, I index, C condition) {
  std::vector<Integer> found(target);
  for (Integer i = 0; i < size; ++i) {
    const Integer to = pointed(index(i), target);
    if (to >= 0 && condition(i)) ++found[to];
  }
  return found;
}

}  // namespace flavorframe
#endif
