// The rows of snapshots from a graph of this process.
#ifndef FLAVORFRAME_SNAPSHOT_ROWS_H
#define FLAVORFRAME_SNAPSHOT_ROWS_H
#include <string>
#include <vector>
#include "ROOT/RDataFrame.hxx"
#include "kinds.h"

namespace flavorframe {

inline ROOT::RDF::RResultPtr<std::vector<ROOT::RVec<Integer>>> book_rows(
    ROOT::RDF::RNode node, const std::string& column) {
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
