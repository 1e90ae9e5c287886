// How the rows of snapshots are taken from a graph of this process.
#ifndef FLAVORFRAME_TAKING_H
#define FLAVORFRAME_TAKING_H
#include <string>
#include <vector>
#include "ROOT/RDataFrame.hxx"

namespace flavorframe {

inline ROOT::RDF::RResultPtr<std::vector<ROOT::RVec<Integer>>> taken(ROOT::RDF::RNode node,
                                                                     const std::string& column) {
  return node.Take<ROOT::RVec<Integer>>(column);
}

/// The words of all events one after the other, and how many each has.
struct Words {
  std::vector<Integer> words, counts;
  explicit Words(const std::vector<ROOT::RVec<Integer>>& events) {
    for (const auto& event : events) {
      counts.push_back(event.size());
      words.insert(words.end(), event.begin(), event.end());
    }
  }
};

}  // namespace flavorframe
#endif
