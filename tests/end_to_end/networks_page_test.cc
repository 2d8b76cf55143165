// docs/networks.md: every number is what the command above it prints.
#include <cstdio>
#include <sstream>

#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

using Json = nlohmann::json;

std::vector<std::string> words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> list;
  for (std::string word; stream >> word;) list.push_back(word);
  return list;
}

// "| a | b |" -> "a", "b"
std::vector<std::string> cells(const std::string& row) {
  std::vector<std::string> list;
  for (std::size_t begin = 1; begin < row.size();) {
    const std::size_t end = row.find('|', begin);
    list.push_back(row.substr(begin + 1, end - begin - 2));
    begin = end + 1;
  }
  return list;
}

// What the page writes for a number.
std::string plain(const std::string& cell) {
  std::string text;
  for (const char c : cell)
    if (c != ',' && c != '`') text += c;
  return text;
}

template <class... Values>
std::string formatted(const char* format, Values... values) {
  char text[200];
  EXPECT_LT(std::snprintf(text, sizeof text, format, values...), static_cast<int>(sizeof text));
  return text;
}

// The cell of the column `title`, from what the command printed.
std::string expected_cell(const std::string& title, const Json& json) {
  const Json& parameters = json["parameters"];
  if (title == "NETWORK") return json["architecture"];
  if (title == "parameters") return parameters["total"].dump();
  if (title == "1-bit") return parameters["binary"].dump();
  if (title == "float") return parameters["float"].dump();
  if (title == "parameters, batch norm as 4") return parameters["total_batch_norm_as_4"].dump();
  if (title == "packed MiB") return formatted("%.3f", json["packed_mib"].get<double>());
  if (title == "float32 MiB") return formatted("%.3f", json["float32_mib"].get<double>());
  if (title.starts_with("exit ")) {
    const Json& exit = json["exits"].at(static_cast<std::size_t>(std::stoi(title.substr(5))) - 1);
    return formatted("%s %.1f / %.2f / %.0f %%", exit["layer"].get<std::string>().c_str(),
                     exit["macs_binary"].get<double>() / 1e6, exit["macs_float"].get<double>() / 1e6,
                     exit["macs_share"].get<double>() * 100);
  }
  return "no such column: " + title;
}

struct Page {
  std::vector<std::string> lines =
      test::lines(read_bytes(std::string(BITTERN_SOURCE_DIR) + "/docs/networks.md"));
};

TEST(NetworksPage, TablesHoldWhatTheirCommandPrints) {
  const Page page;
  std::string command;
  std::vector<std::string> titles;
  int rows = 0;
  for (const std::string& line : page.lines) {
    if (line.starts_with("bittern inspect ") && line.find("NETWORK") != std::string::npos) command = line;
    if (line.starts_with("| NETWORK |")) {
      ASSERT_FALSE(command.empty()) << "no command above: " << line;
      titles = cells(line);
    } else if (!line.starts_with("|")) {
      titles.clear();
    } else if (!titles.empty() && !line.starts_with("|-")) {
      const std::vector<std::string> row = cells(line);
      ASSERT_EQ(row.size(), titles.size()) << line;
      std::vector<std::string> arguments = words(command);
      arguments.erase(arguments.begin());
      std::replace(arguments.begin(), arguments.end(), std::string("NETWORK"), plain(row[0]));
      arguments.emplace_back("--json");
      const Finished finished = bittern(arguments);
      ASSERT_EQ(finished.status, 0) << line << '\n' << finished.err;
      const Json json = Json::parse(finished.out);
      for (std::size_t i = 0; i < row.size(); ++i)
        EXPECT_EQ(plain(row[i]), expected_cell(titles[i], json)) << titles[i] << " of " << line;
      ++rows;
    }
  }
  EXPECT_EQ(rows, 6 * 6 + 2 + 2) << "six tables of six networks, and Bittern's own in some";
}

TEST(NetworksPage, TranscriptsAreWhatTheProgramPrints) {
  const Page page;
  int transcripts = 0;
  for (std::size_t i = 0; i + 1 < page.lines.size(); ++i) {
    if (page.lines[i] != "```console") continue;
    ASSERT_TRUE(page.lines[++i].starts_with("$ bittern "));
    std::vector<std::string> arguments = words(page.lines[i].substr(2));
    arguments.erase(arguments.begin());
    std::string shown;
    while (++i < page.lines.size() && page.lines[i] != "```") shown += page.lines[i] + '\n';
    EXPECT_EQ(bittern(arguments).out, shown);
    ++transcripts;
  }
  EXPECT_GE(transcripts, 1);
}

}  // namespace
}  // namespace bittern::test
