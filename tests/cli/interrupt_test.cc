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

}  // namespace
}  // namespace bittern::cli
