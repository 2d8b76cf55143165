#include "training/process_group.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <exception>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "training/rendezvous.h"
#include "training/torch.h"
#include "training/transport.h"

namespace bittern::training {
namespace {

using Clock = std::chrono::steady_clock;

// A host that is there lets itself be connected to at once, however busy it is.
constexpr auto kProbe = std::chrono::seconds(3);
constexpr auto kPause = std::chrono::milliseconds(20);
// Rank 0 knows its own address: what does not answer by then is another machine's.
constexpr auto kOwnAddressWait = std::chrono::seconds(10);

// Keys of the store. Under ended_key a rank leaves why it ends, or kNoticed where it only saw another one go.
std::string arrived_key(int rank) { return fmt::format("arrived/{}", rank); }
std::string ended_key(int rank) { return fmt::format("ended/{}", rank); }
std::string parted_key(int rank) { return fmt::format("parted/{}", rank); }
constexpr const char* kSizeKey = "size";
constexpr const char* kRefusedKey = "refused";
constexpr const char* kRefusalsReadKey = "refused/read";
constexpr const char* kNoticed = "n";
constexpr char kInterrupted = 'i';
constexpr char kFailed = 'f';

constexpr const char* kGoOn = "start all again with --resume to go on from the last checkpoint";

std::string first_line(const char* text) { return {text, std::strcspn(text, "\n")}; }

}  // namespace

struct ProcessGroup::Connection {
  Connection(Launch of, Settings with) : launch(std::move(of)), settings(std::move(with)) {}

  Launch launch;
  Settings settings;
  std::unique_ptr<Transport> transport;
  std::optional<Error> ended;  // what all later calls give

  std::string name(int rank) const { return fmt::format("rank {} of {}", rank, launch.size); }
  Error gone(const std::vector<int>& ranks, bool late) const {
    const char* what = late ? "did not answer in time" : "is gone";
    // Of several that say nothing some may only be busy.
    return io_error(fmt::format("{} {} of {} {}; {}", ranks.size() == 1 ? "rank" : "one or more of ranks",
                                fmt::join(ranks, ", "), launch.size, what, kGoOn));
  }

  // Runs one call of the transport.
  template <class Call>
  Status attempt(const Call& call) {
    if (ended) return *ended;
    try {
      call();
      return {};
    } catch (const std::exception& error) {
      const std::string reason = first_line(error.what());
      transport->close();  // so that the calls of those end who wait for this one
      ended = explain(reason);
      return *ended;
    }
  }

  // Asks the store who ended, and why.
  Error explain(const std::string& reason) {
    const bool late = reason.find("imed out") != std::string::npos;
    try {
      // A host that vanished has been waited for long enough: its store would be waited for once more.
      if (launch.rank != 0 && late &&
          !reach(launch.address, launch.port, Clock::now() + kProbe, nullptr).ok())
        return gone({0}, late);
      transport->set(ended_key(launch.rank), kNoticed);
      const auto deadline = Clock::now() + settings.grace;
      for (;;) {
        std::vector<int> silent;
        std::vector<int> noticed;
        std::optional<Error> told;
        for (const int rank : others()) {
          const std::string said = transport->has(ended_key(rank)) ? transport->get(ended_key(rank)) : "";
          if (said.empty()) {
            silent.push_back(rank);
          } else if (said == kNoticed) {
            noticed.push_back(rank);
          } else {
            told = Error{said[0] == kInterrupted ? ErrorCode::kCancelled : ErrorCode::kIo,
                         fmt::format("{} ended: {}", name(rank), said.substr(1))};
          }
        }
        if (!told && silent.size() > 1 && Clock::now() < deadline) {  // who is no more, and who only busy?
          std::this_thread::sleep_for(kPause);
          continue;
        }
        part(told ? others() : noticed);
        if (told) return *told;
        if (!silent.empty()) return gone(silent, late);
        return io_error(fmt::format("the connection between processes broke ({}); {}", reason, kGoOn));
      }
    } catch (const std::exception&) {  // the store is rank 0's
      return gone({0}, late);
    }
  }

  // The last this rank does: rank 0, who keeps the store, stays until `readers` have read what they need.
  void part(const std::vector<int>& readers) {
    if (launch.rank != 0) {
      try {
        transport->set(parted_key(launch.rank), "");
      } catch (const std::exception&) {  // rank 0 goes as soon as it knows
      }
      return;
    }
    const auto deadline = Clock::now() + settings.grace;
    for (const int rank : readers)
      while (!transport->has(parted_key(rank)) && Clock::now() < deadline)
        std::this_thread::sleep_for(kPause);
  }

  std::vector<int> others() const {
    std::vector<int> ranks;
    for (int rank = 0; rank < launch.size; ++rank)
      if (rank != launch.rank) ranks.push_back(rank);
    return ranks;
  }

  // Ranks do not fit together: all that came are to read why.
  Status refused(const std::string& line) {
    const auto deadline = Clock::now() + settings.grace;
    try {
      transport->add(kRefusalsReadKey, 1);
      while (launch.rank == 0 && transport->add(kRefusalsReadKey, 0) < launch.size && Clock::now() < deadline)
        std::this_thread::sleep_for(kPause);
    } catch (const std::exception&) {  // rank 0 goes as soon as it knows
    }
    return invalid_argument(line);
  }

  // Until every rank is there.
  Status wait_for_all() {
    const auto deadline = Clock::now() + settings.timeout;
    for (int rank = 0; rank < launch.size; ++rank) {
      while (!transport->has(arrived_key(rank))) {
        if (transport->has(kRefusedKey)) return refused(transport->get(kRefusedKey));
        if (settings.stop && settings.stop())
          return Error{ErrorCode::kCancelled, fmt::format("interrupted while waiting for {}", name(rank))};
        if (Clock::now() >= deadline) {
          return io_error(
              fmt::format("{} did not come within {} s", name(rank),
                          std::chrono::duration_cast<std::chrono::seconds>(settings.timeout).count()));
        }
        std::this_thread::sleep_for(kPause);
      }
    }
    return {};
  }

  Status check_in() {
    const auto refuse = [&](const std::string& line) {
      transport->set(kRefusedKey, line);
      return refused(line);
    };
    if (launch.rank == 0) transport->set(kSizeKey, std::to_string(launch.size));
    if (const std::string size = transport->get(kSizeKey); size != std::to_string(launch.size)) {
      return refuse(
          fmt::format("WORLD_SIZE={} at rank {}, but {} at rank 0", launch.size, launch.rank, size));
    }
    if (transport->add(arrived_key(launch.rank), 1) != 1)
      return refuse(fmt::format("RANK={} is given to two processes", launch.rank));
    return wait_for_all();
  }

  Status open() {
    BITTERN_RETURN_IF_ERROR(check_transport());
    // A peer that is gone must be an error of a write, not the end of this process.
    std::signal(SIGPIPE, SIG_IGN);
    const auto start = Clock::now();
    const bool first = launch.rank == 0;
    std::string own_address;
    if (first) {
      BITTERN_RETURN_IF_ERROR(check_port(launch.port));
    } else {
      BITTERN_ASSIGN_OR_RETURN(own_address,
                               reach(launch.address, launch.port, start + settings.timeout, settings.stop));
    }
    try {
      transport = open_transport(launch, settings.timeout);
      if (first) {
        BITTERN_ASSIGN_OR_RETURN(own_address,
                                 reach(launch.address, launch.port, start + kOwnAddressWait, settings.stop));
      }
      BITTERN_RETURN_IF_ERROR(check_in());
      transport->join(own_address);
      return {};
    } catch (const std::exception& error) {
      return io_error(fmt::format("{} cannot join the others at {}:{}: {}", name(launch.rank), launch.address,
                                  launch.port, first_line(error.what())));
    }
  }
};

ProcessGroup::ProcessGroup() = default;
ProcessGroup::ProcessGroup(std::unique_ptr<Connection> connection, const Launch& launch)
    : connection_(std::move(connection)),
      rank_(launch.rank),
      size_(launch.size),
      local_rank_(launch.local_rank) {}
ProcessGroup::ProcessGroup(ProcessGroup&&) noexcept = default;
ProcessGroup& ProcessGroup::operator=(ProcessGroup&&) noexcept = default;
ProcessGroup::~ProcessGroup() = default;

Expected<ProcessGroup> ProcessGroup::connect(const Launch& launch, Settings settings) {
  auto connection = std::make_unique<Connection>(launch, std::move(settings));
  BITTERN_RETURN_IF_ERROR(connection->open());
  return ProcessGroup(std::move(connection), launch);
}

Status ProcessGroup::average(const std::vector<at::Tensor>& tensors, double share) {
  if (!connection_) return {};
  const at::NoGradGuard no_grad;
  std::int64_t total = 0;
  for (const at::Tensor& tensor : tensors) total += tensor.numel();
  at::Tensor all = at::empty({total}, at::kFloat);
  std::int64_t offset = 0;
  for (const at::Tensor& tensor : tensors) {
    all.narrow(0, offset, tensor.numel()).copy_(tensor.detach().reshape({-1}));
    offset += tensor.numel();
  }
  all.mul_(share);
  BITTERN_RETURN_IF_ERROR(connection_->attempt([&] { connection_->transport->sum(all); }));
  offset = 0;
  for (const at::Tensor& tensor : tensors) {
    tensor.detach().copy_(all.narrow(0, offset, tensor.numel()).view(tensor.sizes()));
    offset += tensor.numel();
  }
  return {};
}

Status ProcessGroup::broadcast(const std::vector<at::Tensor>& tensors) {
  if (!connection_) return {};
  const at::NoGradGuard no_grad;
  for (const at::Tensor& tensor : tensors) {
    at::Tensor values = tensor.detach().cpu().contiguous();
    BITTERN_RETURN_IF_ERROR(connection_->attempt([&] { connection_->transport->broadcast(values); }));
    if (!is_first()) tensor.detach().copy_(values);
  }
  return {};
}

Status ProcessGroup::sum(std::vector<std::int64_t>& counts) {
  if (!connection_) return {};
  at::Tensor values = at::from_blob(counts.data(), {static_cast<std::int64_t>(counts.size())},
                                    at::TensorOptions().dtype(at::kLong));
  return connection_->attempt([&] { connection_->transport->sum(values); });
}

Expected<std::vector<std::string>> ProcessGroup::gather(const std::string& own) {
  if (!connection_) return std::vector<std::string>{own};
  const auto length = static_cast<std::int64_t>(own.size());
  at::Tensor count = at::full({1}, length, at::TensorOptions().dtype(at::kLong));
  std::vector<at::Tensor> counts;
  BITTERN_RETURN_IF_ERROR(connection_->attempt([&] { counts = connection_->transport->gather(count); }));
  std::int64_t longest = 1;  // a message of nothing is none
  for (const at::Tensor& one : counts) longest = std::max(longest, one.item<std::int64_t>());
  at::Tensor text = at::zeros({longest}, at::TensorOptions().dtype(at::kByte));
  std::copy(own.begin(), own.end(), text.data_ptr<std::uint8_t>());
  std::vector<at::Tensor> texts;
  BITTERN_RETURN_IF_ERROR(connection_->attempt([&] { texts = connection_->transport->gather(text); }));
  std::vector<std::string> result;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::uint8_t* bytes = texts[i].data_ptr<std::uint8_t>();
    result.emplace_back(bytes, bytes + counts[i].item<std::int64_t>());
  }
  return result;
}

Expected<std::string> ProcessGroup::from_first(const std::string& own) {
  BITTERN_ASSIGN_OR_RETURN(std::vector<std::string> all, gather(is_first() ? own : std::string()));
  return std::move(all[0]);
}

Expected<bool> ProcessGroup::any(bool own) {
  std::vector<std::int64_t> count{own ? 1 : 0};
  BITTERN_RETURN_IF_ERROR(sum(count));
  return count[0] > 0;
}

void ProcessGroup::fail(const Error& error) {
  if (!connection_ || connection_->ended) return;
  connection_->ended = error;
  const char kind = error.code == ErrorCode::kCancelled ? kInterrupted : kFailed;
  try {
    connection_->transport->set(ended_key(rank_), kind + error.message);
    connection_->transport->close();
    connection_->part(connection_->others());
  } catch (const std::exception&) {
    connection_->transport->close();  // rank 0 has ended before
  }
}

Status ProcessGroup::finish() {
  if (!connection_) return {};
  BITTERN_RETURN_IF_ERROR(gather({}));
  try {
    connection_->part(connection_->others());
  } catch (const std::exception&) {  // rank 0 has waited long enough
  }
  return {};
}

}  // namespace bittern::training
