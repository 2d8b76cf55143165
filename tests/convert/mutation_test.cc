// Files of Larq with a few bytes changed, or cut: an error in one line, or a model that is whole. (HDF5 files
// of Keras have no checksums: a bit of a weight that flips cannot be seen.)
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "audio/temp_folder.h"
#include "convert/fixtures.h"
#include "convert/larq_import.h"
#include "model/file.h"

namespace bittern::convert {
namespace {

constexpr unsigned kSeed = 20240611;
constexpr int kMutations = 60;  // of each network

// Where HDF5 keeps its own structures: half of all changes shall fall there, for most bytes are numbers.
std::vector<std::size_t> structures(const std::string& file) {
  std::vector<std::size_t> places{0};
  for (const std::string_view signature : {"TREE", "HEAP", "SNOD", "GCOL"})
    for (std::size_t at = file.find(signature); at != std::string::npos; at = file.find(signature, at + 1))
      places.push_back(at);
  return places;
}

class Mutator {
 public:
  Mutator(std::string file, unsigned seed)
      : file_(std::move(file)), structures_(structures(file_)), random_(seed) {}

  std::string next() {
    std::string changed = file_;
    if (below(8) == 0) {
      changed.resize(below(changed.size()));
      return changed;
    }
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
      std::size_t place = below(changed.size());
      if (below(2) == 0) place = structures_[below(structures_.size())] + below(256);
      if (place < changed.size()) changed[place] = byte(changed[place]);
    }
    return changed;
  }

 private:
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }
  char byte(char old) {
    constexpr std::array<int, 5> kExtremes{0, 1, 0x7F, 0x80, 0xFF};
    const std::size_t kind = below(3);
    if (kind == 0) return static_cast<char>(old ^ (1 << below(8)));
    return static_cast<char>(kind == 1 ? kExtremes[below(kExtremes.size())] : static_cast<int>(below(256)));
  }

  std::string file_;
  std::vector<std::size_t> structures_;
  std::mt19937 random_;  // the same numbers everywhere, unlike the distributions
};

TEST(MutatedFiles, GiveAnErrorOrAModel) {
  const test::TempFolder folder;
  const std::string path = (folder / "changed.h5").string();
  int refused = 0, imported = 0, contained = 0;
  unsigned seed = kSeed;
  for (const std::string& name : test::kFixtureNames) {
    LarqOptions options = test::options_for(name);
    options.reading.processor_seconds = 1;  // HDF5 has no end on some
    Mutator mutator(test::read_bytes(test::fixture(name)), ++seed);
    for (int i = 0; i < kMutations; ++i) {
      SCOPED_TRACE(testing::Message() << name << ", seed " << seed << ", mutation " << i);
      test::write_bytes(path, mutator.next());
      const auto result = import_larq(path, options);
      if (!result.ok()) {
        ++refused;
        EXPECT_TRUE(result.error().message.starts_with(path + ": ")) << result.error().message;
        if (result.error().message.find("HDF5 library") != std::string::npos) ++contained;
        continue;
      }
      ++imported;
      const auto bytes = model::serialize(*result->model);
      ASSERT_TRUE(bytes.ok()) << bytes.error().message;
      const auto again = model::read_copy(*bytes);
      EXPECT_TRUE(again.ok()) << again.error().message;
    }
  }
  // Both must have been seen, or the mutations say nothing.
  EXPECT_GT(refused, kMutations);
  EXPECT_GT(imported, kMutations / 4);
  RecordProperty("refused", refused);
  RecordProperty("imported", imported);
  RecordProperty("contained", contained);
}

}  // namespace
}  // namespace bittern::convert
