// Model files that are damaged, foreign or hostile, under every command that opens one.
#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

class BadModel : public CommandLine {
 protected:
  // `status` 1 and one line that names the file, whatever the command.
  void expect_refused(const std::string& name, bool all_commands = true) {
    SCOPED_TRACE(name);
    expect_failure(bittern({"classify", path(name), kSamples}), name);
    if (!all_commands) return;
    expect_failure(bittern({"evaluate", path(name), "--data", kSamples}), name);
    expect_failure(bittern({"inspect", path(name)}), name);
    expect_failure(bittern({"inspect", path(name), "--self-test", "--json"}), name);
  }
};

TEST_F(BadModel, WhatIsNoModelIsRefused) {
  write_bytes(path("empty.bittern"), "");
  write_bytes(path("text.bittern"), "I am a model, trust me.\n");
  write_bytes(path("foreign.bittern"), std::string("\x1C\0\0\0TFL3", 8) + std::string(5000, '\x7F'));
  write_bytes(path("name-only.bittern"), std::string("\x10\0\0\0BTRN", 8) + std::string(5000, '\xFF'));
  write_bytes(path("zeros.bittern"), std::string(4096, '\0'));
  std::filesystem::create_directories(folder_ / "folder.bittern");
  for (const char* name : {"empty.bittern", "text.bittern", "foreign.bittern", "name-only.bittern",
                           "zeros.bittern", "folder.bittern", "gone.bittern"})
    expect_refused(name);
}

TEST_F(BadModel, AFileBeyondTheLimitIsRefusedUnread) {
  write_bytes(path("huge.bittern"), read_bytes(model_));
  std::filesystem::resize_file(folder_ / "huge.bittern", std::uintmax_t{1} << 40U);  // sparse
  expect_refused("huge.bittern");
}

TEST_F(BadModel, EveryTruncationIsRefused) {
  const std::string whole = read_bytes(model_);
  for (const std::size_t size : {std::size_t{1}, std::size_t{4}, std::size_t{8}, std::size_t{60},
                                 whole.size() / 3, whole.size() / 2, whole.size() - 64, whole.size() - 1}) {
    write_bytes(path("cut.bittern"), whole.substr(0, size));
    expect_refused("cut.bittern", false);
  }
  write_bytes(path("longer.bittern"), whole + "x");
  expect_refused("longer.bittern", false);
}

TEST_F(BadModel, EveryFlippedBitIsNoticed) {
  const std::string whole = read_bytes(model_);
  for (std::size_t i = 0; i < 40; ++i) {
    std::string flipped = whole;
    const std::size_t byte = i * (whole.size() - 1) / 39;
    flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << (i % 8)));
    write_bytes(path("flipped.bittern"), flipped);
    SCOPED_TRACE("byte " + std::to_string(byte));
    expect_refused("flipped.bittern", false);
  }
}

}  // namespace
}  // namespace bittern::test
