// VoxForge archives, unpacked below a folder per language: <root>/<language>/**/<user>-<date>-<id>/wav/*.wav
// beside etc/PROMPTS. http://www.voxforge.org.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/text.h"
#include "datasets/finish.h"
#include "datasets/labels.h"
#include "datasets/layouts.h"
#include "datasets/left_out.h"
#include "datasets/listing.h"
#include "datasets/splitting.h"

namespace bittern::datasets {
namespace fs = std::filesystem;

namespace {

constexpr int kMaxDepth = 8;  // <language>/Trunk/Audio/Main/16kHz_16bit/<archive> has six

// VoxForge's own tree calls English "SpeechCorpus" and some languages by their English names.
std::string language_called(const fs::path& folder) {
  struct Alias {
    std::string_view name, language;
  };
  static constexpr std::array kAliases = {
      Alias{"speechcorpus", "en"}, Alias{"english", "en"}, Alias{"german", "de"},  Alias{"spanish", "es"},
      Alias{"french", "fr"},       Alias{"italian", "it"}, Alias{"russian", "ru"},
  };
  std::string name = folder.filename().string();
  for (const Alias& alias : kAliases)
    if (lower_case(name) == alias.name) return std::string(alias.language);
  return name;
}

constexpr std::array kInner = {"wav", "flac"};

bool is_archive(const fs::path& folder) {
  return std::any_of(kInner.begin(), kInner.end(),
                     [&](const char* inner) { return is_folder(folder / inner); });
}

// Those in wav/ where it has any, else those in flac/.
Expected<std::vector<fs::path>> recordings_in(const fs::path& archive) {
  for (const char* inner : kInner) {
    if (!is_folder(archive / inner)) continue;
    BITTERN_ASSIGN_OR_RETURN(Listing listing, list_folder(archive / inner));
    if (!listing.audio.empty()) return std::move(listing.audio);
  }
  return std::vector<fs::path>();
}

// Where the date is in "<user>-<yyyymmdd>", "<user>-<yyyymmdd>b" (the user's second of that day) and
// "<user>-<yyyymmdd>-<id>": the position of the dash before it.
std::optional<std::size_t> date_in(std::string_view archive) {
  constexpr std::size_t kDigits = 8;
  for (std::size_t at = archive.rfind('-'); at != std::string_view::npos && at > 0;
       at = archive.rfind('-', at - 1)) {
    const std::string_view date = archive.substr(at + 1, kDigits);
    if (date.size() < kDigits || !is_digits(date)) continue;
    const std::string_view rest = archive.substr(at + 1 + kDigits);
    const bool letter = rest.size() == 1 && rest[0] >= 'a' && rest[0] <= 'z';
    if (rest.empty() || letter || rest[0] == '-') return at;
  }
  return std::nullopt;
}

// The user of an archive, whose name's case some of them changed. Who did not log in is "anonymous", in some
// languages spelt otherwise: those are many people, so each of their archives stands for itself, as do
// archives called otherwise.
std::string speaker_of(const std::string& archive) {
  const std::optional<std::size_t> date = date_in(archive);
  if (!date) return archive;
  std::string user = lower_case(archive.substr(0, *date));
  for (const std::string_view nobody : {"anonym", "anonim", "anónim", "аноним", "Аноним", "unknown"})
    if (user.starts_with(nobody)) return archive;
  return user;
}

class Scanner {
 public:
  Scanner(const fs::path& root, std::optional<std::set<std::string>> languages)
      : languages_(std::move(languages)) {
    dataset_.root = root;
    dataset_.layout = "voxforge";
  }

  Expected<Dataset> scan() {
    BITTERN_ASSIGN_OR_RETURN(const Listing top, list_folder(dataset_.root));
    loose_.add(top.audio, dataset_.root);
    if (languages_)
      for (const std::string& language : *languages_) labels_.index(language);
    for (const fs::path& folder : top.folders) {
      if (is_archive(folder))
        return invalid_argument(
            fmt::format("{}: '{}' is an archive; expected a folder per language above archives",
                        dataset_.root.string(), folder.filename().string()));
      const std::string language = language_called(folder);
      if (languages_ && !languages_->contains(language)) continue;
      BITTERN_RETURN_IF_ERROR(read_tree(folder, labels_.index(language), kMaxDepth));
    }
    for (const LeftOut* what : {&doubled_, &empty_, &links_, &deep_, &loose_}) what->warn(dataset_);
    dataset_.labels = labels_.names();
    split_by_speaker(dataset_.clips, dataset_.root);
    return finish(std::move(dataset_));
  }

 private:
  Status read_tree(const fs::path& folder, int label, int depth) {
    if (is_archive(folder)) return read_archive(folder, label);
    if (depth == 0) {
      deep_.add(relative_name(folder, dataset_.root));
      return {};
    }
    BITTERN_ASSIGN_OR_RETURN(const Listing listing, list_folder(folder));
    for (const fs::path& inner : listing.folders) {
      std::error_code ignored;
      if (fs::is_symlink(inner, ignored)) {  // it may lead back here
        links_.add(relative_name(inner, dataset_.root));
        continue;
      }
      BITTERN_RETURN_IF_ERROR(read_tree(inner, label, depth - 1));
    }
    loose_.add(listing.audio, dataset_.root);
    return {};
  }

  Status read_archive(const fs::path& archive, int label) {
    const std::string name = archive.filename().string();
    BITTERN_ASSIGN_OR_RETURN(const std::vector<fs::path> recordings, recordings_in(archive));
    if (recordings.empty()) {  // and stands for none of its name that is full
      empty_.add(relative_name(archive, dataset_.root));
      return {};
    }
    // The same archive lies in 16kHz_16bit/ and 48kHz_16bit/ for who downloaded both.
    if (!seen_.emplace(label, name).second) {
      doubled_.add(relative_name(archive, dataset_.root));
      return {};
    }
    for (const fs::path& path : recordings)
      dataset_.clips.push_back({.path = path, .label = label, .speaker = speaker_of(name)});
    return {};
  }

  Dataset dataset_;
  std::optional<std::set<std::string>> languages_;
  LabelList labels_;
  std::set<std::pair<int, std::string>> seen_;
  LeftOut doubled_{"archive", "whose like was taken elsewhere"};
  LeftOut empty_{"archive", "without recordings"};
  LeftOut links_{"folder", "that a link only leads to"};
  LeftOut deep_{"folder", fmt::format("more than {} levels below a language's", kMaxDepth - 1)};
  LeftOut loose_{"recording", "outside of archives"};
};

// Whether an archive with its etc/ lies below; looks at a few folders of each level only.
bool has_archive(const fs::path& folder, int depth) {
  if (is_archive(folder) && is_folder(folder / "etc")) return true;
  if (depth == 0) return false;
  const Expected<Listing> listing = list_folder(folder);
  if (!listing.ok()) return false;
  constexpr std::size_t kFew = 3;
  for (std::size_t i = 0; i < std::min(kFew, listing->folders.size()); ++i)
    if (has_archive(listing->folders[i], depth - 1)) return true;
  return false;
}

}  // namespace

bool recognises_voxforge(const fs::path& root) {
  const Expected<Listing> listing = list_folder(root);
  if (!listing.ok()) return false;
  return std::any_of(listing->folders.begin(), listing->folders.end(),
                     [](const fs::path& folder) { return has_archive(folder, kMaxDepth - 2); });
}

Expected<Dataset> scan_voxforge(const fs::path& root, const ScanOptions& options) {
  BITTERN_ASSIGN_OR_RETURN(auto languages, labels_of_task(options.task));
  return Scanner(root, std::move(languages)).scan();
}

}  // namespace bittern::datasets
