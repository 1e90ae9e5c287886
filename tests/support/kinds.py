"""Files with a branch of every kind that ROOT writes, and what these hold."""

TREE = r"""
#include <set>
#include <TClonesArray.h>
#include <TLorentzVector.h>
#include <TVector2.h>
#include <Math/Vector4D.h>
struct EveryKindHit { float e = 0; int strips[2] = {0, 0}; std::vector<float> parts; };
void write_every_kind(const char* path) {
  const auto level = gErrorIgnoreLevel;
  gErrorIgnoreLevel = kError;  // of classes that have streamers of their own
  TFile file(path, "RECREATE");
  TTree tree("Events", "");
  int n;
  float fixed[3], counted[9][2];
  double matrix[2][2];
  bool flags[4];
  struct { float x, y; } leaves;
  struct { int a; double c[2]; } mixed;
  Float16_t half, half_fixed[2], half_list[9];
  Double32_t narrow, narrow_fixed[3], narrow_list[9], cut;
  unsigned long large;
  char letter;
  std::set<int> numbers;
  std::vector<std::vector<float>> inner;
  TLorentzVector p4, *whole = &p4;
  TVector2 flat;
  ROOT::Math::PtEtaPhiMVector polar;
  std::vector<TVector3> places;
  std::vector<ROOT::Math::PxPyPzEVector> momenta;
  TClonesArray tracks("TLorentzVector", 10);
  EveryKindHit hit;
  tree.Branch("n", &n, "n/I");
  tree.Branch("fixed", fixed, "fixed[3]/F");
  tree.Branch("counted", counted, "counted[n][2]/F");
  tree.Branch("matrix", matrix, "matrix[2][2]/D");
  tree.Branch("flags", flags, "flags[4]/O");
  tree.Branch("leaves", &leaves, "x/F:y/F");
  tree.Branch("mixed", &mixed, "a/I:padding/I:c[2]/D");
  tree.Branch("half", &half, "half/f");
  tree.Branch("half_fixed", half_fixed, "half_fixed[2]/f[0,16,10]");
  tree.Branch("half_list", half_list, "half_list[n]/f");
  tree.Branch("narrow", &narrow, "narrow/d[0,16,10]");
  tree.Branch("narrow_fixed", narrow_fixed, "narrow_fixed[3]/d[0,16,10]");
  tree.Branch("narrow_list", narrow_list, "narrow_list[n]/d[-2*pi,2*pi]");
  tree.Branch("cut", &cut, "cut/d[0,0,8]");
  tree.Branch("large", &large);
  tree.Branch("letter", &letter, "letter/B");
  tree.Branch("numbers", &numbers);
  tree.Branch("inner", &inner);
  tree.Branch("p4", &whole, 32000, 0);
  tree.Branch("flat", &flat);
  tree.Branch("polar", &polar);
  tree.Branch("places", &places);
  tree.Branch("momenta", &momenta, 32000, 0);
  tree.Branch("tracks", &tracks);
  tree.Branch("hit.", &hit);
  for (int i = 0; i < 5; i++) {
    n = i % 4;
    for (int j = 0; j < 4; j++) {
      flags[j] = (i >> j) & 1;
      matrix[j / 2][j % 2] = i + 100 * j;
    }
    for (int j = 0; j < 3; j++) {
      fixed[j] = 10 * i + j;
      narrow_fixed[j] = i + 0.5 * j;
    }
    leaves = {float(i), float(-i)};
    mixed.a = 2 * i;
    mixed.c[0] = 0.5 * i;
    mixed.c[1] = 1.5 * i;
    half = -i - 0.25;
    half_fixed[0] = i;
    half_fixed[1] = i + 0.5;
    narrow = 2 * i + 0.5;
    cut = -1 - 0.25 * i;
    large = (1ull << 63) + i;
    letter = 'a' - 98 + i;
    polar.SetCoordinates(1 + i, 0.5, 0.25, 0.125);
    p4.SetPxPyPzE(i, 1, 2, 30 + i);
    flat.Set(i, 2. * i);
    hit.e = i;
    hit.strips[1] = i;
    hit.parts.assign(i, 2.f);
    numbers.clear(), inner.clear(), places.clear(), momenta.clear(), tracks.Clear();
    for (int j = 0; j < n; j++) {
      counted[j][0] = i;
      counted[j][1] = j;
      half_list[j] = i + j;
      narrow_list[j] = 0;
      numbers.insert(i * (j + 1));
      inner.push_back(std::vector<float>(j, i));
      places.emplace_back(i, j, i + j);
      momenta.emplace_back(i, j, 3, 4 + j);
      new (tracks[j]) TLorentzVector(i, j, 3, 4 + j);
    }
    tree.Fill();
  }
  tree.Write();
  gErrorIgnoreLevel = level;
}
"""

NTUPLE = r"""
#include <optional>
#include <variant>
#include <Math/Vector4D.h>
#include <ROOT/RField.hxx>
#include <ROOT/RNTupleModel.hxx>
#include <ROOT/RNTupleWriter.hxx>
void write_every_kind_of_field(const char* path) {
  auto model = ROOT::RNTupleModel::Create();
  auto fixed = model->MakeField<std::array<float, 3>>("fixed");
  auto maybe = model->MakeField<std::optional<float>>("maybe");
  auto either = model->MakeField<std::variant<int, float>>("either");
  auto pair = model->MakeField<std::pair<int, float>>("pair");
  auto pairs = model->MakeField<std::vector<std::pair<int, float>>>("pairs");
  auto inner = model->MakeField<std::vector<std::vector<float>>>("inner");
  auto letter = model->MakeField<char>("letter");
  auto polar = model->MakeField<ROOT::Math::PtEtaPhiMVector>("polar");
  auto tracks = model->MakeField<std::vector<ROOT::Math::PxPyPzEVector>>("tracks");
  auto writer = ROOT::RNTupleWriter::Recreate(std::move(model), "Events", path);
  for (int i = 0; i < 5; i++) {
    for (int j = 0; j < 3; j++) (*fixed)[j] = 10 * i + j;
    *maybe = i % 2 ? std::optional<float>(i) : std::nullopt;
    if (i % 2) *either = i; else *either = 0.5f * i;
    *pair = {i, 0.5f * i};
    *letter = 'a' - 98 + i;
    polar->SetCoordinates(1 + i, 0.5, 0.25, 0.125);
    pairs->clear(), inner->clear(), tracks->clear();
    for (int j = 0; j < i % 4; j++) {
      pairs->push_back({i, j});
      inner->push_back(std::vector<float>(j, i));
      tracks->emplace_back(i, j, 3, 4 + j);
    }
    writer->Fill();
    if (i == 2) writer->CommitCluster();
  }
}
"""

EVENTS = range(5)
LISTS = [range(i % 4) for i in EVENTS]


def listed(value):
    """Return a value for each element of the lists whose length is ``n``."""
    return [[value(i, j) for j in indices] for i, indices in zip(EVENTS, LISTS, strict=True)]


IN_TREE = {
    "fixed": [[10 * i + j for j in range(3)] for i in EVENTS],
    "flags": [[bool(i >> j & 1) for j in range(4)] for i in EVENTS],
    "leaves.x": list(EVENTS),
    "leaves.y": [-i for i in EVENTS],
    "mixed.a": [2 * i for i in EVENTS],
    "mixed.c": [[0.5 * i, 1.5 * i] for i in EVENTS],
    "half": [-i - 0.25 for i in EVENTS],
    "half_fixed": [[i, i + 0.5] for i in EVENTS],
    "half_list": listed(lambda i, j: i + j),
    "narrow": [2 * i + 0.5 for i in EVENTS],
    "narrow_fixed": [[i + 0.5 * j for j in range(3)] for i in EVENTS],
    "cut": [-1 - 0.25 * i for i in EVENTS],
    "large": [2**63 + i for i in EVENTS],
    "letter": [-1 + i for i in EVENTS],
    "p4.px": list(EVENTS),
    "p4.energy": [30 + i for i in EVENTS],
    "flat.y": [2 * i for i in EVENTS],
    "polar.pt": [1 + i for i in EVENTS],
    "polar.mass": [0.125 for _ in EVENTS],
    "places.z": listed(lambda i, j: i + j),
    "tracks.py": listed(lambda i, j: j),
    "tracks.energy": listed(lambda i, j: 4 + j),
    "numbers": listed(lambda i, j: i * (j + 1)),
    "hit.e": list(EVENTS),
    "hit.parts": [[2] * i for i in EVENTS],
}
"""The branches of the tree that both engines take."""
IN_TREE_COLUMNAR_ALONE = {"hit.strips": [[0, i] for i in EVENTS]}
IN_TREE_RDATAFRAME_ALONE = {"momenta.energy": listed(lambda i, j: 4 + j)}
NESTED_IN_TREE = {
    "counted": listed(lambda i, j: [i, j]),
    "matrix": [[[i, i + 100], [i + 200, i + 300]] for i in EVENTS],
    "inner": listed(lambda i, j: [i] * j),
}
IN_NTUPLE = {
    "fixed": IN_TREE["fixed"],
    "pair._0": list(EVENTS),
    "pair._1": [0.5 * i for i in EVENTS],
    "pairs._1": listed(lambda i, j: j),
    "letter": IN_TREE["letter"],
    "polar.pt": IN_TREE["polar.pt"],
    "tracks.py": IN_TREE["tracks.py"],
    "tracks.energy": IN_TREE["tracks.energy"],
}
"""The fields of the RNTuple that both engines take."""
IN_NTUPLE_COLUMNAR_ALONE = {"maybe": [[i] if i % 2 else [] for i in EVENTS]}
NESTED_IN_NTUPLE = {"inner": NESTED_IN_TREE["inner"]}
