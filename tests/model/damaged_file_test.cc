// Files that were cut, changed on the way, or never were models: always an error that says so, never a crash.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/aligned.h"
#include "core/random.h"
#include "model/editable_file.h"
#include "model/random_model.h"

namespace bittern::model {
namespace {

namespace fs = std::filesystem;

std::string message(const Expected<std::shared_ptr<const Model>>& model) {
  return model.ok() ? "read without an error" : model.error().message;
}

std::vector<std::byte> tiny_file() { return serialize(*random_model(tiny_network(), 5)).value(); }

TEST(DamagedFile, CutAtAnyLengthIsRefused) {
  const std::vector<std::byte> file = tiny_file();
  for (std::size_t length = 0; length < file.size(); ++length) {
    const auto model = read_copy(std::span(file).first(length));
    ASSERT_FALSE(model.ok()) << "cut to " << length << " of " << file.size();
  }
}

TEST(DamagedFile, ACutFileIsCalledTruncatedWithBothLengths) {
  const std::vector<std::byte> file = tiny_file();
  for (const std::size_t length : {file.size() - 1, file.size() / 2, std::size_t{1024}}) {
    const std::string text = message(read_copy(std::span(file).first(length)));
    EXPECT_NE(text.find("truncated"), std::string::npos) << text;
    EXPECT_NE(text.find(std::to_string(length)), std::string::npos) << text;
    EXPECT_NE(text.find(std::to_string(file.size())), std::string::npos) << text;
  }
}

TEST(DamagedFile, BytesBehindTheEndAreRefused) {
  std::vector<std::byte> file = tiny_file();
  file.resize(file.size() + 64);
  EXPECT_NE(message(read_copy(file)).find("bytes follow its end"), std::string::npos);
}

TEST(DamagedFile, EveryFlippedBitIsNoticed) {
  EditableFile file(tiny_file());
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      file.bytes()[at] ^= std::byte{1} << bit;
      ASSERT_FALSE(read(file.bytes()).ok()) << "byte " << at << " bit " << bit;
      file.bytes()[at] ^= std::byte{1} << bit;
    }
  }
  ASSERT_TRUE(read(file.bytes()).ok());
}

TEST(DamagedFile, FlippedBitsOfALargeFileAreNoticed) {
  graph::BuildOptions options;
  options.architecture = "quicknet";
  options.classes = 12;
  EditableFile file(*random_model(graph::build(options).value(), 1));
  Random random{1};
  for (int i = 0; i < 60; ++i) {
    const std::size_t at = random.below(file.size());
    const std::byte mask = std::byte{1} << static_cast<unsigned>(random.below(8));
    file.bytes()[at] ^= mask;
    ASSERT_FALSE(read(file.bytes()).ok()) << "byte " << at;
    file.bytes()[at] ^= mask;
  }
}

TEST(DamagedFile, ADamagedWeightIsCalledDamaged) {
  EditableFile file(tiny_file());
  const std::byte* weight = nullptr;
  for (const schema::Layer* layer : *file.root()->layers()) {
    for (const schema::Tensor* tensor : *layer->tensors())
      weight = reinterpret_cast<const std::byte*>(tensor->data()->data());
  }
  file.bytes()[static_cast<std::size_t>(weight - file.bytes().data())] ^= std::byte{1};
  EXPECT_NE(message(read(file.bytes())).find("checksum"), std::string::npos);
}

TEST(DamagedFile, ANewerMajorVersionIsRefusedWithBothVersionsNamed) {
  EditableFile file(tiny_file());
  file.set_header({kFormatMajor + 1, 7, file.size(), 0});
  const auto model = read(file.bytes());  // unsealed: the version comes before the checksum
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(model.error().message.find(std::to_string(kFormatMajor + 1) + ".7"), std::string::npos);
  EXPECT_NE(model.error().message.find(std::to_string(kFormatMajor) + "." + std::to_string(kFormatMinor)),
            std::string::npos);
}

// A later major version may change all but the header's place in the root table.
TEST(DamagedFile, AnotherLayoutBehindTheHeaderOfANewerVersionIsNotLookedAt) {
  flatbuffers::FlatBufferBuilder builder;
  const schema::Header header(9, 3, 0, 0);
  builder.Finish(schema::CreatePreamble(builder, &header), schema::ModelIdentifier());
  const std::span bytes(reinterpret_cast<const std::byte*>(builder.GetBufferPointer()), builder.GetSize());
  EXPECT_NE(message(read_copy(bytes)).find("9.3"), std::string::npos);
}

TEST(DamagedFile, ANewerMinorVersionIsRead) {
  EditableFile file(tiny_file());
  file.set_header({kFormatMajor, kFormatMinor + 1, file.size(), 0});
  file.seal();
  EXPECT_TRUE(read(file.bytes()).ok()) << message(read(file.bytes()));
}

TEST(DamagedFile, VersionZeroIsRefused) {
  EditableFile file(tiny_file());
  file.set_header({0, 0, file.size(), 0});
  file.seal();
  EXPECT_FALSE(read(file.bytes()).ok());
}

TEST(DamagedFile, UnalignedMemoryIsRefusedWithTheReason) {
  const std::vector<std::byte> file = tiny_file();
  AlignedBuffer<std::byte> memory(std::size_t{1} << 20U);
  ASSERT_LT(file.size() + 8, memory.size());
  std::copy(file.begin(), file.end(), memory.data() + 8);
  const auto model = read(memory.span().subspan(8, file.size()));
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(model.error().message.find("multiple of 64"), std::string::npos);
}

TEST(DamagedFile, MoreBytesThanTheLimitAreRefused) {
  const std::vector<std::byte> bytes(kMaxFileBytes + 1);
  EXPECT_NE(message(read_copy(bytes)).find("limit"), std::string::npos);
}

class ForeignFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("bittern-foreign-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path with(const std::string& text) const {
    std::ofstream(folder_ / "file", std::ios::binary) << text;
    return folder_ / "file";
  }
  fs::path folder_;
};

TEST_F(ForeignFile, IsNamedAndCalledNotABitternModel) {
  for (const std::string& text :
       {std::string("x"), std::string("seven by"), std::string("label,file\nyes,1.wav\n"),
        std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1", 24), std::string(4096, '\0')}) {
    const auto model = open(with(text));
    ASSERT_FALSE(model.ok());
    EXPECT_EQ(model.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(model.error().message.find("not a Bittern model"), std::string::npos) << model.error().message;
    EXPECT_EQ(model.error().message.find((folder_ / "file").string()), 0U) << model.error().message;
  }
}

TEST_F(ForeignFile, WithTheIdentifierAloneIsRefused) {
  for (const std::string& start : {std::string("\x0c\0\0\0BTRN", 8),
                                   std::string("\xff\xff\xff\x7f"
                                               "BTRN"),
                                   std::string("\0\0\0\0BTRN", 8), std::string("\x04\0\0\0BTRN", 8)}) {
    EXPECT_FALSE(open(with(start)).ok());
    EXPECT_FALSE(open(with(start + std::string(1000, '\xff'))).ok());
    EXPECT_FALSE(open(with(start + std::string(1000, '\0'))).ok());
  }
}

TEST_F(ForeignFile, FoldersEmptyMissingLargeAndEndlessFilesAreRefused) {
  EXPECT_FALSE(open(folder_).ok());
  EXPECT_FALSE(open(with("")).ok());
  EXPECT_EQ(open(folder_ / "none").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(open("/dev/zero").ok());
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(open(folder_ / "pipe").ok());  // and it does not wait for a writer
  with("BTRN");
  fs::resize_file(folder_ / "file", kMaxFileBytes + 1);
  EXPECT_FALSE(open(folder_ / "file").ok());
}

}  // namespace
}  // namespace bittern::model
