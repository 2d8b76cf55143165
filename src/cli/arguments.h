// What commands take on the command line. CLI11, whose headers cost seconds for every file that includes
// them, is behind this.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace bittern::cli {

// Wrong usage that no check can see because it depends on several options or on the model (a label that the
// model lacks): the program ends with one line and exit status 2. A command may call this while it runs.
// Throws CLI11's own error, which program.cc catches.
[[noreturn]] void fail_usage(const std::string& message);

// What a value must be.
struct Check {
  std::string range;                                              // for --help, "from 1 to 16"; may be empty
  std::function<std::string(const std::string& text)> complaint;  // empty: the text is fine
};
// Numbers are read and written with a decimal point whatever the locale (nothing here calls setlocale). What
// is not finite is refused.
Check at_least(double low);             // low <= x
Check above(double low);                // low < x
Check within(double low, double high);  // low <= x <= high
Check whole_within(int low, int high);
// For names of files, folders and labels: what a shell makes of a variable that is not set.
Check not_empty();
// Wrong usage names the word and what is possible.
Check one_of(std::vector<std::string> words);

// One option, flag or positional argument of a command.
class Argument {
 public:
  explicit Argument(CLI::Option* option) : option_(option) {}
  Argument& required();
  Argument& check(Check check);
  Argument& show_default();
  Argument& needs(const Argument& other);
  Argument& excludes(const Argument& other);

 private:
  CLI::Option* option_;  // the App's
};

// The arguments of one command. `usage` is the name with what follows it, as --help shows it: "--rate HZ" for
// an option, "--raw" for a flag, "MODEL" for a positional argument. Values must outlive the parsing; what
// they hold before is the default. Whole numbers are read in base 10; what is none, or does not fit, is
// wrong usage whether there is a check or not.
class Arguments {
 public:
  explicit Arguments(CLI::App& app) : app_(app) {}
  Argument add(const std::string& usage, std::string& value, const std::string& help);
  Argument add(const std::string& usage, int& value, const std::string& help);
  Argument add(const std::string& usage, std::uint64_t& value, const std::string& help);
  Argument add(const std::string& usage, float& value, const std::string& help);
  Argument add(const std::string& usage, double& value, const std::string& help);
  Argument add(const std::string& usage, std::optional<float>& value, const std::string& help);
  // One value or more, each as it is: "FILES".
  Argument add(const std::string& usage, std::vector<std::string>& values, const std::string& help);
  Argument flag(const std::string& usage, bool& value, const std::string& help);
  // Values separated by commas: "--tables A,B,...".
  Argument list(const std::string& usage, std::vector<std::string>& values, const std::string& help);
  Argument list(const std::string& usage, std::vector<double>& values, const std::string& help);

 private:
  CLI::App& app_;
};

// --threads N, or what `usage` says: from 1 to 256; the default is the number of the machine's cores that may
// be used.
void add_threads_argument(Arguments& arguments, int& threads, const std::string& help,
                          const std::string& usage = "--threads N");

}  // namespace bittern::cli
