// What columns of objects have in them: components of vectors, and sets as lists.
#ifndef FLAVORFRAME_OBJECTS_H
#define FLAVORFRAME_OBJECTS_H
#include <type_traits>
#include "ROOT/RVec.hxx"

namespace flavorframe {

template <class T, class = void> struct IsList : std::false_type {};
template <class T> struct IsList<T, std::void_t<decltype(std::declval<const T&>().begin())>>
    : std::true_type {};

/// A function of an object, or of each object of a list.
template <class T, class F> auto of_each(const T& objects, F f) {
  if constexpr (IsList<T>::value) {
    ROOT::RVec<decltype(f(*objects.begin()))> values;
    values.reserve(objects.size());
    for (const auto& object : objects) values.push_back(f(object));
    return values;
  } else {
    return f(objects);
  }
}

#define FLAVORFRAME_COMPONENT(name, method) \
  template <class T> auto name##_of(const T& vectors) { \
    return of_each(vectors, [](const auto& vector) { return vector.method(); }); \
  }
FLAVORFRAME_COMPONENT(px, Px)
FLAVORFRAME_COMPONENT(py, Py)
FLAVORFRAME_COMPONENT(pz, Pz)
FLAVORFRAME_COMPONENT(energy, E)
FLAVORFRAME_COMPONENT(pt, Pt)
FLAVORFRAME_COMPONENT(eta, Eta)
FLAVORFRAME_COMPONENT(phi, Phi)
FLAVORFRAME_COMPONENT(mass, M)
FLAVORFRAME_COMPONENT(x, X)
FLAVORFRAME_COMPONENT(y, Y)
FLAVORFRAME_COMPONENT(z, Z)
FLAVORFRAME_COMPONENT(r, R)
FLAVORFRAME_COMPONENT(rho, Rho)
FLAVORFRAME_COMPONENT(theta, Theta)
#undef FLAVORFRAME_COMPONENT

/// The elements of a set, in its order.
template <class S, class T = typename S::key_type> ROOT::RVec<T> list_of(const S& elements) {
  return ROOT::RVec<T>(elements.begin(), elements.end());
}

}  // namespace flavorframe
#endif
