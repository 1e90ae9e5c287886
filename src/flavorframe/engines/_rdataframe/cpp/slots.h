// What the slots (threads) of the event loop work with, in a graph of this process.
#ifndef FLAVORFRAME_SLOTS_H
#define FLAVORFRAME_SLOTS_H
#include <vector>
#include "state.h"

namespace flavorframe {

/// The states of the slot's event, one for each function, and the totals of all functions, one
/// after the other.
struct Slot {
  std::vector<State> states;
  std::vector<double> totals;
};

/// Those of the one graph that runs: compiled expressions can reach nothing but what is global.
std::vector<Slot> slots;

void set_slots(unsigned number, unsigned states, unsigned totals) {
  slots = std::vector<Slot>(number);
  for (Slot& slot : slots) {
    slot.states.resize(states);
    slot.totals.resize(totals);
  }
}
const double* totals_of(unsigned slot) { return slots[slot].totals.data(); }
const State& state_of(unsigned slot, unsigned state) { return slots[slot].states[state]; }

/// Not inline: inline, it would be optimised as little as the expressions that call it.
void enter(double* totals, const Entries& entries) {
  for (std::size_t i = 0; i < entries.place.size(); ++i)
    totals[std::size_t(entries.place[i])] += entries.amount[i];
}

/// Have a function make the state ``after`` from the one ``before``, and add to its totals, which
/// begin at a place; return whether the event is still alive.
template <class F, class... C>
bool run_step(unsigned number, int before, int after, int place, F function, const C&... columns) {
  Slot& slot = slots[number];
  State& next = slot.states[after];
  function(next, slot.states[before], columns...);
  enter(slot.totals.data() + place, next.entries);
  return next.alive;
}

}  // namespace flavorframe
#endif
