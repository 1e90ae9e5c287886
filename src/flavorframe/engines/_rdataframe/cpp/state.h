// The state of an event after each step: the candidates that are alive, their weights, and what is
// added to the totals.
#ifndef FLAVORFRAME_STATE_H
#define FLAVORFRAME_STATE_H
#include <algorithm>
#include <array>
#include <string>
#include <vector>
#include "ROOT/RVec.hxx"
#include "reductions.h"

namespace flavorframe {

/// What an event adds to the totals of a function: amounts, each with its place. A half more than
/// the place is the middle of a bin, since on a cluster the totals are a histogram.
struct Entries {
  ROOT::RVec<double> place, amount;
  void add(double where, double what) { place.push_back(where + 0.5); amount.push_back(what); }
  void clear() { place.clear(); amount.clear(); }
};

/// How often a link by value was followed, found no element, and found several.
struct LinkCount {
  Integer followed = 0, unmatched = 0, ambiguous = 0;
  void add(Integer found) { ++followed; unmatched += found == 0; ambiguous += found > 1; }
  void enter(Entries& entries, Integer place) const {
    if (followed == 0) return;
    entries.add(place, followed);
    entries.add(place + 1, unmatched);
    entries.add(place + 2, ambiguous);
  }
};

/// The candidates that are alive, as indices of the file, with the weights of the event and of each.
/// A state is used again for the next event, so that it keeps its memory.
struct State {
  bool alive = true;
  Integer size = 0;
  ROOT::RVec<int> candidates;
  double weight = 1;
  ROOT::RVec<double> weights;
  Entries entries;

  /// Follow a state of the same event, without its candidates.
  void follow(const State& before) {
    alive = true;
    size = before.size;
    weight = before.weight;
    candidates.clear();
    weights.clear();
    entries.clear();
  }
  void keep_all(const State& before) {
    if (!alive) return;
    candidates = before.candidates;
    weights = before.weights;
  }
  double weight_of_event() const { return weights.empty() ? weight : weight * weights[0]; }
  double weight_of(std::size_t k) const { return weights.empty() ? weight : weights[k] * weight; }
};

inline void start(State& next, Integer size) {
  next.size = size;
  for (Integer i = 0; i < size; ++i) next.candidates.push_back(int(i));
}

/// Keep the candidates that the condition is true for.
template <class F> void keep(State& next, const State& state, F condition) {
  for (std::size_t k = 0; k < state.candidates.size(); ++k) {
    if (!condition(Integer(state.candidates[k]))) continue;
    next.candidates.push_back(state.candidates[k]);
    if (!state.weights.empty()) next.weights.push_back(state.weights[k]);
  }
  next.alive = !next.candidates.empty();
}

template <bool largest, class F> void keep_best(State& next, const State& state, F value) {
  const Integer place = extreme<largest>(state.candidates, value).place;
  const Integer chosen = place < 0 && !state.candidates.empty() ? state.candidates[0] : place;
  keep(next, state, [&](Integer i) { return i == chosen; });
}

template <class F> void weigh(State& next, const State& state, F factor) {
  next.keep_all(state);
  next.weights.resize(state.candidates.size());
  for (std::size_t k = 0; k < state.candidates.size(); ++k)
    next.weights[k] = (state.weights.empty() ? 1.0 : state.weights[k]) *
                      as_double(factor(Integer(state.candidates[k])));
}

/// The state that a function makes of the one before, and of columns.
template <class F, class... C> State after(F function, const State& before, const C&... columns) {
  State next;
  function(next, before, columns...);
  return next;
}

inline const ROOT::RVec<double>& places_of(const State& state) { return state.entries.place; }
inline const ROOT::RVec<double>& amounts_of(const State& state) { return state.entries.amount; }
inline bool is_alive(const State& state) { return state.alive; }

/// Whether each candidate of the file is alive.
inline std::vector<bool> living(const State& state) {
  std::vector<bool> alive(state.size, false);
  for (int i : state.candidates) alive[i] = true;
  return alive;
}

/// Count an event and its candidates at the first places, with their weights if there are any.
inline void count_row(State& state, Integer candidates, bool weighted, bool events_weigh) {
  if (!state.alive) return;
  state.entries.add(0, 1);
  state.entries.add(1, double(candidates));
  if (!weighted) return;
  if (events_weigh) state.entries.add(2, state.weight_of_event());
  double sum = 0, squares = 0;
  for (Integer k = 0; k < candidates; ++k) {
    const double weight = state.weight_of(k);
    sum += weight;
    squares += weight * weight;
  }
  state.entries.add(3, sum);
  state.entries.add(4, squares);
}

inline void check_size(Integer size, Integer expected, const char* branch, const char* known) {
  if (size != expected)
    refuse("file", std::string("in one event branch ") + branch + " has " + std::to_string(size) +
                       " elements and " + known + " has " + std::to_string(expected) +
                       ": they are not lists of the same collection. What has one of its own is "
                       "reached under a name for it, such as events.other['" + branch + "']");
}

// Bins: the index on an axis, with 0 for what lies below

inline Integer bin(double x, Integer bins, double low, double high) {
  const double z = (x - low) / (high - low);
  if (z < 1) return z >= 0 ? 1 + Integer(z * double(bins)) : 0;
  return bins + 1;
}
template <std::size_t N> Integer bin(double x, const std::array<double, N>& edges) {
  return std::upper_bound(edges.begin(), edges.end(), x) - edges.begin();
}

}  // namespace flavorframe
#endif
