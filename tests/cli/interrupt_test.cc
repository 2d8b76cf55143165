#include "cli/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>

namespace bittern::cli {
namespace {

TEST(Interrupts, ASignalThatWasSwitchedOffStaysSo) {
  std::signal(SIGINT, SIG_IGN);
  catch_interrupts();
  std::raise(SIGINT);
  EXPECT_FALSE(interrupted());
  EXPECT_TRUE(check_interrupt().ok());
  std::raise(SIGTERM);
  EXPECT_TRUE(interrupted());
  EXPECT_EQ(check_interrupt().error().code, ErrorCode::kCancelled);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

TEST(Interrupts, TheEndOfTheTerminalIsOneHoweverOftenItIsTold) {
  catch_interrupts();
  for (int told = 0; told < 3; ++told) std::raise(SIGHUP);
  EXPECT_TRUE(interrupted());
  std::signal(SIGHUP, SIG_IGN);  // as nohup does
  catch_interrupts();
  struct sigaction now {};
  ASSERT_EQ(sigaction(SIGHUP, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, SIG_IGN);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
}

}  // namespace
}  // namespace bittern::cli
