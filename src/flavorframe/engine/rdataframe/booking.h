// What is booked on a graph of this process, compiled once for all plans.
#ifndef FLAVORFRAME_BOOKING_H
#define FLAVORFRAME_BOOKING_H
#include <string>
#include <vector>
#include "ROOT/RDataFrame.hxx"

#pragma cling optimize(2)
namespace flavorframe {

/// What one slot of the loop works with: the states of its event, one for each step, and its
/// ledgers, amounts by address, that it adds to.
struct Desk {
  std::vector<State> states;
  std::vector<std::vector<double>> ledgers;
};

/// Those of the one graph that runs: jitted code can reach nothing but what is global.
inline std::vector<Desk> desks;

inline void set_desks(unsigned slots, std::size_t states, const std::vector<std::size_t>& sizes) {
  Desk desk{std::vector<State>(states), {}};
  for (std::size_t size : sizes) desk.ledgers.emplace_back(size);
  desks.assign(slots, desk);
}

// Not inline, or it would be compiled with the code that calls it, and as little optimised.
void enter(std::vector<double>& sums, const Entries& entries) {
  for (std::size_t i = 0; i < entries.address.size(); ++i)
    sums[std::size_t(entries.address[i])] += entries.amount[i];
}

/// Have a function make a state of the event of the one before it; whether the event is alive.
template <class F, class... C>
bool step(unsigned slot, int before, int after, int ledger, F function, const C&... columns) {
  Desk& desk = desks[slot];
  State& next = desk.states[after];
  function(next, desk.states[before], columns...);
  enter(desk.ledgers[ledger], next.entries);
  return next.alive;
}

inline std::vector<double> added_up(int ledger) {
  std::vector<double> sums(desks.at(0).ledgers[ledger].size());
  for (const Desk& desk : desks)
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += desk.ledgers[ledger][i];
  return sums;
}

inline ROOT::RDF::RResultPtr<ULong64_t> counted(ROOT::RDF::RNode node) { return node.Count(); }
inline ROOT::RDF::RResultPtr<std::vector<ROOT::RVec<Integer>>> taken(ROOT::RDF::RNode node,
                                                                     const std::string& column) {
  return node.Take<ROOT::RVec<Integer>>(column);
}

}  // namespace flavorframe
#endif
