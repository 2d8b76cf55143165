#include "training/launch.h"

#include <gtest/gtest.h>

#include <map>

namespace bittern::training {
namespace {

using Variables = std::map<std::string, std::string>;

Expected<std::optional<Launch>> read(const Variables& variables) {
  return read_launch([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

Variables whole() {
  return {{"RANK", "2"}, {"WORLD_SIZE", "4"}, {"MASTER_ADDR", "node-0"}, {"MASTER_PORT", "29500"}};
}

TEST(Launch, IsWhatTorchrunSays) {
  const std::optional<Launch> launch = read(whole()).value();
  ASSERT_TRUE(launch.has_value());
  EXPECT_EQ(launch->rank, 2);
  EXPECT_EQ(launch->size, 4);
  EXPECT_EQ(launch->address, "node-0");
  EXPECT_EQ(launch->port, 29500);
  EXPECT_EQ(launch->local_rank, 0);
}

TEST(Launch, NamesTheProcessOfAMachineForItsGpu) {
  Variables variables = whole();
  variables["LOCAL_RANK"] = "1";
  EXPECT_EQ(read(variables).value()->local_rank, 1);
  for (const char* wrong : {"-1", "3", "first"}) {  // no rank of a machine is above the rank of all
    variables["LOCAL_RANK"] = wrong;
    EXPECT_FALSE(read(variables).ok()) << wrong;
  }
}

// torchrun's agents talk over MASTER_PORT, in most of its modes.
TEST(Launch, LeavesTorchrunItsPort) {
  Variables variables = whole();
  variables["TORCHELASTIC_USE_AGENT_STORE"] = "True";
  EXPECT_EQ(read(variables).value()->port, 29501);
  variables["MASTER_PORT"] = "65535";
  EXPECT_FALSE(read(variables).ok());
  variables["TORCHELASTIC_USE_AGENT_STORE"] = "False";
  EXPECT_EQ(read(variables).value()->port, 65535);
}

TEST(Launch, IsNoneWhereOneProcessTrains) {
  EXPECT_FALSE(read({}).value().has_value());
  EXPECT_FALSE(read({{"RANK", "3"}, {"MASTER_PORT", "x"}}).value().has_value());
  EXPECT_FALSE(read({{"WORLD_SIZE", "1"}}).value().has_value());
}

TEST(Launch, MissesTheNumberOfProcesses) {
  const auto refused = read({{"RANK", "1"}, {"MASTER_ADDR", "node-0"}, {"MASTER_PORT", "29500"}});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("WORLD_SIZE is not set"), std::string::npos)
      << refused.error().message;
}

TEST(Launch, RefusesWhatIsMissingOrNoNumber) {
  const auto expect = [](const char* name, const char* value, const std::string& what) {
    Variables variables = whole();
    variables.erase(name);
    if (value != nullptr) variables[name] = value;
    const auto launch = read(variables);
    ASSERT_FALSE(launch.ok()) << name << "=" << (value == nullptr ? "" : value);
    EXPECT_NE(launch.error().message.find(what), std::string::npos) << launch.error().message;
  };
  for (const char* value : {"", "0", "-2", "2x", " 4", "1025", "99999999999999999999", "2.0"})
    expect("WORLD_SIZE", value, "must be a number from 1 to 1024");
  for (const char* value : {"", "4", "-1", "0x1"}) expect("RANK", value, "must be a number from 0 to 3");
  for (const char* value : {"0", "65536", "http"}) expect("MASTER_PORT", value, "must be a number from 1 to");
  expect("RANK", nullptr, "RANK is not set");
  expect("MASTER_PORT", nullptr, "MASTER_PORT is not set");
  expect("MASTER_ADDR", nullptr, "MASTER_ADDR is not set");
  expect("MASTER_ADDR", "", "MASTER_ADDR is not set");
}

}  // namespace
}  // namespace bittern::training
