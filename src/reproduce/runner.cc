#include "reproduce/runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/descriptor.h"
#include "reproduce/agreement.h"
#include "reproduce/difference.h"

namespace bittern::reproduce {
namespace {

namespace fs = std::filesystem;

// How often it is looked whether a training has ended, and after how many looks progress is told.
constexpr std::chrono::milliseconds kPoll{200};
constexpr int kPollsPerReport = 5;

// In the process that is to become the training; only what may be called after fork(). Never returns.
[[noreturn]] void become_training(char* const* arguments, const char* log, pid_t parent, int errors) {
  // In a process group of its own, so that Ctrl-C reaches it once, from us.
  ::setpgid(0, 0);
#ifdef __linux__
  // Whatever ends us must not leave it behind: SIGTERM lets it write its checkpoint.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
#else
  static_cast<void>(parent);
#endif
  // Standard input and output lead nowhere; what it complains of is kept.
  const int in = ::open("/dev/null", O_RDONLY);
  const int out = ::open("/dev/null", O_WRONLY);
  const int err = ::open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (::dup2(in, STDIN_FILENO) >= 0 && ::dup2(out, STDOUT_FILENO) >= 0 && ::dup2(err, STDERR_FILENO) >= 0)
    ::execv(arguments[0], arguments);
  const int reason = errno;
  static_cast<void>(!::write(errors, &reason, sizeof(reason)));
  ::_exit(127);
}

Expected<pid_t> start(const std::vector<std::string>& command, const fs::path& log) {
  std::vector<std::string> arguments = command;
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const std::string log_name = log.string();
  const auto failed = [&](int reason) {
    return io_error(fmt::format("{}: {}", command.front(), std::strerror(reason)));
  };
  // The writing end is closed by a program that starts: then nothing comes.
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return failed(errno);
  const Descriptor reading(ends[0]);
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process == 0) become_training(pointers.data(), log_name.c_str(), parent, ends[1]);
  const int refused = errno;
  ::close(ends[1]);
  if (process < 0) return failed(refused);
  int reason = 0;
  ssize_t got = 0;
  do {
    got = ::read(ends[0], &reason, sizeof(reason));
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return process;
  while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
  }
  return failed(reason);
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
  // Lost when the file is written anew, unless they can be measured again.
  for (const std::string& name : record.others) {
    std::error_code ignored;
    if (fs::exists(folder.model(name), ignored)) continue;
    return invalid_argument(
        fmt::format("{}: holds {}, which this experiment does not plan and whose folder is gone: it would be "
                    "lost; give another --out, or move the file away",
                    folder.results().string(), name));
  }
  if (record.differs.empty()) {
    BITTERN_ASSIGN_OR_RETURN(const nlohmann::ordered_json recipe, common_recipe(experiment));
    if (!record.recipe.is_null() && !recipe.is_null()) record.differs = difference(record.recipe, recipe);
  }
  DataSets data(experiment);
  if (record.differs.empty()) {
    folder.record = std::move(record);
    for (const Run& run : experiment.runs()) {
      const bool recorded = state_of(folder, experiment, run).recorded;
      BITTERN_RETURN_IF_ERROR((recorded ? check_recorded : check_folder)(experiment, folder, run, data));
    }
    return folder;
  }
  for (const Run& run : experiment.runs()) {
    const std::string name = experiment.name(run);
    if (record.runs.count(name) == 0 || state_of(folder, experiment, run).epochs > 0) continue;
    return invalid_argument(fmt::format(
        "{}: holds {}, whose folder is gone, of an experiment with {} as this one says; give another "
        "--out, or move the file away",
        folder.results().string(), name, record.differs));
  }
  for (const Run& run : experiment.runs())
    BITTERN_RETURN_IF_ERROR(check_folder(experiment, folder, run, data));
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

Expected<nlohmann::ordered_json> common_recipe(const Experiment& experiment) {
  if (!experiment.recipe_of) return nlohmann::ordered_json();
  BITTERN_ASSIGN_OR_RETURN(nlohmann::ordered_json recipe,
                           experiment.recipe_of(command_of(experiment, {}, experiment.runs().front(), "")));
  for (const char* own : {"architecture", "single_exit", "seed"}) recipe.erase(own);
  return recipe;
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
