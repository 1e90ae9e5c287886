// Tests of strings.
#ifndef FLAVORFRAME_STRINGS_H
#define FLAVORFRAME_STRINGS_H
#include <string_view>

namespace flavorframe {

inline bool starts(std::string_view text, std::string_view part) {
  return text.substr(0, part.size()) == part;
}
inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
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

/// Whether the text fits the shell pattern, upper and lower case being different.
inline bool matches(std::string_view text, std::string_view pattern) {
  std::size_t p = 0;
  for (std::size_t i = 0; p < pattern.size(); ++i) {
    if (pattern[p] == '*') {
      for (std::size_t rest = i; rest <= text.size(); ++rest)
        if (matches(text.substr(rest), pattern.substr(p + 1))) return true;
      return false;
    }
    if (i == text.size()) return false;
    if (pattern[p] == '[' && closes(pattern, p + 1)) {
      if (!in_bracket(pattern, ++p, text[i])) return false;
    } else if (pattern[p] != '?' && pattern[p] != text[i]) {
      return false;
    } else {
      ++p;
    }
    if (p == pattern.size()) return i + 1 == text.size();
  }
  return text.empty();
}

}  // namespace flavorframe
#endif
