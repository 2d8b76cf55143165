// A training's state goes through a file unchanged, and a damaged file is refused.
#include "training/checkpoint.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstring>
#include <filesystem>

#include "audio/temp_folder.h"
#include "core/random.h"

namespace bittern::training {
namespace {

Checkpoint sample() {
  Checkpoint checkpoint;
  checkpoint.position = {.epoch = 3,
                         .batch = 17,
                         .step = std::int64_t{1} << 40,
                         .loss_sums = {1.0 / 3, 1e-300, 12345.678901234567},
                         .best_accuracy = 0.1 + 0.2,
                         .best_epoch = 2,
                         .metrics_bytes = 4711};
  checkpoint.recipe = R"({"epochs": 3, "note": "a \"quoted\" word, ünïcode"})";
  checkpoint.clips_digest = "0123abcd";
  checkpoint.noise_digest = "4567cdef";
  checkpoint.origin = {"CC0-1.0", "folders/ünïcode", "89ab", 2};
  at::manual_seed(1);
  checkpoint.tensors = {{"kernel", at::sign(at::randn({3, 3, 5}))},
                        {"bias", at::randn({7})},
                        {"ones", at::ones({2, 2})},
                        {"odd", at::tensor(std::vector<float>{-0.0F, 1e-42F, 3.4e38F, 1.0000001F})},
                        {"none", at::zeros({0})}};
  return checkpoint;
}

// Bit for bit, whatever type the file chose to keep them in.
void expect_same(const Checkpoint& a, const Checkpoint& b) {
  EXPECT_EQ(a.position.epoch, b.position.epoch);
  EXPECT_EQ(a.position.batch, b.position.batch);
  EXPECT_EQ(a.position.step, b.position.step);
  EXPECT_EQ(a.position.loss_sums, b.position.loss_sums);
  EXPECT_EQ(a.position.best_accuracy, b.position.best_accuracy);
  EXPECT_EQ(a.position.best_epoch, b.position.best_epoch);
  EXPECT_EQ(a.position.metrics_bytes, b.position.metrics_bytes);
  EXPECT_EQ(a.recipe, b.recipe);
  EXPECT_EQ(a.clips_digest, b.clips_digest);
  EXPECT_EQ(a.noise_digest, b.noise_digest);
  EXPECT_EQ(a.origin, b.origin);
  std::vector<NamedTensor> targets;
  for (const NamedTensor& tensor : a.tensors)
    targets.push_back({tensor.name, at::full_like(tensor.value, 5)});
  ASSERT_TRUE(restore(b.tensors, targets).ok());
  for (std::size_t i = 0; i < targets.size(); ++i)
    EXPECT_EQ(std::memcmp(targets[i].value.data_ptr<float>(), a.tensors[i].value.data_ptr<float>(),
                          static_cast<std::size_t>(targets[i].value.numel()) * sizeof(float)),
              0)
        << targets[i].name;
}

class CheckpointFile : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(save_checkpoint(sample(), path_).ok()); }
  void expect_refused(ErrorCode code, const std::string& what) const {
    SCOPED_TRACE(what);
    const Expected<Checkpoint> loaded = load_checkpoint(path_);
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().code, code) << loaded.error().message;
    EXPECT_TRUE(loaded.error().message.starts_with(path_.string() + ": ")) << loaded.error().message;
    EXPECT_EQ(loaded.error().message.find('\n'), std::string::npos) << loaded.error().message;
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_.path()),
                                                  std::filesystem::directory_iterator()));
  }
  test::TempFolder folder_;
  const std::filesystem::path path_ = folder_ / "checkpoint.pt";
};

TEST_F(CheckpointFile, ComesBackAsItWas) {
  const Expected<Checkpoint> loaded = load_checkpoint(path_);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  expect_same(sample(), *loaded);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(CheckpointFile, ReplacesAnEarlierOne) {
  Checkpoint later = sample();
  later.position.epoch = 4;
  ASSERT_TRUE(save_checkpoint(later, path_).ok());
  EXPECT_EQ(load_checkpoint(path_)->position.epoch, 4);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(CheckpointFile, ThatIsMissingCutOrForeignIsRefused) {
  const std::string whole = test::read_bytes(path_);
  for (std::size_t size = 1; size < whole.size(); size += 1 + whole.size() / 40) {
    test::write_bytes(path_, whole.substr(0, size));
    expect_refused(ErrorCode::kCorrupt, "cut to " + std::to_string(size) + " bytes");
  }
  test::write_bytes(path_, whole.substr(0, whole.size() - 1));
  expect_refused(ErrorCode::kCorrupt, "a byte short");
  for (const char* foreign : {"", "I am a checkpoint, trust me.", "PK\3\4", "\x80\x02}q\x01."}) {
    test::write_bytes(path_, foreign);
    expect_refused(ErrorCode::kCorrupt, foreign);
  }
  std::filesystem::remove(path_);
  expect_refused(ErrorCode::kNotFound, "missing");
}

TEST_F(CheckpointFile, WithAFlippedBitIsRefused) {
  const std::string whole = test::read_bytes(path_);
  for (std::uint64_t i = 0; i < 400; ++i) {
    Random random{i};
    std::string flipped = whole;
    const std::size_t byte = i < 60 ? whole.size() - 1 - i : random.below(whole.size());  // the end, too
    flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << random.below(8)));
    test::write_bytes(path_, flipped);
    expect_refused(ErrorCode::kCorrupt,
                   "byte " + std::to_string(byte) + " of " + std::to_string(whole.size()));
  }
}

// The checksum is an archive's comment: other tools still find the archive.
TEST_F(CheckpointFile, IsAZipFileWithItsChecksumAsComment) {
  const std::string whole = test::read_bytes(path_);
  constexpr std::size_t kComment = 29, kEndRecord = 22;
  const std::size_t record = whole.size() - kComment - kEndRecord;
  EXPECT_EQ(whole.substr(record, 4), "PK\5\6");
  EXPECT_EQ(whole.substr(record + kEndRecord - 2, 2), std::string("\x1D\0", 2));
  EXPECT_EQ(whole.substr(record + kEndRecord, 13), "bittern-xxh3-");
}

TEST_F(CheckpointFile, ThatCannotBeWrittenLeavesNothing) {
  const std::filesystem::path nowhere = folder_ / "none" / "checkpoint.pt";
  const Status saved = save_checkpoint(sample(), nowhere);
  ASSERT_FALSE(saved.ok());
  EXPECT_EQ(saved.error().code, ErrorCode::kIo);
  EXPECT_NE(saved.error().message.find(nowhere.string()), std::string::npos);
  EXPECT_EQ(entries(), 1U);
}

// A disk that fills up, played by a limit on the size of files.
TEST_F(CheckpointFile, ThatDoesNotFitLeavesTheEarlierOne) {
  const std::string before = test::read_bytes(path_);
  Checkpoint larger = sample();
  larger.tensors.push_back({"large", at::randn({64, 1024})});
  struct rlimit limit {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  struct rlimit full = limit;
  full.rlim_cur = std::size_t{1} << 17U;
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  const Status saved = save_checkpoint(larger, path_);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  ::signal(SIGXFSZ, handler);
  ASSERT_FALSE(saved.ok());
  EXPECT_EQ(saved.error().message, path_.string() + ": cannot write: File too large");
  EXPECT_EQ(test::read_bytes(path_), before);
  EXPECT_EQ(entries(), 1U);
}

TEST(Checkpoint, OnlyTensorsOfTheSameNameAndShapeAreRestored) {
  const std::vector<NamedTensor> saved{{"a", at::ones({2, 3})}, {"b", at::full({1}, 7)}};
  const at::Tensor a = at::zeros({2, 3}), b = at::zeros({1});
  EXPECT_TRUE(restore(saved, {{"b", b}}).ok());
  EXPECT_EQ(b.item<float>(), 7);
  const Status shape = restore(saved, {{"a", at::zeros({3, 2})}});
  ASSERT_FALSE(shape.ok());
  EXPECT_EQ(shape.error().message, "checkpoint: tensor a has another shape");
  const Status missing = restore(saved, {{"a", a}, {"c", b}});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message, "checkpoint: tensor c is missing");
}

}  // namespace
}  // namespace bittern::training
