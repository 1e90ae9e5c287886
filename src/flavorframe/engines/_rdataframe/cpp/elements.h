// Elements of a collection, its parts and its combinations, as indices.
#ifndef FLAVORFRAME_ELEMENTS_H
#define FLAVORFRAME_ELEMENTS_H
#include <array>
#include <string>
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

}  // namespace flavorframe
#endif
