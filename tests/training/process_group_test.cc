#include "training/process_group.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "training/ranks.h"

namespace bittern::training {
namespace {

std::vector<at::Tensor> tensors_of(int rank) {
  const auto value = [&](std::int64_t count) { return at::arange(count, at::kFloat) * 0.37 + rank * 1.7; };
  return {value(7), value(30).view({5, 6}).t(), value(1)};  // one of them not contiguous
}

TEST(ProcessGroup, AloneNothingChanges) {
  ProcessGroup alone;
  EXPECT_EQ(alone.size(), 1);
  EXPECT_TRUE(alone.is_first());
  const std::vector<at::Tensor> tensors = tensors_of(3), before = tensors_of(3);
  EXPECT_TRUE(alone.average(tensors, 0.5).ok());
  EXPECT_TRUE(alone.broadcast(tensors).ok());
  for (std::size_t i = 0; i < tensors.size(); ++i) EXPECT_TRUE(at::equal(tensors[i], before[i]));
  EXPECT_EQ(alone.gather("me").value(), std::vector<std::string>{"me"});
  EXPECT_EQ(alone.from_first("me").value(), "me");
  EXPECT_TRUE(alone.any(true).value());
  EXPECT_FALSE(alone.any(false).value());
  alone.fail(io_error("nobody hears"));
  EXPECT_TRUE(alone.finish().ok());
}

TEST(ProcessGroup, AveragesToTheSameBitsOnEveryRank) {
  for (const int size : {2, 4}) {
    std::vector<std::vector<at::Tensor>> found(static_cast<std::size_t>(size));
    const auto share = [&](int rank) { return 2.0 * (rank + 1) / (size * (size + 1)); };
    as_ranks(size, [&](ProcessGroup& group) {
      const std::vector<at::Tensor> tensors = tensors_of(group.rank());
      EXPECT_TRUE(group.average(tensors, share(group.rank())).ok());
      found[static_cast<std::size_t>(group.rank())] = tensors;
      EXPECT_TRUE(group.finish().ok());
    });
    for (std::size_t i = 0; i < found[0].size(); ++i) {
      at::Tensor expected = at::zeros_like(found[0][i]);
      for (int rank = 0; rank < size; ++rank) expected += tensors_of(rank)[i] * share(rank);
      EXPECT_TRUE(at::allclose(found[0][i], expected, 1e-5, 1e-6));
      for (const std::vector<at::Tensor>& other : found) EXPECT_TRUE(at::equal(other[i], found[0][i]));
    }
  }
}

TEST(ProcessGroup, SharesTextsCountsAndTensors) {
  as_ranks(4, [](ProcessGroup& group) {
    ASSERT_EQ(group.size(), 4);
    const std::string own(static_cast<std::size_t>(group.rank()) * 1000,
                          static_cast<char>('a' + group.rank()));
    const std::vector<std::string> all = group.gather(own).value();
    ASSERT_EQ(all.size(), 4U);
    for (std::size_t rank = 0; rank < 4; ++rank)
      EXPECT_EQ(all[rank], std::string(rank * 1000, static_cast<char>('a' + rank)));
    EXPECT_EQ(group.from_first(group.is_first() ? "settled" : "mine").value(), "settled");
    std::vector<std::int64_t> counts{group.rank(), 1};
    EXPECT_TRUE(group.sum(counts).ok());
    EXPECT_EQ(counts, (std::vector<std::int64_t>{6, 4}));
    EXPECT_TRUE(group.any(group.rank() == 2).value());
    EXPECT_FALSE(group.any(false).value());
    const std::vector<at::Tensor> tensors = tensors_of(group.rank()), first = tensors_of(0);
    EXPECT_TRUE(group.broadcast(tensors).ok());
    for (std::size_t i = 0; i < tensors.size(); ++i) EXPECT_TRUE(at::equal(tensors[i], first[i]));
    EXPECT_TRUE(group.finish().ok());
  });
}

void expect_error(const Status& status, const std::string& what, ErrorCode code = ErrorCode::kIo) {
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, code);
  EXPECT_NE(status.error().message.find(what), std::string::npos) << status.error().message;
}

TEST(ProcessGroup, AFailureIsToldToAll) {
  for (const int failing : {0, 1, 3}) {
    as_ranks(4, [&](ProcessGroup& group) {
      EXPECT_FALSE(group.any(false).value());
      if (group.rank() == failing) return group.fail(io_error("the disk is full"));
      const std::string what = "rank " + std::to_string(failing) + " of 4 ended: the disk is full";
      expect_error(group.finish(), what);
      // Whatever is asked afterwards.
      std::vector<std::int64_t> counts{1};
      expect_error(group.sum(counts), what);
    });
  }
}

TEST(ProcessGroup, AnInterruptionIsToldAsSuch) {
  as_ranks(2, [](ProcessGroup& group) {
    if (group.rank() == 1) return group.fail({ErrorCode::kCancelled, "interrupted"});
    expect_error(group.finish(), "rank 1 of 2 ended: interrupted", ErrorCode::kCancelled);
  });
}

TEST(ProcessGroup, ALostRankIsNamed) {
  for (const int size : {2, 4}) {
    for (const int lost : {0, size - 1}) {
      as_ranks(size, [&](ProcessGroup& group) {
        EXPECT_FALSE(group.any(false).value());
        if (group.rank() == lost) {
          const ProcessGroup gone = std::move(group);
          return;
        }
        const std::string rank = "rank " + std::to_string(lost) + " of " + std::to_string(size);
        expect_error(group.finish(), rank + " is gone; start all again with --resume");
      });
    }
  }
}

TEST(ProcessGroup, ARankThatDoesNotAnswerIsNamed) {
  ProcessGroup::Settings settings = patient();
  settings.timeout = std::chrono::seconds(5);  // for all to come, too
  as_ranks(
      2,
      [](ProcessGroup& group) {
        if (group.rank() == 1) std::this_thread::sleep_for(std::chrono::seconds(8));
        if (group.rank() == 0) expect_error(group.finish(), "rank 1 of 2 did not answer in time");
      },
      settings);
}

// The errors of all who try to connect, in their order.
std::vector<std::string> refusals(const std::vector<Launch>& launches,
                                  const ProcessGroup::Settings& settings) {
  std::vector<std::string> errors(launches.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < launches.size(); ++i) {
    threads.emplace_back([&, i] {
      const Expected<ProcessGroup> group = ProcessGroup::connect(launches[i], settings);
      EXPECT_FALSE(group.ok());
      if (!group.ok()) errors[i] = group.error().message;
    });
  }
  threads.clear();
  return errors;
}

TEST(ProcessGroup, RefusesRanksThatDoNotFitTogether) {
  const std::uint16_t port = test::free_port();
  for (const std::string& error :
       refusals({{0, 3, "127.0.0.1", port}, {1, 3, "127.0.0.1", port}, {1, 3, "127.0.0.1", port}}, patient()))
    EXPECT_EQ(error, "RANK=1 is given to two processes");
  const std::uint16_t other = test::free_port();
  for (const std::string& error :
       refusals({{0, 2, "127.0.0.1", other}, {1, 3, "127.0.0.1", other}}, patient()))
    EXPECT_EQ(error, "WORLD_SIZE=3 at rank 1, but 2 at rank 0");
}

TEST(ProcessGroup, DoesNotWaitForEver) {
  ProcessGroup::Settings settings;
  settings.timeout = std::chrono::seconds(1);
  const std::uint16_t port = test::free_port();
  EXPECT_EQ(refusals({{0, 2, "127.0.0.1", port}}, settings)[0], "rank 1 of 2 did not come within 1 s");
  EXPECT_NE(refusals({{1, 2, "127.0.0.1", port}}, settings)[0].find("does rank 0 run on that machine?"),
            std::string::npos);
  settings.timeout = std::chrono::hours(1);
  settings.stop = [] { return true; };
  EXPECT_EQ(refusals({{0, 2, "127.0.0.1", port}}, settings)[0], "interrupted while waiting for rank 1 of 2");
  EXPECT_EQ(refusals({{1, 2, "127.0.0.1", port}}, settings)[0], "interrupted while waiting for rank 0");
}

}  // namespace
}  // namespace bittern::training
