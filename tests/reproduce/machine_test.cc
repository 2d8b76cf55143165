#include "reproduce/machine.h"

#include <gtest/gtest.h>

#include <sstream>

namespace bittern::reproduce {
namespace {

std::string name_in(const std::string& text) {
  std::istringstream stream(text);
  return processor_name(stream);
}

TEST(Machine, IsNamedAsLinuxNamesIt) {
  EXPECT_EQ(name_in("processor\t: 0\nmodel\t\t: 17\nmodel name\t: AMD EPYC 9R14 \nmodel name\t: other\n"),
            "AMD EPYC 9R14");
  EXPECT_EQ(name_in("processor\t: 0\nCPU part\t: 0xd08\n\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"),
            "Raspberry Pi 4 Model B Rev 1.4");
  EXPECT_EQ(name_in(""), "");
  EXPECT_EQ(name_in(":\nmodel name\t:\n"), "");
}

}  // namespace
}  // namespace bittern::reproduce
