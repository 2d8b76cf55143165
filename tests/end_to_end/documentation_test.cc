// docs/command-line.md against --help: every command has its section, every option is named in it.
#include <regex>
#include <set>

#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

// The words of --help's list of commands.
std::vector<std::string> commands() {
  const std::string help = bittern({"--help"}).out;
  std::vector<std::string> names;
  bool listed = false;
  for (const std::string& line : lines(help)) {
    if (listed && line.starts_with("  ")) names.push_back(line.substr(2, line.find(' ', 2) - 2));
    if (line == "Commands:") listed = true;
  }
  return names;
}

// The part of the page from "## bittern NAME" to the next heading of that level.
std::string section(const std::string& page, const std::string& command) {
  const std::string heading = "\n## bittern " + command + "\n";
  const std::size_t begin = page.find(heading);
  if (begin == std::string::npos) return "";
  return page.substr(begin, page.find("\n## ", begin + heading.size()) - begin);
}

TEST(Documentation, EveryCommandAndOptionIsOnThePage) {
  const std::string page = read_bytes(std::string(BITTERN_SOURCE_DIR) + "/docs/command-line.md");
  ASSERT_FALSE(page.empty());
  const std::vector<std::string> names = commands();
  ASSERT_GE(names.size(), 5U);
  for (const std::string& name : names) {
    const std::string text = section(page, name);
    EXPECT_FALSE(text.empty()) << "docs/command-line.md has no section '## bittern " << name << "'";
    const Finished help = bittern({name, "--help"});
    if (help.status != 0) continue;  // left out of this build
    const std::regex option("(^|[ ,])(--[a-z][a-z-]*)");
    std::set<std::string> options;
    for (std::sregex_iterator i(help.out.begin(), help.out.end(), option), end; i != end; ++i)
      options.insert((*i)[2]);
    options.erase("--help");
    EXPECT_GE(options.size(), 3U) << name;
    for (const std::string& one : options)
      EXPECT_NE(text.find("`" + one), std::string::npos)
          << "bittern " << name << " " << one << " is not documented";
  }
}

}  // namespace
}  // namespace bittern::test
