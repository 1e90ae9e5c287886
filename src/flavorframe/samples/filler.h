// Fills a TTree from flat arrays and offsets: one call for many events, as bph.py says.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <TTree.h>

class FlavorframeFiller {
   TTree &fTree;
   std::map<std::string, std::shared_ptr<void>> fValues;
   std::map<std::string, std::function<void(Long64_t)>> fLoads;

   template <class T> T &value_of(const std::string &branch)
   {
      auto &value = fValues[branch];
      if (!value) {
         value = std::make_shared<T>();
         fTree.Branch(branch.c_str(), static_cast<T *>(value.get()));
      }
      return *static_cast<T *>(value.get());
   }

public:
   FlavorframeFiller(TTree &tree) : fTree(tree) {}

   template <class T> void scalar(const std::string &branch, const T *data)
   {
      T &value = value_of<T>(branch);
      fLoads[branch] = [=, &value](Long64_t event) { value = data[event]; };
   }

   template <class T> void list(const std::string &branch, const T *data, const long *offsets)
   {
      auto &value = value_of<std::vector<T>>(branch);
      fLoads[branch] = [=, &value](Long64_t event) {
         value.assign(data + offsets[event], data + offsets[event + 1]);
      };
   }

   // Each event has one of a few lists of names.
   void names(const std::string &branch, const std::vector<std::vector<std::string>> &lists, const long *which)
   {
      auto &value = value_of<std::vector<std::string>>(branch);
      fLoads[branch] = [=, &value](Long64_t event) { value = lists[which[event]]; };
   }

   bool fill(Long64_t events)
   {
      for (Long64_t event = 0; event < events; ++event) {
         for (auto &load : fLoads) load.second(event);
         if (fTree.Fill() < 0) return false;
      }
      return true;
   }
};
