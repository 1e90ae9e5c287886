// What the loop of a graph of this process works with.
#ifndef FLAVORFRAME_DESKS_H
#define FLAVORFRAME_DESKS_H
#pragma cling optimize(2)
#include <vector>

namespace flavorframe {

/// What one slot of the loop has: the states of its event, one for each step, and the amounts by
/// address of all ledgers, one after the other.
struct Desk {
  std::vector<State> states;
  std::vector<double> amounts;
};

/// Those of the one graph that runs: jitted code can reach nothing but what is global.
std::vector<Desk> desks;

void set_desks(unsigned slots, unsigned states, unsigned addresses) {
  desks = std::vector<Desk>(slots);
  for (Desk& desk : desks) {
    desk.states.resize(states);
    desk.amounts.resize(addresses);
  }
}
const double* amounts_of(unsigned slot) { return desks[slot].amounts.data(); }

/// Not inline, or it would be compiled with the code that calls it, and as little optimised.
void enter(double* ledger, const Entries& entries) {
  for (std::size_t i = 0; i < entries.address.size(); ++i)
    ledger[std::size_t(entries.address[i])] += entries.amount[i];
}

/// Have a function make a state of the event of the one before it; whether the event is alive.
template <class F, class... C>
bool step(unsigned slot, int before, int after, int ledger, F function, const C&... columns) {
  Desk& desk = desks[slot];
  State& next = desk.states[after];
  function(next, desk.states[before], columns...);
  enter(desk.amounts.data() + ledger, next.entries);
  return next.alive;
}

}  // namespace flavorframe
#endif
