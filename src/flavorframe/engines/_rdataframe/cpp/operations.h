// Operations on single values: arithmetic in doubles and 64-bit integers, exact comparisons, those
// with NaN false, missing values neither true nor false. The rules are those of docs/semantics.md.
#ifndef FLAVORFRAME_OPERATIONS_H
#define FLAVORFRAME_OPERATIONS_H
#include <array>
#include <cmath>
#include <type_traits>
#include "kinds.h"

namespace flavorframe {

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

inline double mass_of_components_of(double px, double py, double pz, double energy) {
  const double squared = energy * energy - (px * px + py * py + pz * pz);
  return squared < 0 ? -std::sqrt(-squared) : std::sqrt(squared);
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
  return mass_of_components_of(px, py, pz, energy);
}

/// The angle between two momenta, by Kahan's formula, as in ``_expr/kinematics.py``.
inline double angle_of(const std::array<double, 3>& p, const std::array<double, 3>& q) {
  const double size_p = std::sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
  const double size_q = std::sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2]);
  double apart = 0, together = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const double u = p[i] / size_p, v = q[i] / size_q;
    apart += (u - v) * (u - v);
    together += (u + v) * (u + v);
  }
  return 2 * std::atan2(std::sqrt(apart), std::sqrt(together));
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
constexpr auto angle = [](auto... components) {
  const std::array<double, 6> p{double(components)...};
  return angle_of({p[0], p[1], p[2]}, {p[3], p[4], p[5]});
};
constexpr auto mass = [](auto... components) { return mass_of(double(components)...); };
constexpr auto mass_of_components = [](auto... components) {
  return mass_of_components_of(double(components)...);
};
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

}  // namespace flavorframe
#endif
