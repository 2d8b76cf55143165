#include "reproduce/runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

namespace bittern::reproduce {
namespace {

namespace fs = std::filesystem;

// How often it is looked whether a training has ended, and after how many looks progress is told.
constexpr std::chrono::milliseconds kPoll{200};
constexpr int kPollsPerReport = 5;

// Standard input and output of a training lead nowhere; what it complains of is kept.
class Redirections {
 public:
  explicit Redirections(const fs::path& log) : log_(log.string()) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                       0666);
  }
  Redirections(const Redirections&) = delete;
  Redirections& operator=(const Redirections&) = delete;
  ~Redirections() { ::posix_spawn_file_actions_destroy(&actions_); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
  std::string log_;
};

// In a process group of its own, so that Ctrl-C reaches it once, from us.
Expected<pid_t> start(const std::vector<std::string>& command, const fs::path& log) {
  std::vector<std::string> arguments = command;
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const Redirections redirections(log);
  posix_spawnattr_t attributes{};
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t process = 0;
  const int failed =
      ::posix_spawn(&process, pointers.front(), redirections.get(), &attributes, pointers.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) return io_error(fmt::format("{}: {}", command.front(), std::strerror(failed)));
  return process;
}

// The last line that is not empty.
std::string last_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string last;
  for (std::string line; std::getline(stream, line);)
    if (!line.empty()) last = line;
  return last;
}

Status make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return io_error(fmt::format("{}: {}", folder.string(), error.message()));
  return {};
}

// The trainings that are running.
class Pool {
 public:
  Pool(const Experiment& experiment, const Folder& folder, const RunnerOptions& options)
      : experiment_(experiment), folder_(folder), options_(options) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() { stop(); }

  bool full() const { return running_.size() >= static_cast<std::size_t>(options_.jobs); }
  bool empty() const { return running_.empty(); }

  Status add(const Run& run) {
    const std::string name = experiment_.name(run);
    BITTERN_RETURN_IF_ERROR(make_folder(folder_.run(name)));
    BITTERN_RETURN_IF_ERROR(make_folder(folder_.log(name).parent_path()));
    BITTERN_ASSIGN_OR_RETURN(
        const pid_t process,
        start(command_of(experiment_, folder_, run, options_.train_program), folder_.log(name)));
    running_[process] = name;
    return {};
  }

  // Takes away those that have ended; `failed` gets a line for each that failed.
  void collect(std::vector<std::string>& failed) {
    for (auto at = running_.begin(); at != running_.end();) {
      int status = 0;
      const pid_t ended = ::waitpid(at->first, &status, WNOHANG);
      if (ended == 0 || (ended < 0 && errno == EINTR)) {
        ++at;
        continue;
      }
      if (ended < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        failed.push_back(why(at->second, status));
      at = running_.erase(at);
    }
  }

  // Asks all to end and waits until they have.
  void stop() {
    for (const auto& [process, name] : running_) ::kill(process, SIGINT);
    for (const auto& [process, name] : running_)
      while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
      }
    running_.clear();
  }

  std::string note() const {
    return running_.empty()
               ? ""
               : fmt::format("{}{}", running_.begin()->second, running_.size() > 1 ? ", ..." : "");
  }

 private:
  std::string why(const std::string& name, int status) const {
    std::string reason = last_line(folder_.log(name));
    if (reason.empty()) {
      reason = WIFSIGNALED(status) ? fmt::format("ended by signal {}", WTERMSIG(status))
                                   : fmt::format("exit status {}", WEXITSTATUS(status));
    }
    return fmt::format("{}: {}", name, reason);
  }

  const Experiment& experiment_;
  const Folder& folder_;
  const RunnerOptions& options_;
  std::map<pid_t, std::string> running_;
};

}  // namespace

fs::path Folder::log(const std::string& name) const {
  std::string flat = name;
  for (char& c : flat) c = c == '/' ? '.' : c;
  return root / "logs" / (flat + ".log");
}

Expected<Folder> open_folder(const fs::path& root, const Experiment& experiment) {
  Folder folder{root};
  BITTERN_ASSIGN_OR_RETURN(Record record, read_record(folder.results(), experiment));
  if (record.fits) {
    folder.record = std::move(record);
    return folder;
  }
  for (const Run& run : experiment.runs()) {
    const std::string name = experiment.name(run);
    if (record.runs.count(name) == 0 || state_of(folder, experiment, run).epochs > 0) continue;
    return invalid_argument(
        fmt::format("{}: holds {}, whose folder is gone, of trainings with other options or thresholds; give "
                    "another --out, or move the file away",
                    folder.results().string(), name));
  }
  return folder;
}

RunState state_of(const Folder& folder, const Experiment& experiment, const Run& run) {
  const std::string name = experiment.name(run);
  RunState state;
  std::ifstream metrics(folder.metrics(name));
  for (std::string line; std::getline(metrics, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("time_s") || !json["time_s"].is_number()) break;
    ++state.epochs;
    state.seconds += json["time_s"].get<double>();
  }
  std::error_code ignored;
  state.done = state.epochs >= experiment.epochs && fs::exists(folder.model(name), ignored);
  if (!state.done && folder.record.runs.count(name) != 0)
    return {.epochs = experiment.epochs, .done = true, .recorded = true};
  return state;
}

std::vector<std::string> command_of(const Experiment& experiment, const Folder& folder, const Run& run,
                                    const fs::path& train_program) {
  const Task& task = experiment.tasks[run.task];
  const Network& network = experiment.networks[run.network];
  std::vector<std::string> command{train_program.string(), "--data", task.data.string(), "--out",
                                   folder.run(experiment.name(run)).string(), "--architecture",
                                   network.architecture, "--placement", experiment.placement, "--epochs",
                                   fmt::format("{}", experiment.epochs), "--seed",
                                   fmt::format("{}", run.seed),
                                   // Fixed, so that the result does not depend on how many run side by side.
                                   "--threads", "1", "--resume", "--quiet"};
  if (!task.noise.empty()) command.insert(command.end(), {"--noise", task.noise.string()});
  if (run.single_exit != 0)
    command.insert(command.end(), {"--single-exit", fmt::format("{}", run.single_exit)});
  command.insert(command.end(), experiment.train_options.begin(), experiment.train_options.end());
  return command;
}

Expected<RunnerResult> train_all(const Experiment& experiment, const Folder& folder,
                                 const RunnerOptions& options) {
  const std::vector<Run> runs = experiment.runs();
  std::deque<Run> waiting;
  for (const Run& run : runs)
    if (!state_of(folder, experiment, run).done) waiting.push_back(run);
  RunnerResult result;
  if (waiting.empty()) return result;

  Pool pool(experiment, folder, options);
  int polls = 0;
  const std::size_t total = runs.size() * static_cast<std::size_t>(experiment.epochs);
  while (!waiting.empty() || !pool.empty()) {
    while (!waiting.empty() && !pool.full()) {
      BITTERN_RETURN_IF_ERROR(pool.add(waiting.front()));
      waiting.pop_front();
    }
    std::this_thread::sleep_for(kPoll);
    pool.collect(result.failed);
    // Every run's metrics are read for it.
    if (!options.progress || ++polls % kPollsPerReport != 0) continue;
    std::size_t done = 0;
    for (const Run& run : runs) done += static_cast<std::size_t>(state_of(folder, experiment, run).epochs);
    if (!options.progress(done, total, pool.note())) {
      pool.stop();
      return Error{ErrorCode::kCancelled, "interrupted; the same command goes on"};
    }
  }
  return result;
}

}  // namespace bittern::reproduce
