// What is booked on a graph of this process, compiled once for all plans.
#ifndef FLAVORFRAME_BOOKING_H
#define FLAVORFRAME_BOOKING_H
#include <string>
#include <vector>
#include "ROOT/RDataFrame.hxx"

#pragma cling optimize(2)
namespace flavorframe {

/// Amounts by address, added up over the events.
struct Amounts {
  std::vector<double> sums;
  explicit Amounts(std::size_t size = 0) : sums(size) {}
  void Fill(const Entries& entries) {
    for (std::size_t i = 0; i < entries.address.size(); ++i)
      sums[std::size_t(entries.address[i])] += entries.amount[i];
  }
  void Fill(const State& state) { Fill(state.entries); }
  void Merge(const std::vector<Amounts*>& others) {
    for (const Amounts* other : others)
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += other->sums[i];
  }
};

template <class T>
ROOT::RDF::RResultPtr<Amounts> added_up(ROOT::RDF::RNode node, const std::string& column, int size) {
  return node.Fill<T>(Amounts(size), {column});
}
inline ROOT::RDF::RResultPtr<Amounts> added_up_states(ROOT::RDF::RNode node,
                                                      const std::string& column, int size) {
  return added_up<State>(node, column, size);
}
inline ROOT::RDF::RResultPtr<Amounts> added_up_entries(ROOT::RDF::RNode node,
                                                       const std::string& column, int size) {
  return added_up<Entries>(node, column, size);
}
inline ROOT::RDF::RNode survivors(ROOT::RDF::RNode node, const std::string& column,
                                  const std::string& cut) {
  return node.Filter([](const State& state) { return state.alive; }, {column}, cut);
}
inline ROOT::RDF::RResultPtr<std::vector<ROOT::RVec<Integer>>> taken(ROOT::RDF::RNode node,
                                                                     const std::string& column) {
  return node.Take<ROOT::RVec<Integer>>(column);
}

}  // namespace flavorframe
#endif
