// `bittern train` as several processes that train one model, started as torchrun starts them.
#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "end_to_end/command_line.h"
#include "end_to_end/tones.h"
#include "training/free_port.h"

namespace bittern::test {
namespace {

namespace fs = std::filesystem;

constexpr int kKilled = 128 + SIGKILL;  // as a shell says it

class Processes : public ToneTraining {
 protected:
  // What one rank needs beside its command line.
  struct Rank {
    std::vector<std::string> before = {};  // words before the program
    std::vector<std::string> more = {};    // options
    std::string run = "run";
    std::string kill_at = {};  // killed as soon as this file is there
  };

  // All ranks at once, to their ends.
  std::vector<Finished> train(const std::vector<Rank>& ranks, const std::string& address = "127.0.0.1",
                              const std::vector<std::string>& more = {}) const {
    const std::string port = std::to_string(free_port());
    std::vector<Finished> finished(ranks.size());
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      threads.emplace_back([&, i] {
        std::vector<std::string> options{"--architecture", "quicknet-small"};
        options.insert(options.end(), more.begin(), more.end());
        options.insert(options.end(), ranks[i].more.begin(), ranks[i].more.end());
        Start start;
        start.arguments = ranks[i].before;
        if (!ranks[i].kill_at.empty()) {
          const std::string killer =
              "\"$@\" & child=$!; while ! [ -e \"$KILL_AT\" ] && kill -0 $child; do sleep 0.1; done; "
              "kill -KILL $child; wait $child";
          for (const std::string& word : {std::string("sh"), std::string("-c"), killer, std::string("sh")})
            start.arguments.push_back(word);
        }
        start.arguments.emplace_back(BITTERN_PROGRAM);
        for (const std::string& word : arguments(ranks[i].run, options)) start.arguments.push_back(word);
        start.environment = {"RANK=" + std::to_string(i),
                             "WORLD_SIZE=" + std::to_string(ranks.size()),
                             "LOCAL_RANK=" + std::to_string(i),
                             "MASTER_ADDR=" + address,
                             "MASTER_PORT=" + port,
                             "KILL_AT=" + path(ranks[i].kill_at)};
        finished[i] = run(start);
      });
    }
    threads.clear();
    return finished;
  }

  bool exists(std::string_view name) const { return fs::exists(folder_ / name); }
};

void expect_trained(const std::vector<Finished>& ranks) {
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    EXPECT_EQ(ranks[i].status, 0) << "rank " << i << ": " << ranks[i].err;
    EXPECT_EQ(ranks[i].out.empty(), i != 0) << "rank " << i << ": " << ranks[i].out;
    EXPECT_EQ(ranks[i].err.find("libtorch"), std::string::npos) << ranks[i].err;
  }
}

// A kill of rank 1 in mid-run, and what comes of it.
TEST_F(Processes, TwoTrainOneModelAndGoOnAfterALoss) {
  expect_trained(train({{.run = "whole"}, {.run = "elsewhere"}}));
  EXPECT_FALSE(exists("elsewhere"));  // rank 0 alone writes
  EXPECT_EQ(json_lines(read_bytes(path("whole/metrics.jsonl"))).size(), 3U);
  EXPECT_EQ(nlohmann::json::parse(read_bytes(path("whole/recipe.json")))["processes"], 2);
  EXPECT_EQ(bittern({"export", path("whole"), "--out", path("tones.bittern")}).status, 0);
  EXPECT_EQ(bittern({"inspect", path("tones.bittern"), "--self-test"}).status, 0);

  const std::vector<Finished> broken = train({{}, {.kill_at = "run/metrics.jsonl"}});
  EXPECT_EQ(broken[1].status, kKilled) << broken[1].err;
  EXPECT_EQ(broken[0].status, 1);
  EXPECT_NE(
      broken[0].err.find("bittern: rank 1 of 2 is gone; start all again with --resume to go on from the "
                         "last checkpoint\n"),
      std::string::npos)
      << broken[0].err;
  ASSERT_TRUE(exists("run/checkpoint.pt"));

  // Not as another training.
  expect_failure(bittern(arguments("run", {"--architecture", "quicknet-small", "--resume", "--quiet"})),
                 "the run was started with processes (2, not 1)");
  expect_trained(train({{.more = {"--resume"}}, {.more = {"--resume"}}}));
  EXPECT_EQ(read_bytes(path("run/best.bittern")), read_bytes(path("whole/best.bittern")));
}

TEST_F(Processes, FourTrainOneModel) {
  const std::vector<std::string> brief{"--epochs", "2", "--mixup", "0.3", "--exit-weighting", "learned"};
  expect_trained(train({{}, {}, {}, {}}, "localhost", brief));
  ASSERT_EQ(bittern({"export", path("run"), "--out", path("tones.bittern")}).status, 0);
  EXPECT_EQ(bittern({"evaluate", path("tones.bittern"), "--data", path("data")}).status, 0);
}

TEST_F(Processes, FourEndWhereOneIsLost) {
  const std::vector<Finished> lost =
      train({{}, {}, {.kill_at = "run/checkpoint.pt"}, {}}, "127.0.0.1", {"--epochs", "500", "--quiet"});
  for (const std::size_t rank : {0U, 1U, 3U})
    expect_failure(lost[rank], "rank 2 of 4 is gone; start all again with --resume");
}

TEST_F(Processes, TheLossOfRank0EndsTheOthers) {
  const std::vector<Finished> lost =
      train({{.kill_at = "run/checkpoint.pt"}, {}}, "127.0.0.1", {"--epochs", "500"});
  EXPECT_EQ(lost[0].status, kKilled);
  expect_failure(lost[1], "rank 0 of 2 is gone; start all again with --resume");
}

// One line from the rank that is to blame, and from each other one that says so.
TEST_F(Processes, WhatDoesNotFitTogetherEndsAll) {
  std::vector<Finished> ranks = train({{}, {.more = {"--learning-rate", "0.5"}}}, "127.0.0.1", {"--quiet"});
  expect_failure(ranks[0], "rank 1 of 2 ended: rank 0 was started with learning_rate (0.004, not 0.5)");
  expect_failure(ranks[1],
                 "rank 0 was started with learning_rate (0.004, not 0.5); give all the same options");

  ranks = train({{}, {}}, "127.0.0.1", {"--batch", "3", "--overwrite", "--quiet"});
  for (const Finished& rank : ranks)
    expect_failure(rank, "a batch of 3 clips over 2 processes: each needs 2 or more");

  fs::copy(folder_ / "data", folder_ / "other", fs::copy_options::recursive);
  fs::copy_file(folder_ / "data/train/low/s0_1.wav", folder_ / "other/train/low/s1_1.wav",
                fs::copy_options::overwrite_existing);
  ranks = train({{}, {.more = {"--data", path("other")}}}, "127.0.0.1", {"--quiet", "--overwrite"});
  for (const Finished& rank : ranks)
    expect_failure(rank, "rank 1: other clips or other noise than at rank 0");

  fs::create_directories(folder_ / "mine");
  std::ofstream(folder_ / "mine" / "thesis.txt") << "keep";
  ranks = train({{.run = "mine"}, {}});
  expect_failure(ranks[0], "mine: is not empty");
  expect_failure(ranks[1], "rank 0 of 2 ended: ");
  EXPECT_EQ(read_bytes(path("mine/thesis.txt")), "keep");
}

TEST_F(Processes, AnEnvironmentThatMakesNoSenseIsRefused) {
  Start start;
  start.environment = {"WORLD_SIZE=2", "RANK=2", "MASTER_ADDR=127.0.0.1", "MASTER_PORT=29500"};
  expect_failure(bittern(arguments("run"), start), "RANK='2': must be a number from 0 to 1");
  start.environment = {"WORLD_SIZE=two"};
  expect_failure(bittern(arguments("run"), start), "WORLD_SIZE='two': must be a number");
  EXPECT_FALSE(exists("run"));
}

// Two network namespaces with a cable between them.
class TwoHosts : public Processes {
 protected:
  void SetUp() override {
    Processes::SetUp();
    const std::string id = std::to_string(::getpid());
    names_ = {"bittern-a" + id, "bittern-b" + id};
    const Finished made =
        shell("set -e; ip netns add " + names_[0] + "; ip netns add " + names_[1] + "; ip -n " + names_[0] +
              " link add cable type veth peer name cable netns " + names_[1] + "; for host in 1 2; do " +
              "name=$([ $host = 1 ] && echo " + names_[0] + " || echo " + names_[1] + "); " +
              "ip -n $name addr add 10.77.0.$host/24 dev cable; ip -n $name link set lo up; " +
              "ip -n $name link set cable up; done");
    if (made.status != 0) GTEST_SKIP() << "no network namespaces here: " << made.err;
  }
  void TearDown() override {
    for (const std::string& name : names_) static_cast<void>(shell("ip netns del " + name));
  }
  std::vector<std::string> on(int host) const {
    return {"ip", "netns", "exec", names_[static_cast<std::size_t>(host)]};
  }
  std::vector<std::string> names_;
};

TEST_F(TwoHosts, TrainAsOneHostDoes) {
  expect_trained(train({{.before = on(0)}, {.before = on(1)}}, "10.77.0.1"));
  expect_trained(train({{.run = "one"}, {}}));
  EXPECT_EQ(read_bytes(path("run/best.bittern")), read_bytes(path("one/best.bittern")));
}

// No connection is closed: only time tells.
TEST_F(TwoHosts, ACutCableEndsBoth) {
  using Clock = std::chrono::steady_clock;
  std::atomic<Clock::time_point> cut;
  const std::jthread cutter([&](const std::stop_token& stop) {
    while (!exists("run/checkpoint.pt") && !stop.stop_requested())
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(shell("ip -n " + names_[1] + " link set cable down").status, 0);
    cut = Clock::now();
  });
  const std::vector<Finished> ranks = train({{.before = on(0)}, {.before = on(1)}}, "10.77.0.1",
                                            {"--epochs", "500", "--quiet", "--rank-timeout", "10"});
  expect_failure(ranks[0], "rank 1 of 2 did not answer in time; start all again with --resume");
  expect_failure(ranks[1], "rank 0 of 2 did not answer in time; start all again with --resume");
  EXPECT_LT(Clock::now() - cut.load(), std::chrono::seconds(19));  // not the time-out twice
}

}  // namespace
}  // namespace bittern::test
