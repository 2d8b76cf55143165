// Runs a program and keeps what it printed.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "audio/temp_folder.h"

namespace bittern::test {

struct Finished {
  int status = -1;  // of exit(); -1 where a signal ended it
  int signal = 0;
  std::string out;
  std::string err;
};

struct Start {
  std::vector<std::string> arguments = {};    // [0] is the program
  std::vector<std::string> environment = {};  // NAME=value, instead of or beside this process's own
  std::string input = "/dev/null";            // file for standard input
  std::string output = {};                    // file for standard output; empty: kept in Finished::out
  int interrupt_after_ms = 0;                 // then SIGINT; 0: never
  std::function<bool()> interrupt_when = {};  // then SIGINT; asked again and again
};

// A program that takes more than a minute is killed, and shows as ended by SIGKILL.
inline Finished run(const Start& start) {
  const TempFolder folder;
  const std::string out = start.output.empty() ? (folder / "out").string() : start.output;
  const std::string err = (folder / "err").string();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, start.input.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT, 0600);

  std::vector<std::string> arguments = start.arguments, variables = start.environment;
  const auto named_again = [&](const std::string& variable) {
    for (const std::string& own : start.environment)
      if (variable.starts_with(own.substr(0, own.find('=') + 1))) return true;
    return false;
  };
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!named_again(*variable)) variables.emplace_back(*variable);
  std::vector<char*> argv, envp;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  for (std::string& variable : variables) envp.push_back(variable.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);

  Finished finished;
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return finished;

  const auto begin = std::chrono::steady_clock::now();
  bool interrupted = false;
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    const auto waited = std::chrono::steady_clock::now() - begin;
    const bool due =
        start.interrupt_after_ms > 0 && waited >= std::chrono::milliseconds(start.interrupt_after_ms);
    if (!interrupted && (due || (start.interrupt_when && start.interrupt_when()))) {
      interrupted = true;
      ::kill(child, SIGINT);
    }
    if (waited > std::chrono::minutes(1)) ::kill(child, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (WIFEXITED(status)) finished.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) finished.signal = WTERMSIG(status);
  if (start.output.empty()) finished.out = read_bytes(out);
  finished.err = read_bytes(err);
  return finished;
}

}  // namespace bittern::test
