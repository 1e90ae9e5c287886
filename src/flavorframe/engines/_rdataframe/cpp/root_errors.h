// Collects the errors that ROOT prints while events are read.
#ifndef FLAVORFRAME_ROOT_ERRORS_H
#define FLAVORFRAME_ROOT_ERRORS_H
#include <mutex>
#include <string>
#include <vector>
#include "TError.h"

namespace flavorframe {

inline std::mutex root_errors_lock;
inline std::vector<std::string> root_errors;
inline ErrorHandlerFunc_t usual_handler = nullptr;

inline void collect_error(int level, Bool_t abort, const char* where, const char* what) {
  if (level < kError) return usual_handler(level, abort, where, what);
  std::lock_guard<std::mutex> guard(root_errors_lock);
  root_errors.push_back(std::string(where) + ": " + what);
}

inline void start_collecting_errors() {
  root_errors.clear();
  usual_handler = SetErrorHandler(collect_error);
}
inline void stop_collecting_errors() { SetErrorHandler(usual_handler); }

}  // namespace flavorframe
#endif
