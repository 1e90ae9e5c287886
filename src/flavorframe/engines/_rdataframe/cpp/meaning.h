// What expressions mean, one value at a time. The rules are those of docs/semantics.md: arithmetic
// in doubles and 64-bit integers, exact comparisons, those with NaN false, missing values neither
// true nor false.
#ifndef FLAVORFRAME_MEANING_H
#define FLAVORFRAME_MEANING_H
#pragma cling optimize(2)
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>
#include "ROOT/RVec.hxx"

namespace flavorframe {

using Integer = long long;
using Unsigned = unsigned long long;

// Missing values

template <class T> struct Maybe { T value{}; bool valid = false; };

template <class T> struct IsMaybe : std::false_type {};
template <class T> struct IsMaybe<Maybe<T>> : std::true_type {};
template <class T> constexpr bool is_maybe = IsMaybe<std::decay_t<T>>::value;

template <class T> const T& value_of(const T& x) { return x; }
template <class T> const T& value_of(const Maybe<T>& x) { return x.value; }
template <class T> bool valid_of(const T&) { return true; }
template <class T> bool valid_of(const Maybe<T>& x) { return x.valid; }

/// f of the values; missing where one of them is.
template <class F, class... A> auto lift(F f, const A&... a) {
  if constexpr ((is_maybe<A> || ...))
    return Maybe<decltype(f(value_of(a)...))>{f(value_of(a)...), (valid_of(a) && ...)};
  else
    return f(a...);
}

/// The same for functions that must not see what a missing value holds.
template <class F, class... A> auto call(F f, const A&... a) {
  using R = decltype(f(value_of(a)...));
  if constexpr ((is_maybe<A> || ...))
    return (valid_of(a) && ...) ? Maybe<R>{f(value_of(a)...), true} : Maybe<R>{};
  else
    return f(a...);
}

// Numbers and truth

template <class T> auto number(const T& x) {
  if constexpr (std::is_floating_point_v<T>) return double(x);
  else if constexpr (std::is_unsigned_v<T> && sizeof(T) == sizeof(Unsigned)) return Unsigned(x);
  else return Integer(x);
}

/// The type in which two numbers are added: an unsigned one beside a signed one counts as signed.
template <class A, class B>
using Common = std::conditional_t<std::is_same_v<A, B>, A,
    std::conditional_t<std::is_same_v<A, double> || std::is_same_v<B, double>, double, Integer>>;

template <class T> bool truth(const T& x) { return x != 0; }
template <class T> bool holds(const T& x) { return valid_of(x) && truth(value_of(x)); }
template <class T> bool fails(const T& x) { return valid_of(x) && !truth(value_of(x)); }

template <class T> double as_double(const T& x) {
  return valid_of(x) ? double(value_of(x)) : std::numeric_limits<double>::quiet_NaN();
}
template <class T> Integer as_integer(const T& x) { return Integer(value_of(x)); }

template <class A, class B> auto both(A a, B b) {
  const auto x = a();
  if constexpr (!is_maybe<decltype(x)> && !is_maybe<decltype(b())>) {
    return truth(x) && truth(b());
  } else {
    if (fails(x)) return Maybe<bool>{false, true};
    const auto y = b();
    if (fails(y)) return Maybe<bool>{false, true};
    const bool valid = valid_of(x) && valid_of(y);
    return Maybe<bool>{valid, valid};
  }
}

template <class A, class B> auto either(A a, B b) {
  const auto x = a();
  if constexpr (!is_maybe<decltype(x)> && !is_maybe<decltype(b())>) {
    return truth(x) || truth(b());
  } else {
    if (holds(x)) return Maybe<bool>{true, true};
    const auto y = b();
    if (holds(y)) return Maybe<bool>{true, true};
    return Maybe<bool>{false, valid_of(x) && valid_of(y)};
  }
}

/// What may be chosen beside another: a number, if not both are truth values.
template <class A, class B> auto of_choice(const A& x, const B&) {
  if constexpr (std::is_same_v<A, bool> && std::is_same_v<B, bool>) return x;
  else return number(x);
}

/// The same of two values that are known.
template <class A, class B> auto both_of(const A& a, const B& b) {
  return both([&] { return a; }, [&] { return b; });
}
template <class A, class B> auto either_of(const A& a, const B& b) {
  return either([&] { return a; }, [&] { return b; });
}

template <class C, class A, class B> auto where(const C& c, const A& a, const B& b) {
  const auto x = of_choice(value_of(a), value_of(b));
  const auto y = of_choice(value_of(b), value_of(a));
  using R = Common<std::decay_t<decltype(x)>, std::decay_t<decltype(y)>>;
  const bool chosen = truth(value_of(c));
  const R result = chosen ? R(x) : R(y);
  if constexpr (is_maybe<C> || is_maybe<A> || is_maybe<B>)
    return Maybe<R>{result, valid_of(c) && (chosen ? valid_of(a) : valid_of(b))};
  else
    return result;
}

[[noreturn]] inline void refuse(const char* kind, const std::string& text) {
  throw std::runtime_error(std::string("flavorframe:") + kind + ":" + text + ":end");
}

// Operations

inline Integer wrap(Unsigned x) { return Integer(x); }
inline Unsigned bits(Integer x) { return static_cast<Unsigned>(x); }
inline Unsigned bits(Unsigned x) { return x; }
inline Unsigned size_of(Integer x) { return x < 0 ? 0 - bits(x) : bits(x); }
inline Unsigned size_of(Unsigned x) { return x; }

inline double sum_of(double a, double b) { return a + b; }
inline Integer sum_of(Integer a, Integer b) { return wrap(bits(a) + bits(b)); }
inline Unsigned sum_of(Unsigned a, Unsigned b) { return a + b; }
inline double difference_of(double a, double b) { return a - b; }
inline Integer difference_of(Integer a, Integer b) { return wrap(bits(a) - bits(b)); }
inline Integer difference_of(Unsigned a, Unsigned b) { return wrap(a - b); }
inline double product_of(double a, double b) { return a * b; }
inline Integer product_of(Integer a, Integer b) { return wrap(bits(a) * bits(b)); }
inline Unsigned product_of(Unsigned a, Unsigned b) { return a * b; }
inline double negative_of(double a) { return -a; }
inline Integer negative_of(Integer a) { return wrap(0 - bits(a)); }
inline Integer negative_of(Unsigned a) { return wrap(0 - a); }
inline double absolute_of(double a) { return std::fabs(a); }
inline Integer absolute_of(Integer a) { return a < 0 ? negative_of(a) : a; }
inline Unsigned absolute_of(Unsigned a) { return a; }

/// The remainder that has the sign of the divisor; of whole numbers, its type as well.
inline double remainder_of(double a, double b) {
  double rest = std::fmod(a, b);
  if (b == 0) return rest;
  if (rest == 0) return std::copysign(0.0, b);
  return (b < 0) != (rest < 0) ? rest + b : rest;
}
template <class A, class B> B remainder_of(A a, B b) {
  if (b == 0) return 0;
  const Unsigned by = size_of(b), rest = size_of(a) % by;
  const Unsigned size = rest != 0 && (a < 0) != (b < 0) ? by - rest : rest;
  return B(b < 0 ? 0 - size : size);
}
inline double floor_divide_of(double a, double b) {
  if (b == 0) return a / b;
  const double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double whole = std::floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}
template <class A, class B> Common<A, B> floor_divide_of(A a, B b) {
  if (b == 0) return 0;
  const Unsigned quotient = size_of(a) / size_of(b), rest = size_of(a) % size_of(b);
  const bool apart = (a < 0) != (b < 0);
  return Common<A, B>(apart ? 0 - (quotient + (rest != 0)) : quotient);
}

inline double delta_phi_of(double a, double b) {
  return remainder_of(a - b + M_PI, 2 * M_PI) - M_PI;
}

template <class... C> double mass_of(C... components) {
  const std::array<double, sizeof...(C)> p{components...};
  double energy = 0, px = 0, py = 0, pz = 0;
  for (std::size_t i = 0; i < p.size(); i += 4) {
    const double x = p[i] * std::cos(p[i + 2]), y = p[i] * std::sin(p[i + 2]);
    const double z = p[i] * std::sinh(p[i + 1]), m = p[i + 3];
    energy += std::sqrt(x * x + y * y + z * z + m * m);
    px += x; py += y; pz += z;
  }
  const double squared = energy * energy - (px * px + py * py + pz * pz);
  return squared < 0 ? -std::sqrt(-squared) : std::sqrt(squared);
}

/// The operation on numbers of any two types; f is it on two of the type that they have in common.
template <class F>
constexpr auto in_common(F f) {
  return [f](auto a, auto b) {
    using R = Common<decltype(number(a)), decltype(number(b))>;
    return f(R(number(a)), R(number(b)));
  };
}

/// The same for whole numbers whose types may differ; f is it on doubles, or on two such.
template <class F>
constexpr auto in_own(F f) {
  return [f](auto a, auto b) {
    const auto x = number(a);
    const auto y = number(b);
    if constexpr (std::is_floating_point_v<Common<decltype(number(a)), decltype(number(b))>>)
      return f(double(x), double(y));
    else
      return f(x, y);
  };
}

// Comparisons of numbers as they are: a whole number beside a decimal one is not rounded to it.

inline bool less(double a, double b) { return a < b; }
inline bool less(Integer a, Integer b) { return a < b; }
inline bool less(Unsigned a, Unsigned b) { return a < b; }
inline bool less(Integer a, Unsigned b) { return a < 0 || bits(a) < b; }
inline bool less(Unsigned a, Integer b) { return b >= 0 && a < bits(b); }

constexpr double ABOVE_SIGNED = 9223372036854775808.0, ABOVE_UNSIGNED = 18446744073709551616.0;

/// Whether the decimal number is above, or below, all that the whole number's type can hold.
inline bool above(double x, Integer) { return x >= ABOVE_SIGNED; }
inline bool above(double x, Unsigned) { return x >= ABOVE_UNSIGNED; }
inline bool below(double x, Integer) { return x < -ABOVE_SIGNED; }
inline bool below(double x, Unsigned) { return x < 0; }

/// Whether the whole number is a double; another is so large that of a double ⌊x⌋ will do.
template <class I> bool is_double(I x) { return size_of(x) <= Unsigned(1) << 53; }

template <class I> bool less(I a, double b) {
  if (is_double(a)) return double(a) < b;
  return above(b, a) || (b == b && !below(b, a) && a < I(b));
}
template <class I> bool less(double a, I b) {
  if (is_double(b)) return a < double(b);
  return below(a, b) || (a == a && !above(a, b) && I(a) < b);
}

template <class A> bool equal(A a, A b) { return a == b; }
template <class A, class B> bool equal(A a, B b) {
  return a == a && b == b && !less(a, b) && !less(b, a);
}

namespace op {
constexpr auto add = in_common([](auto a, auto b) { return sum_of(a, b); });
constexpr auto subtract = in_common([](auto a, auto b) { return difference_of(a, b); });
constexpr auto multiply = in_common([](auto a, auto b) { return product_of(a, b); });
constexpr auto floor_divide = in_own([](auto a, auto b) { return floor_divide_of(a, b); });
constexpr auto remainder = in_own([](auto a, auto b) { return remainder_of(a, b); });
/// The smaller of a signed and an unsigned number is signed, the larger is unsigned.
constexpr auto minimum = in_own([](auto x, auto y) {
  using R = Common<decltype(x), decltype(y)>;
  return less(x, y) || x != x ? R(x) : R(y);
});
constexpr auto maximum = in_own([](auto x, auto y) {
  using R = std::common_type_t<decltype(x), decltype(y)>;
  return less(y, x) || x != x ? R(x) : R(y);
});
constexpr auto bit_and = [](auto x, auto y) { return number(x) & number(y); };
constexpr auto bit_or = [](auto x, auto y) { return number(x) | number(y); };
constexpr auto bit_xor = [](auto x, auto y) { return number(x) ^ number(y); };
constexpr auto bit_not = [](auto x) { return ~number(x); };
constexpr auto shift_left = [](auto x, auto by) {
  const Unsigned places = bits(number(by));
  return decltype(number(x))(places < 64 ? bits(number(x)) << places : 0);
};
constexpr auto shift_right = [](auto x, auto by) {
  const Unsigned places = bits(number(by));
  const auto sign = number(x) < 0 ? -1 : 0;
  return decltype(number(x))(places < 64 ? number(x) >> places : sign);
};
constexpr auto bit = [](auto x, auto place) { return (bits(number(x)) >> place & 1) != 0; };
constexpr auto xor_ = [](auto a, auto b) { return truth(a) != truth(b); };
constexpr auto negative = [](auto a) { return negative_of(number(a)); };
constexpr auto absolute = [](auto a) { return absolute_of(number(a)); };
constexpr auto not_ = [](auto a) { return !truth(a); };
constexpr auto lt = [](auto a, auto b) { return less(number(a), number(b)); };
constexpr auto gt = [](auto a, auto b) { return less(number(b), number(a)); };
constexpr auto eq = [](auto a, auto b) { return equal(number(a), number(b)); };
constexpr auto le = [](auto a, auto b) { return lt(a, b) || eq(a, b); };
constexpr auto ge = [](auto a, auto b) { return gt(a, b) || eq(a, b); };
constexpr auto ne = [](auto a, auto b) { return lt(a, b) || gt(a, b); };
constexpr auto between_left = [](auto x, auto a, auto b) { return le(a, x) && lt(x, b); };
constexpr auto between_right = [](auto x, auto a, auto b) { return lt(a, x) && le(x, b); };
constexpr auto between_both = [](auto x, auto a, auto b) { return le(a, x) && le(x, b); };
constexpr auto between_none = [](auto x, auto a, auto b) { return lt(a, x) && lt(x, b); };
constexpr auto divide = [](auto a, auto b) { return double(a) / double(b); };
constexpr auto power = [](auto a, auto b) { return std::pow(double(a), double(b)); };
constexpr auto sqrt = [](auto a) { return std::sqrt(double(a)); };
constexpr auto exp = [](auto a) { return std::exp(double(a)); };
constexpr auto log = [](auto a) { return std::log(double(a)); };
constexpr auto log10 = [](auto a) { return std::log10(double(a)); };
constexpr auto sin = [](auto a) { return std::sin(double(a)); };
constexpr auto cos = [](auto a) { return std::cos(double(a)); };
constexpr auto tan = [](auto a) { return std::tan(double(a)); };
constexpr auto arcsin = [](auto a) { return std::asin(double(a)); };
constexpr auto arccos = [](auto a) { return std::acos(double(a)); };
constexpr auto arctan = [](auto a) { return std::atan(double(a)); };
constexpr auto arctan2 = [](auto a, auto b) { return std::atan2(double(a), double(b)); };
constexpr auto arcsinh = [](auto a) { return std::asinh(double(a)); };
constexpr auto arccosh = [](auto a) { return std::acosh(double(a)); };
constexpr auto arctanh = [](auto a) { return std::atanh(double(a)); };
constexpr auto sinh = [](auto a) { return std::sinh(double(a)); };
constexpr auto cosh = [](auto a) { return std::cosh(double(a)); };
constexpr auto tanh = [](auto a) { return std::tanh(double(a)); };
constexpr auto hypot = [](auto a, auto b) { return std::hypot(double(a), double(b)); };
constexpr auto floor = [](auto a) { return std::floor(double(a)); };
constexpr auto ceil = [](auto a) { return std::ceil(double(a)); };
constexpr auto delta_phi = [](auto a, auto b) { return delta_phi_of(double(a), double(b)); };
constexpr auto delta_r = [](auto eta1, auto phi1, auto eta2, auto phi2) {
  const double eta = double(eta1) - double(eta2), phi = delta_phi_of(double(phi1), double(phi2));
  return std::sqrt(eta * eta + phi * phi);
};
constexpr auto mass = [](auto... components) { return mass_of(double(components)...); };
constexpr auto transverse_mass = [](auto pt1, auto phi1, auto pt2, auto phi2) {
  const double opening = 1 - std::cos(double(phi1) - double(phi2));
  return std::sqrt(2 * double(pt1) * double(pt2) * opening);
};
constexpr auto cos2d = [](auto pt, auto phi, auto x, auto y, auto x0, auto y0) {
  const double px = double(pt) * std::cos(double(phi)), py = double(pt) * std::sin(double(phi));
  const double dx = double(x) - double(x0), dy = double(y) - double(y0);
  return (px * dx + py * dy) / (std::hypot(px, py) * std::hypot(dx, dy));
};
constexpr auto cos3d = [](auto pt, auto eta, auto phi, auto x, auto y, auto z, auto x0, auto y0,
                          auto z0) {
  const double px = double(pt) * std::cos(double(phi)), py = double(pt) * std::sin(double(phi));
  const double pz = double(pt) * std::sinh(double(eta));
  const double dx = double(x) - double(x0), dy = double(y) - double(y0), dz = double(z) - double(z0);
  const double lengths =
      std::sqrt(px * px + py * py + pz * pz) * std::sqrt(dx * dx + dy * dy + dz * dz);
  return (px * dx + py * dy + pz * dz) / lengths;
};
}  // namespace op

/// An operator on what functions returned: logic of truth values, bits of whole numbers.
template <class L, class B, class... A>
auto logic_or_bits(L logic, B bits, const char* complaint, const A&... a) {
  constexpr bool truths = (std::is_same_v<std::decay_t<decltype(value_of(a))>, bool> && ...);
  constexpr bool whole = (std::is_integral_v<std::decay_t<decltype(value_of(a))>> && ...);
  constexpr bool any_truth = (std::is_same_v<std::decay_t<decltype(value_of(a))>, bool> || ...);
  if constexpr (truths) {
    return logic(a...);
  } else if constexpr (whole && !any_truth) {
    return lift(bits, a...);
  } else {
    refuse("function", complaint);
    return false;
  }
}
namespace op {
constexpr auto and_ = [](const auto& a, const auto& b) {
  return both([&] { return a; }, [&] { return b; });
};
constexpr auto or_ = [](const auto& a, const auto& b) {
  return either([&] { return a; }, [&] { return b; });
};
constexpr auto exclusive_or = [](const auto& a, const auto& b) { return lift(xor_, a, b); };
constexpr auto negation = [](const auto& a) { return lift(not_, a); };
}  // namespace op

// Words

inline bool starts(std::string_view word, std::string_view part) {
  return word.substr(0, part.size()) == part;
}
inline bool contains(std::string_view word, std::string_view part) {
  return word.find(part) != std::string_view::npos;
}

/// Whether a shell pattern's bracket, from after '[' on, has the letter; moves p past ']'.
inline bool in_bracket(std::string_view pattern, std::size_t& p, char letter) {
  const bool inverted = p < pattern.size() && pattern[p] == '!';
  if (inverted) ++p;
  bool found = false, first = true;
  for (; first || pattern[p] != ']'; first = false) {
    char low = pattern[p++], high = low;
    if (p + 1 < pattern.size() && pattern[p] == '-' && pattern[p + 1] != ']') {
      high = pattern[p + 1];
      p += 2;
    }
    found = found || (low <= letter && letter <= high);
  }
  ++p;
  return found != inverted;
}

inline bool closes(std::string_view pattern, std::size_t p) {
  if (p < pattern.size() && pattern[p] == '!') ++p;
  return pattern.find(']', p + 1) != std::string_view::npos;
}

/// Whether the word fits the shell pattern, upper and lower case being different.
inline bool matches(std::string_view word, std::string_view pattern) {
  std::size_t p = 0;
  for (std::size_t i = 0; p < pattern.size(); ++i) {
    if (pattern[p] == '*') {
      for (std::size_t rest = i; rest <= word.size(); ++rest)
        if (matches(word.substr(rest), pattern.substr(p + 1))) return true;
      return false;
    }
    if (i == word.size()) return false;
    if (pattern[p] == '[' && closes(pattern, p + 1)) {
      if (!in_bracket(pattern, ++p, word[i])) return false;
    } else if (pattern[p] != '?' && pattern[p] != word[i]) {
      return false;
    } else {
      ++p;
    }
    if (p == pattern.size()) return i + 1 == word.size();
  }
  return word.empty();
}

// Elements and links

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

/// The element that an index points to, or −1.
template <class I> Integer pointed(const I& index, Integer size) {
  if (!valid_of(index)) return -1;
  const auto place = number(value_of(index));
  return place >= 0 && place < size ? Integer(place) : -1;
}

template <class F> auto gather(Integer place, F value) {
  using R = std::decay_t<decltype(value(place))>;
  if constexpr (is_maybe<R>)
    return place < 0 ? R{} : value(place);
  else
    return place < 0 ? Maybe<R>{} : Maybe<R>{value(place), true};
}

/// Whether a key equals a value, in single precision where either is stored so.
template <class K, class V> bool same(const K& key, const V& value) {
  if (!valid_of(key) || !valid_of(value)) return false;
  using A = std::decay_t<decltype(value_of(key))>;
  using B = std::decay_t<decltype(value_of(value))>;
  if constexpr (std::is_same_v<A, float> || std::is_same_v<B, float>)
    return float(value_of(key)) == float(value_of(value));
  else if constexpr (std::is_arithmetic_v<A> && std::is_arithmetic_v<B>)
    return equal(number(value_of(key)), number(value_of(value)));
  else
    return value_of(key) == value_of(value);
}

/// The first element of the target that a link by value leads to, or −1, and how many there are.
struct Matches {
  Integer first = -1, number = 0;
};

/// What a key and a value are compared as; see `same`.
template <class K, class V> auto compared() {
  using A = std::decay_t<decltype(value_of(std::declval<K>()))>;
  using B = std::decay_t<decltype(value_of(std::declval<V>()))>;
  if constexpr (std::is_same_v<A, float> || std::is_same_v<B, float>)
    return float();
  else if constexpr (std::is_arithmetic_v<A> && std::is_arithmetic_v<B>)
    return std::common_type_t<decltype(number(A())), decltype(number(B()))>();
  else
    return std::string();
}
/// Whether they are then what they were: no type holds all whole numbers and all decimal ones.
template <class K, class V> constexpr bool comparable() {
  using A = std::decay_t<decltype(value_of(std::declval<K>()))>;
  using B = std::decay_t<decltype(value_of(std::declval<V>()))>;
  if constexpr (std::is_same_v<A, float> || std::is_same_v<B, float>)
    return true;
  else if constexpr (std::is_arithmetic_v<A> && std::is_arithmetic_v<B>)
    return std::is_same_v<decltype(number(A())), decltype(number(B()))>;
  else
    return true;
}
template <class K, class V> struct Sorted;

/// The elements of a target in the order of their keys; what equals nothing is left out.
template <class... K, class... V> struct Sorted<std::tuple<K...>, std::tuple<V...>> {
  static constexpr bool exact = (comparable<K, V>() && ...);
  using Key = std::tuple<decltype(compared<K, V>())...>;
  std::vector<std::pair<Key, Integer>> elements;

  template <class F> Sorted(Integer size, F keys) {
    for (Integer i = 0; i < size; ++i) {
      const auto key = keys(i);
      if (can_equal(key)) elements.emplace_back(as_key(key), i);
    }
    std::sort(elements.begin(), elements.end());
  }
  Matches find(const std::tuple<V...>& values) const {
    if (!can_equal(values)) return {};
    const auto key = as_key(values);
    const auto before = [](const auto& element, const Key& x) { return element.first < x; };
    const auto after = [](const Key& x, const auto& element) { return x < element.first; };
    const auto begin = std::lower_bound(elements.begin(), elements.end(), key, before);
    const auto end = std::upper_bound(begin, elements.end(), key, after);
    return begin == end ? Matches{} : Matches{begin->second, end - begin};
  }
  template <class T> static bool can_equal(const T& items) {
    return std::apply(
        [](const auto&... x) { return ((valid_of(x) && value_of(x) == value_of(x)) && ...); }, items);
  }
  template <class T> static Key as_key(const T& items) {
    return std::apply([](const auto&... x) { return Key(value_of(x)...); }, items);
  }
};

/// What is remembered of a link's target while an event is worked on, once it is long and asked
/// often: one link always has keys and values of the same types.
struct Lookup {
  Integer asked = 0;
  std::shared_ptr<void> sorted;
};
constexpr Integer few = 32;

/// Compare with one element after the other, up to the first that matches or to the last.
template <bool all, class F, class V, std::size_t... I>
Matches compare(Integer size, F keys, const V& values, std::index_sequence<I...>) {
  Matches found;
  for (Integer i = 0; i < size; ++i) {
    const auto key = keys(i);
    if (!(same(std::get<I>(key), std::get<I>(values)) && ...)) continue;
    if (found.number++ == 0) found.first = i;
    if (!all) break;
  }
  return found;
}

template <bool all = true, class F, class... V>
Matches matches_of(Lookup& lookup, Integer size, F keys, const std::tuple<V...>& values) {
  using Kept = Sorted<std::decay_t<decltype(keys(Integer(0)))>, std::tuple<V...>>;
  if constexpr (Kept::exact) {
    if (size > few && ++lookup.asked > few) {
      if (!lookup.sorted) lookup.sorted = std::make_shared<Kept>(size, keys);
      return static_cast<const Kept*>(lookup.sorted.get())->find(values);
    }
  }
  return compare<all>(size, keys, values, std::index_sequence_for<V...>());
}

template <class F, class V>
Maybe<Integer> match(Lookup& lookup, Integer size, F keys, const V& values) {
  const Integer first = matches_of<false>(lookup, size, keys, values).first;
  return {first < 0 ? 0 : first, first >= 0};
}

// Reductions

template <class E, class F> bool any(const E& elements, F value) {
  for (Integer i : elements)
    if (holds(value(i))) return true;
  return false;
}
template <class E, class F> bool all(const E& elements, F value) {
  for (Integer i : elements)
    if (!holds(value(i))) return false;
  return true;
}
template <class E, class F> Integer count(const E& elements, F value) {
  Integer number = 0;
  for (Integer i : elements) number += holds(value(i));
  return number;
}
template <class E, class F> auto sum(const E& elements, F value) {
  std::decay_t<decltype(number(value_of(value(Integer(0)))))> total = 0;
  for (Integer i : elements) {
    const auto x = value(i);
    if (valid_of(x)) total = sum_of(total, number(value_of(x)));
  }
  return total;
}
template <class E, class F> auto first(const E& elements, F value) {
  using R = std::decay_t<decltype(value(Integer(0)))>;
  for (Integer i : elements) {
    if constexpr (is_maybe<R>) return value(i);
    else return Maybe<R>{value(i), true};
  }
  if constexpr (is_maybe<R>) return R{};
  else return Maybe<R>{};
}

/// The element whose value is extreme, the first of equal ones, and its value.
template <class T> struct Extreme { Integer place = -1; T value{}; };

template <bool largest, class E, class F> auto extreme(const E& elements, F value) {
  using T = std::decay_t<decltype(value_of(value(Integer(0))))>;
  Extreme<T> found;
  for (Integer i : elements) {
    const auto x = value(i);
    const T y = value_of(x);
    if (!valid_of(x) || y != y) continue;
    if (found.place < 0 || (largest ? y > found.value : y < found.value)) found = {i, y};
  }
  return found;
}
template <class E, class F> auto min(const E& elements, F value) {
  const auto found = extreme<false>(elements, value);
  return Maybe<decltype(found.value)>{found.value, found.place >= 0};
}
template <class E, class F> auto max(const E& elements, F value) {
  const auto found = extreme<true>(elements, value);
  return Maybe<decltype(found.value)>{found.value, found.place >= 0};
}
template <class E, class F> Maybe<Integer> argmin(const E& elements, F value) {
  const Integer place = extreme<false>(elements, value).place;
  return {place, place >= 0};
}
template <class E, class F> Maybe<Integer> argmax(const E& elements, F value) {
  const Integer place = extreme<true>(elements, value).place;
  return {place, place >= 0};
}

// What is left of an event

/// Amounts to be added up over the events, by address.
struct Entries {
  ROOT::RVec<double> address, amount;
  void add(double where, double what) { address.push_back(where + 0.5); amount.push_back(what); }
  void clear() { address.clear(); amount.clear(); }
};

/// How a link by value fares: how often it was asked, led nowhere, and was ambiguous.
struct Note {
  Integer asked = 0, unmatched = 0, ambiguous = 0;
  void add(Integer found) { ++asked; unmatched += found == 0; ambiguous += found > 1; }
  void enter(Entries& entries, Integer address) const {
    if (asked == 0) return;
    entries.add(address, asked);
    entries.add(address + 1, unmatched);
    entries.add(address + 2, ambiguous);
  }
};

/// The living candidates, as indices of the file, with the weights of the event and of each. One
/// that is used again for the next event keeps its memory.
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

/// Whether each candidate of the file is alive.
inline std::vector<bool> living(const State& state) {
  std::vector<bool> alive(state.size, false);
  for (int i : state.candidates) alive[i] = true;
  return alive;
}

/// Count an event and its candidates at the first addresses, with their weights if there are any.
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

inline Integer word(double x) {
  Integer bits;
  static_assert(sizeof bits == sizeof x);
  std::memcpy(&bits, &x, sizeof x);
  return bits;
}

/// A number for a file's name, the same in every process (FNV-1a).
inline Integer fingerprint(std::string_view name) {
  unsigned long long hash = 14695981039346656037ull;
  for (unsigned char c : name) hash = (hash ^ c) * 1099511628211ull;
  return Integer(hash);
}

}  // namespace flavorframe
#endif
