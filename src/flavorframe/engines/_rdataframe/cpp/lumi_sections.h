// Look-ups of lumi sections in tables, whose ranges rise and do not overlap.
#ifndef FLAVORFRAME_LUMI_SECTIONS_H
#define FLAVORFRAME_LUMI_SECTIONS_H
#include <algorithm>
#include "kinds.h"

namespace flavorframe {

template <class T> bool fits_32_bits(const T& x) { return x >= 0 && double(x) < 4294967296.0; }

/// The number of the range that a section is in, -1 where it is in none.
template <class Table, class R, class L>
Integer range_of(const Table& table, const R& run, const L& section) {
  if (!fits_32_bits(run) || !fits_32_bits(section)) return -1;
  const Unsigned wanted = (Unsigned(run) << 32) | Unsigned(section);
  const auto above = std::upper_bound(table.first, table.first + table.size, wanted);
  const Integer place = above - table.first - 1;
  return place >= 0 && wanted <= table.last[place] ? place : -1;
}

template <class Table, class R, class L>
auto listed(const Table& table, const R& run, const L& section) {
  const auto test = [&](const auto& r, const auto& s) { return range_of(table, r, s) >= 0; };
  return call(test, run, section);
}

/// The value of the range that a section is in; missing where it is in none.
template <class Table, class R, class L>
Maybe<double> value_at(const Table& table, const R& run, const L& section) {
  if (!valid_of(run) || !valid_of(section)) return {};
  const Integer place = range_of(table, value_of(run), value_of(section));
  return place < 0 ? Maybe<double>{} : Maybe<double>{table.values[place], true};
}

}  // namespace flavorframe
#endif
