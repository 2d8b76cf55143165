#include "training/rendezvous.h"

#include <gtest/gtest.h>

#include "training/free_port.h"

namespace bittern::training {
namespace {

using Clock = std::chrono::steady_clock;

// Listens on a port of its own.
class Listener {
 public:
  explicit Listener(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(port);
    EXPECT_EQ(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
    EXPECT_EQ(::listen(socket_.number(), 8), 0);
  }

 private:
  Descriptor socket_;
};

TEST(Rendezvous, FindsWhoListensAndItsOwnAddress) {
  const std::uint16_t port = test::free_port();
  const Listener listener(port);
  for (const char* name : {"127.0.0.1", "localhost"}) {
    const auto own = reach(name, port, Clock::now() + std::chrono::seconds(20), nullptr);
    ASSERT_TRUE(own.ok()) << own.error().message;
    EXPECT_EQ(*own, "127.0.0.1");
  }
}

TEST(Rendezvous, GivesUpAtItsDeadlineOrWhenTold) {
  const std::uint16_t port = test::free_port();
  auto own = reach("127.0.0.1", port, Clock::now() + std::chrono::milliseconds(100), nullptr);
  ASSERT_FALSE(own.ok());
  EXPECT_NE(own.error().message.find("nobody listens there"), std::string::npos) << own.error().message;
  own = reach("127.0.0.1", port, Clock::now() + std::chrono::hours(1), [] { return true; });
  ASSERT_FALSE(own.ok());
  EXPECT_EQ(own.error().code, ErrorCode::kCancelled);
  own = reach("no host has this name", port, Clock::now() + std::chrono::hours(1), nullptr);
  ASSERT_FALSE(own.ok());
  EXPECT_NE(own.error().message.find("MASTER_ADDR=no host has this name: "), std::string::npos)
      << own.error().message;
}

TEST(Rendezvous, APortIsFreeUntilSomebodyListens) {
  const std::uint16_t port = test::free_port();
  EXPECT_TRUE(check_port(port).ok());
  const Listener listener(port);
  const Status taken = check_port(port);
  ASSERT_FALSE(taken.ok());
  EXPECT_NE(taken.error().message.find("Address already in use"), std::string::npos) << taken.error().message;
}

}  // namespace
}  // namespace bittern::training
