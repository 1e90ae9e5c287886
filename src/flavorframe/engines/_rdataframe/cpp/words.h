// Values of snapshots as words of 64 bits.
#ifndef FLAVORFRAME_WORDS_H
#define FLAVORFRAME_WORDS_H
#include <cstring>
#include <string_view>
#include <type_traits>
#include "ROOT/RVec.hxx"
#include "kinds.h"

namespace flavorframe {

inline Integer word(double x) {
  Integer bits;
  static_assert(sizeof bits == sizeof x);
  std::memcpy(&bits, &x, sizeof x);
  return bits;
}

/// The number of a kind, which codegen/snapshots.py has as KINDS; 0 is that of no value.
template <class T> constexpr Integer kind_number() {
  if constexpr (std::is_same_v<T, bool>) return 1;
  else if constexpr (std::is_floating_point_v<T>) return 4;
  else if constexpr (std::is_unsigned_v<T> && sizeof(T) == sizeof(Unsigned)) return 3;
  else return 2;
}

/// Append a value whose kind only the compiler knows, and write its kind where the header has it.
template <class T> void push_with_kind(ROOT::RVec<Integer>& rows, std::size_t header, const T& x) {
  constexpr Integer kind = kind_number<std::decay_t<decltype(value_of(x))>>();
  rows[header] = kind;
  if constexpr (kind == 4) rows.push_back(word(as_double(x)));
  else rows.push_back(as_integer(x));
}

/// A number for a file's name, the same in every process (FNV-1a).
inline Integer fingerprint(std::string_view name) {
  unsigned long long hash = 14695981039346656037ull;
  for (unsigned char c : name) hash = (hash ^ c) * 1099511628211ull;
  return Integer(hash);
}

/// The same of what RDataFrame says of the file that is read: its name and that of the tree.
template <class S> Integer file_fingerprint(const S& sample) {
  return fingerprint(sample.AsString());
}

/// The entry at which the thread began that reads now.
template <class S> Integer first_entry(const S& sample) {
  return sample.EntryRange().first;
}

}  // namespace flavorframe
#endif
