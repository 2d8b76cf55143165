// One command line in two programs: what `bittern` loads, and how it becomes `bittern-train`.
#include <regex>
#include <set>

#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

namespace fs = std::filesystem;

class Programs : public CommandLine {
 protected:
  // A folder as an installation makes it, in which bittern-train is a script that tells how it was started.
  std::string install(const std::string& script) {
    fs::create_directories(folder_ / "bin");
    fs::copy_file(BITTERN_PROGRAM, folder_ / "bin/bittern");
    if (!script.empty()) {
      write_bytes(folder_ / "bin/bittern-train", "#!/bin/sh\n" + script + "\n");
      fs::permissions(folder_ / "bin/bittern-train", fs::perms::owner_all);
    }
    return path("bin/bittern");
  }
};

// Every library that the loader brings in, also by dlopen(), while the program does its work.
std::set<std::string> loaded(const std::vector<std::string>& arguments) {
  const Finished traced = bittern(arguments, {.environment = {"LD_DEBUG=files"}});
  EXPECT_EQ(traced.status, 0) << traced.err;
  std::set<std::string> names;
  const std::regex file("file=([^ ]+) \\[0\\];  (needed|dynamically loaded) by");
  for (std::sregex_iterator i(traced.err.begin(), traced.err.end(), file), end; i != end; ++i)
    names.insert((*i)[1]);
  return names;
}

bool is_for_training(const std::string& library) {
  static const std::regex names(
      "libtorch|libc10|blas|lapack|libcaffe|libcu|libnv|libmkl|libprotobuf|libonnx|libgfortran|libhdf5|"
      "libcurl|"
      "libssl",
      std::regex::icase);
  return std::regex_search(library, names);
}

TEST_F(Programs, RunningAModelLoadsNothingOfTrainingOrImport) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"classify", model_, kSamples},
                                                    {"evaluate", model_, "--data", kSamples},
                                                    {"inspect", model_, "--self-test"},
                                                    {"--version"}}) {
    SCOPED_TRACE(arguments[0]);
    const std::set<std::string> libraries = loaded(arguments);
    EXPECT_TRUE(std::any_of(libraries.begin(), libraries.end(),
                            [](const std::string& name) { return name.starts_with("libsndfile.so"); }));
    for (const std::string& library : libraries) EXPECT_FALSE(is_for_training(library)) << library;
    EXPECT_LT(libraries.size(), 40U);
  }
}

TEST_F(Programs, TrainWithoutItsProgramSaysWhatToDo) {
  const std::string program = install("");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"train"}, {"train", "--help"}, {"train", "--data", "x", "--out", "y"}}) {
    std::vector<std::string> line{program};
    line.insert(line.end(), arguments.begin(), arguments.end());
    const Finished finished = run({.arguments = line});
    expect_failure(finished,
                   "there is no " + path("bin/bittern-train") + "; build with -DBITTERN_TRAINING=ON");
    EXPECT_EQ(finished.out, "");
  }
  const Finished help = run({.arguments = {program, "--help"}});
  EXPECT_EQ(help.status, 0);
  EXPECT_NE(help.out.find("on labelled recordings (not installed)"), std::string::npos) << help.out;
  // One that is there but cannot be run.
  write_bytes(folder_ / "bin/bittern-train", "no program");
  expect_failure(run({.arguments = {program, "train"}}), "cannot start " + path("bin/bittern-train"));
}

TEST_F(Programs, ImportWithoutItsProgramSaysWhatToDo) {
  const std::string program = install("");
  const Finished finished = run({.arguments = {program, "import", "x.h5", "--from", "larq"}});
  expect_failure(finished, "there is no " + path("bin/bittern-import") +
                               "; build with -DBITTERN_CONVERT=ON, which needs HDF5 (Debian: libhdf5-dev)");
  EXPECT_EQ(finished.out, "");
}

TEST_F(Programs, ExportToOnnxWithoutItsProgramSaysWhatToDo) {
  const std::string program = install("");
  const Finished finished =
      run({.arguments = {program, "export", model_, "--to", "onnx", "--out", path("x.onnx")}});
  expect_failure(finished, "there is no " + path("bin/bittern-onnx") + "; build with -DBITTERN_ONNX=ON");
  EXPECT_EQ(finished.out, "");
  // The other form needs nothing but bittern.
  EXPECT_EQ(run({.arguments = {program, "export", model_, "--out", path("x.bittern")}}).status, 0);
}

TEST_F(Programs, TrainPassesEverythingThrough) {
  const std::string program = install("printf '%s\\n' \"$@\"; cat; echo so >&2; exit 7");
  write_bytes(path("input"), "typed\n");
  const Finished finished =
      run({.arguments = {program, "train", "--data", "a b", "", "--", "classify", "--help", "*"},
           .input = path("input")});
  EXPECT_EQ(finished.status, 7);
  EXPECT_EQ(finished.out, "--data\na b\n\n--\nclassify\n--help\n*\ntyped\n");
  EXPECT_EQ(finished.err, "so\n");
}

TEST_F(Programs, TrainEndsBySignalsAsItsProgramDoes) {
  const std::string program = install("kill -TERM $$");
  EXPECT_EQ(run({.arguments = {program, "train"}}).signal, SIGTERM);
}

TEST_F(Programs, TrainIsFoundFromALinkAndFromThePath) {
  const std::string program = install("echo found");
  fs::create_directories(folder_ / "links");
  fs::create_symlink(program, folder_ / "links/bittern");
  EXPECT_EQ(run({.arguments = {path("links/bittern"), "train"}}).out, "found\n");
  EXPECT_EQ(run({.arguments = {"sh", "-c", "cd / && PATH='" + path("links") + "' exec bittern train"}}).out,
            "found\n");
}

#ifdef BITTERN_HAS_TRAINING
TEST_F(Programs, TrainReadsAsACommandOfBittern) {
  const Finished help = bittern({"train", "--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_EQ(help.err, "");
  EXPECT_NE(help.out.find("Usage: bittern train [OPTIONS]\n"), std::string::npos) << help.out;
  expect_wrong_usage(bittern({"train"}), "(see bittern train --help)");
  expect_wrong_usage(bittern({"train", "--sing"}), "(see bittern train --help)");
  const std::string general = bittern({"--help"}).out;
  EXPECT_NE(general.find("on labelled recordings\n"), std::string::npos) << general;
  // libtorch is where it is needed: what looks for it above would see it.
  const std::set<std::string> libraries = loaded({"train", "--help"});
  EXPECT_TRUE(std::any_of(libraries.begin(), libraries.end(), is_for_training));
}
#endif

}  // namespace
}  // namespace bittern::test
