// Validators and wrong usage, shared by the commands.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace bittern::cli {

// Wrong usage that no validator can see because it depends on several options or on the model (a label that
// the model lacks). Throws CLI11's own error, so that the program ends like for any other wrong usage: one
// line, exit status 2. A command may call this while it runs.
[[noreturn]] void fail_usage(const std::string& message);

// CLI::Range lets `nan` through; these do not. Numbers are read and written with a decimal point whatever the
// locale (nothing here calls setlocale).
CLI::Validator finite_at_least(double low);             // low <= x
CLI::Validator finite_above(double low);                // low < x
CLI::Validator finite_within(double low, double high);  // low <= x <= high

// Wrong usage names the word and what is possible.
CLI::Validator one_of(std::vector<std::string> words);

// --threads: adds the option, from 1 to 256; the default is the machine's number of cores.
CLI::Option* add_threads_option(CLI::App& app, int& threads);

}  // namespace bittern::cli
