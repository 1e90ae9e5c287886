// Elements of a collection, its parts and its combinations, as indices.
#ifndef FLAVORFRAME_ELEMENTS_H
#define FLAVORFRAME_ELEMENTS_H
#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>
#include "kinds.h"

namespace flavorframe {

/// The indices 0 … size−1.
struct All {
  Integer size;
  struct Iterator {
    Integer i;
    Integer operator*() const { return i; }
    Iterator& operator++() { ++i; return *this; }
    bool operator!=(Iterator other) const { return i != other.i; }
  };
  Iterator begin() const { return {0}; }
  Iterator end() const { return {size}; }
};

inline Integer number_of(const All& elements) { return elements.size; }
template <class E> Integer number_of(const E& elements) { return elements.size(); }

template <class F> std::vector<Integer> those(Integer size, F condition) {
  std::vector<Integer> chosen;
  for (Integer i = 0; i < size; ++i)
    if (condition(i)) chosen.push_back(i);
  return chosen;
}

/// More pairs or triples in an event would fill the memory.
constexpr double most_combinations = 1 << 28;

/// How many combinations there are: of lists that are the same, each set comes once.
template <std::size_t N>
double number_of_combinations(std::array<Integer, N> sizes, std::array<int, N> same) {
  std::array<int, N> already{};
  double number = 1;
  for (std::size_t i = 0; i < N; ++i) {
    if (same[i] >= 0) already[i] = already[same[i]] + 1;
    number *= double(sizes[i] - already[i]) / (already[i] + 1);
  }
  return number;
}

/// Every combination of one element of each list; of lists that are the same, each set once.
template <std::size_t N>
std::vector<std::array<Integer, N>> combined(std::array<Integer, N> sizes, std::array<int, N> same,
                                             const char* name) {
  const double number = number_of_combinations(sizes, same);
  if (number > most_combinations)
    refuse("file", std::string(name) + " are " + std::to_string(Integer(number)) +
                       " in one event: more than " + std::to_string(1 << 28) +
                       " do not fit in memory. Cut on events first, or combine parts of "
                       "collections, such as muon[muon.pt > 3].");
  std::vector<std::array<Integer, N>> found;
  std::array<Integer, N> members{};
  auto extend = [&](auto& self, std::size_t place) -> void {
    if (place == N) {
      found.push_back(members);
      return;
    }
    members[place] = same[place] < 0 ? 0 : members[same[place]] + 1;
    for (; members[place] < sizes[place]; ++members[place]) self(self, place + 1);
  };
  extend(extend, 0);
  return found;
}

// Orders

/// The elements by their values: equal ones as they were, those that are NaN or missing last.
template <bool descending, class F> std::vector<Integer> in_order(Integer size, F value) {
  struct Element {
    Integer index;
    bool usable;
    std::decay_t<decltype(value_of(value(Integer(0))))> by;
  };
  std::vector<Element> elements;
  for (Integer i = 0; i < size; ++i) {
    const auto x = value(i);
    elements.push_back({i, valid_of(x) && value_of(x) == value_of(x), value_of(x)});
  }
  std::stable_sort(elements.begin(), elements.end(), [](const Element& a, const Element& b) {
    if (!a.usable || !b.usable) return a.usable && !b.usable;
    return descending ? b.by < a.by : a.by < b.by;
  });
  std::vector<Integer> order;
  for (const Element& element : elements) order.push_back(element.index);
  return order;
}

inline std::vector<Integer> ranks_in(const std::vector<Integer>& order) {
  std::vector<Integer> ranks(order.size());
  for (std::size_t k = 0; k < order.size(); ++k) ranks[order[k]] = Integer(k);
  return ranks;
}

// Lists one after the other

/// An element of one of several lists.
struct OfList { int list; Integer element; };

inline std::vector<OfList> one_after_the_other(std::initializer_list<Integer> sizes) {
  std::vector<OfList> elements;
  int list = 0;
  for (const Integer size : sizes) {
    for (Integer i = 0; i < size; ++i) elements.push_back({list, i});
    ++list;
  }
  return elements;
}

/// The type of a value of any of several types: theirs if it is one, else a number's.
template <class A, class B, class = void> struct EitherType {
  using type = Common<decltype(number(std::declval<A>())), decltype(number(std::declval<B>()))>;
};
template <class A, class B> struct EitherType<A, B, std::enable_if_t<std::is_same_v<A, B>>> {
  using type = A;
};
template <class A, class... B> struct AnyType { using type = A; };
template <class A, class B, class... C> struct AnyType<A, B, C...> {
  using type = typename AnyType<typename EitherType<A, B>::type, C...>::type;
};

/// The value of an element, by the function of its list.
template <class... F> auto of_lists(const OfList& at, F... values) {
  using T = typename AnyType<std::decay_t<decltype(value_of(values(Integer(0))))>...>::type;
  T found{};
  bool valid = false;
  int list = 0;
  const auto look = [&](const auto& value) {
    if (list++ != at.list) return;
    const auto x = value(at.element);
    found = T(value_of(x));
    valid = valid_of(x);
  };
  (look(values), ...);
  if constexpr ((is_maybe<decltype(values(Integer(0)))> || ...)) return Maybe<T>{found, valid};
  else return found;
}

}  // namespace flavorframe
#endif
