// One language of the Multilingual Spoken Words Corpus: <root>/clips/<word>/common_voice_<..>.opus with
// <language>_splits.csv (SET,LINK,WORD,VALID,SPEAKER,GENDER) or <language>_{train,dev,test}.csv (without
// SET); some archives leave <language>_ out. Mazumder and others 2021,
// https://mlcommons.org/datasets/multilingual-spoken-words/.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/text.h"
#include "datasets/csv.h"
#include "datasets/finish.h"
#include "datasets/labels.h"
#include "datasets/layouts.h"
#include "datasets/left_out.h"
#include "datasets/listing.h"

namespace bittern::datasets {
namespace fs = std::filesystem;

namespace {

struct Table {
  fs::path path;
  std::optional<Split> split;  // nothing: the column SET tells
  std::string language;        // "en_" of "en_train.csv", "" of "train.csv"
};

// The tables in a folder: the one with all splits where there is one.
Expected<std::vector<Table>> find_tables(const fs::path& root) {
  struct Kind {
    std::string_view name;
    std::optional<Split> split;
  };
  static constexpr std::array kKinds = {Kind{"splits.csv", std::nullopt}, Kind{"train.csv", Split::kTrain},
                                        Kind{"dev.csv", Split::kValidation}, Kind{"test.csv", Split::kTest}};
  BITTERN_ASSIGN_OR_RETURN(const Listing listing, list_folder(root));
  std::vector<Table> whole;
  std::vector<Table> parts;
  for (const fs::path& path : listing.others) {
    const std::string name = lower_case(path.filename().string());
    for (const Kind& kind : kKinds) {
      if (!name.ends_with(kind.name)) continue;
      const std::string language = name.substr(0, name.size() - kind.name.size());
      if (language.empty() || language.ends_with('_'))
        (kind.split ? parts : whole).push_back({path, kind.split, language});
    }
  }
  std::vector<Table>& tables = whole.empty() ? parts : whole;
  for (const Table& table : tables)
    if (table.language != tables[0].language)
      return invalid_argument(fmt::format("{}: '{}' and '{}' are tables of two languages; keep one",
                                          root.string(), tables[0].path.filename().string(),
                                          table.path.filename().string()));
  return std::move(tables);
}

std::optional<Split> parse_set(const std::string& text) {
  const std::string set = lower_case(text);
  if (set == "train") return Split::kTrain;
  if (set == "dev" || set == "validation") return Split::kValidation;
  if (set == "test") return Split::kTest;
  return std::nullopt;
}

class Scanner {
 public:
  Scanner(const fs::path& root, std::optional<std::set<std::string>> words) : words_(std::move(words)) {
    dataset_.root = root;
    dataset_.layout = "mswc";
  }

  Expected<Dataset> scan() {
    BITTERN_ASSIGN_OR_RETURN(const std::vector<Table> tables, find_tables(dataset_.root));
    if (tables.empty())
      return invalid_argument(
          fmt::format("{}: no splits.csv and no train.csv, with <language>_ in front or without",
                      dataset_.root.string()));
    BITTERN_RETURN_IF_ERROR(check_folder(dataset_.root / "clips"));
    if (words_)
      for (const std::string& word : *words_) labels_.index(word);  // so that one without clips is an error
    for (const Table& table : tables) BITTERN_RETURN_IF_ERROR(read_table(table));
    for (const LeftOut* what : {&invalid_, &missing_, &malformed_}) what->warn(dataset_);
    dataset_.labels = labels_.names();
    return finish(std::move(dataset_));
  }

 private:
  struct Columns {
    std::size_t set, link, word, valid, speaker;
  };

  static Expected<Columns> find_columns(const Table& table, const std::vector<std::string>& header) {
    const auto column = [&](std::string_view name) {
      return static_cast<std::size_t>(
          std::find_if(header.begin(), header.end(),
                       [&](const std::string& field) { return lower_case(field) == name; }) -
          header.begin());
    };
    const Columns columns = {column("set"), column("link"), column("word"), column("valid"),
                             column("speaker")};
    for (const auto& [name, at] : {std::pair{"SET", table.split ? 0 : columns.set},
                                   std::pair{"LINK", columns.link}, std::pair{"WORD", columns.word},
                                   std::pair{"VALID", columns.valid}, std::pair{"SPEAKER", columns.speaker}})
      if (at >= header.size()) return corrupt(fmt::format("{}: no column {}", table.path.string(), name));
    return columns;
  }

  // All rows behind such a quote would be one field.
  static Status check_quotes(const Table& table, const CsvReader& reader) {
    if (const auto line = reader.unclosed_quote())
      return corrupt(fmt::format("{}: line {}: a quote is never closed", table.path.string(), *line));
    return {};
  }

  Status read_table(const Table& table) {
    std::ifstream stream(table.path, std::ios::binary);
    if (!stream) return io_error(table.path.string() + ": cannot be read");
    CsvReader reader(stream);
    std::vector<std::string> fields;
    if (!reader.next(fields)) return corrupt(table.path.string() + ": is empty");
    BITTERN_RETURN_IF_ERROR(check_quotes(table, reader));
    BITTERN_ASSIGN_OR_RETURN(const Columns columns, find_columns(table, fields));
    const std::size_t width = fields.size();
    while (reader.next(fields)) {
      if (fields.size() != width) {
        malformed_.add(place_of(table, reader));
      } else if (!words_ || words_->contains(fields[columns.word])) {
        BITTERN_RETURN_IF_ERROR(read_row(table, columns, fields, reader));
      }
    }
    return check_quotes(table, reader);
  }

  static std::string place_of(const Table& table, const CsvReader& reader) {
    return fmt::format("{}, line {}", table.path.filename().string(), reader.line());
  }

  Status read_row(const Table& table, const Columns& columns, const std::vector<std::string>& fields,
                  const CsvReader& reader) {
    const std::optional<Split> split = table.split ? table.split : parse_set(fields[columns.set]);
    const std::string& word = fields[columns.word];
    const fs::path link = fields[columns.link];
    // Two plain names: a table must not reach outside its folder.
    const fs::path folder = link.parent_path();
    if (!split || word.empty() || !folder.has_filename() || folder != folder.filename() || folder == ".." ||
        folder == ".") {
      malformed_.add(place_of(table, reader));
      return {};
    }
    if (lower_case(fields[columns.valid]) != "true") {
      invalid_.add(fields[columns.link]);
      return {};
    }
    BITTERN_ASSIGN_OR_RETURN(const auto files, files_of(folder.string()));
    const auto file = files->find(link.stem().string());
    if (file == files->end()) {
      missing_.add(fields[columns.link]);
      return {};
    }
    const std::string& speaker = fields[columns.speaker];
    dataset_.clips.push_back({.path = file->second,
                              .label = labels_.index(word),
                              .speaker = speaker == "NA" ? "" : speaker,
                              .split = *split});
    return {};
  }

  using Files = std::map<std::string, fs::path>;  // by name without extension: .opus, or .wav since

  Expected<const Files*> files_of(const std::string& folder) {
    const auto [place, is_new] = folders_.try_emplace(folder);
    const fs::path path = dataset_.root / "clips" / folder;
    if (is_new && is_folder(path)) {
      BITTERN_ASSIGN_OR_RETURN(const Listing listing, list_folder(path));
      for (const fs::path& file : listing.audio) place->second.emplace(file.stem().string(), file);
    }
    return &place->second;
  }

  Dataset dataset_;
  std::optional<std::set<std::string>> words_;
  LabelList labels_;
  std::map<std::string, Files> folders_;
  LeftOut invalid_{"clip", "marked as not valid"};
  LeftOut missing_{"clip", "listed but not there"};
  LeftOut malformed_{"row", "malformed or of no split"};
};

}  // namespace

bool recognises_mswc(const fs::path& root) {
  if (!is_folder(root / "clips")) return false;
  const Expected<std::vector<Table>> tables = find_tables(root);
  return !tables.ok() || !tables->empty();
}

Expected<Dataset> scan_mswc(const fs::path& root, const ScanOptions& options) {
  BITTERN_ASSIGN_OR_RETURN(auto words, labels_of_task(options.task));
  return Scanner(root, std::move(words)).scan();
}

}  // namespace bittern::datasets
