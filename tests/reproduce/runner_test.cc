#include "reproduce/runner.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "reproduce/support.h"

namespace bittern::reproduce {
namespace {

class Runner : public InFolder {
 protected:
  // A program in bittern-train's place, which finds --out's argument in $out.
  std::filesystem::path program(const std::string& body) const {
    const std::filesystem::path file =
        write("train",
              "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = --out ] && out=$2; shift; done\n" + body + "\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
  }
  static constexpr const char* kTrains =
      "echo run >> $out/started\n"
      "printf '{\"time_s\":1}\\n{\"time_s\":1}\\n' > $out/metrics.jsonl; : > $out/best.bittern";

  std::size_t finished(const Experiment& of) const {
    const std::vector<reproduce::Run> runs = of.runs();
    return static_cast<std::size_t>(std::count_if(
        runs.begin(), runs.end(), [&](const reproduce::Run& run) { return state_of(out(), of, run).done; }));
  }
};

TEST_F(Runner, StatesAreReadFromTheFolder) {
  const Experiment of = experiment();
  const reproduce::Run run = of.runs().front();
  EXPECT_EQ(state_of(out(), of, run).epochs, 0);
  pretend(of, run, 1, 2.5);
  EXPECT_EQ(state_of(out(), of, run).epochs, 1);
  EXPECT_DOUBLE_EQ(state_of(out(), of, run).seconds, 2.5);
  EXPECT_FALSE(state_of(out(), of, run).done);
  pretend(of, run, 2, 2.5);
  EXPECT_TRUE(state_of(out(), of, run).done);
  write("out/runs/" + of.name(run) + "/metrics.jsonl", "{\"time_s\":1}\n{\"time_s\"");  // cut off
  EXPECT_EQ(state_of(out(), of, run).epochs, 1);
}

TEST_F(Runner, CommandsSayAllThatTheRunIs) {
  const Experiment of = experiment();
  const auto command = command_of(of, out(), of.runs()[4], "bittern-train");
  const auto follows = [&](const std::string& option, const std::string& value) {
    const auto at = std::find(command.begin(), command.end(), option);
    return at != command.end() && at + 1 != command.end() && *(at + 1) == value;
  };
  EXPECT_EQ(command.front(), "bittern-train");
  EXPECT_TRUE(follows("--data", "/root/a/words"));
  EXPECT_TRUE(follows("--noise", "/root/noise"));
  EXPECT_TRUE(follows("--architecture", "quicknet"));
  EXPECT_TRUE(follows("--single-exit", "1"));
  EXPECT_TRUE(follows("--seed", "3"));
  EXPECT_TRUE(follows("--epochs", "2"));
  EXPECT_TRUE(follows("--threads", "1"));
  EXPECT_TRUE(follows("--exit-pool", "global"));
  const auto joint = command_of(of, out(), of.runs()[0], "bittern-train");
  EXPECT_EQ(std::find(joint.begin(), joint.end(), "--single-exit"), joint.end());
}

TEST_F(Runner, RunsAllOnceAndNoneTwice) {
  const Experiment of = experiment();
  pretend(of, of.runs().front(), 2, 1);
  RunnerOptions options;
  options.train_program = program(kTrains);
  options.jobs = 3;
  for (int again = 0; again < 2; ++again) {
    const auto result = train_all(of, out(), options);
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_TRUE(result->failed.empty());
    EXPECT_EQ(finished(of), of.runs().size());
  }
  EXPECT_FALSE(std::filesystem::exists(out().run(of.name(of.runs().front())) / "started"));
  EXPECT_EQ(std::filesystem::file_size(out().run(of.name(of.runs().back())) / "started"), 4U) << "once";
}

TEST_F(Runner, OneThatFailsStopsNoOther) {
  const Experiment of = experiment();
  RunnerOptions options;
  options.jobs = 4;
  options.train_program = program(
      "case $out in *words/quicknet/exit-2*) echo 'it broke' >&2; exit 1;; esac\n" + std::string(kTrains));
  const auto result = train_all(of, out(), options);
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_EQ(result->failed.size(), 2U) << "both seeds";
  EXPECT_EQ(result->failed.front(), "words/quicknet/exit-2/seed-3: it broke");
  EXPECT_EQ(finished(of), of.runs().size() - 2);
}

TEST_F(Runner, StopsWhatRunsWhenToldTo) {
  const Experiment of = experiment();
  RunnerOptions options;
  options.jobs = 2;
  options.train_program = program(
      "trap ': > $out/stopped; exit 130' INT; : > $out/started\n"
      "while :; do sleep 0.05; done");
  const auto running = [&](std::size_t i) {
    return std::filesystem::exists(out().run(of.name(of.runs()[i])) / "started");
  };
  options.progress = [&](std::size_t, std::size_t, const std::string&) {
    return !(running(0) && running(1));
  };
  const auto result = train_all(of, out(), options);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(std::filesystem::exists(out().run(of.name(of.runs()[i])) / "stopped")) << i;
}

#ifdef __linux__
// Whatever ends us: nobody could stop it any more.
TEST_F(Runner, NoTrainingOutlivesIt) {
  const Experiment of = experiment();
  RunnerOptions options;
  options.train_program =
      program("echo $$ > $out/started.new; mv $out/started.new $out/started; exec sleep 300");
  const pid_t runner = ::fork();
  ASSERT_GE(runner, 0);
  if (runner == 0) {
    static_cast<void>(train_all(of, out(), options));
    ::_exit(0);
  }
  const std::filesystem::path started = out().run(of.name(of.runs().front())) / "started";
  const auto soon = [](const auto& condition) {
    for (int look = 0; look < 500 && !condition(); ++look)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return condition();
  };
  ASSERT_TRUE(soon([&] { return std::filesystem::exists(started); }));
  pid_t training = 0;
  std::ifstream(started) >> training;
  ASSERT_GT(training, 0);
  ::kill(runner, SIGKILL);
  ASSERT_EQ(::waitpid(runner, nullptr, 0), runner);
  const bool gone = soon([&] {
    // It may be left as a zombie where nobody waits for orphans.
    std::string text;
    std::getline(std::ifstream("/proc/" + std::to_string(training) + "/stat"), text);
    return text.empty() || text.find(") Z ") != std::string::npos;
  });
  EXPECT_TRUE(gone);
  if (!gone) ::kill(training, SIGKILL);
}
#endif

TEST_F(Runner, AProgramThatIsMissingIsAnError) {
  RunnerOptions options;
  options.train_program = folder_ / "none";
  const auto result = train_all(experiment(), out(), options);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find("none"), std::string::npos);
}

}  // namespace
}  // namespace bittern::reproduce
