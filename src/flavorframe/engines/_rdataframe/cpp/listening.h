// Keeps what ROOT complains of while events are read, for the run to judge.
#ifndef FLAVORFRAME_LISTENING_H
#define FLAVORFRAME_LISTENING_H
#include <mutex>
#include <string>
#include <vector>
#include "TError.h"

namespace flavorframe {

inline std::mutex complaints_lock;
inline std::vector<std::string> complaints;
inline ErrorHandlerFunc_t usual_handler = nullptr;

inline void listen(int level, Bool_t abort, const char* where, const char* what) {
  if (level < kError) return usual_handler(level, abort, where, what);
  std::lock_guard<std::mutex> guard(complaints_lock);
  complaints.push_back(std::string(where) + ": " + what);
}

inline void start_listening() {
  complaints.clear();
  usual_handler = SetErrorHandler(listen);
}
inline void stop_listening() { SetErrorHandler(usual_handler); }

}  // namespace flavorframe
#endif
