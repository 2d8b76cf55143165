#include "training/teachers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/mapped_file.h"
#include "exits/rule.h"
#include "model/file.h"

namespace bittern::training {
namespace {

Expected<TeacherModel> read_teacher(const std::filesystem::path& path) {
  BITTERN_ASSIGN_OR_RETURN(const auto file, MappedFile::open(path, model::kMaxFileBytes));
  // A copy first: the checksum is of the bytes that are read, whatever happens to the file.
  const std::vector<std::byte> bytes(file->bytes().begin(), file->bytes().end());
  BITTERN_ASSIGN_OR_RETURN(TeacherName name, name_teacher(path, bytes));
  auto model = model::read_copy(bytes);
  if (!model.ok())
    return Error{model.error().code, fmt::format("{}: {}", path.string(), model.error().message)};
  return TeacherModel{path, std::move(name), std::move(model).value()};
}

// In words, where a teacher's features are others than those that its pupil sees.
std::string difference(const features::LogMelSpec& own, const features::LogMelSpec& wanted) {
  const auto differs = [](const char* field, auto is, auto should) {
    return is == should ? std::string() : fmt::format("{} is {}, not {}", field, is, should);
  };
  for (const std::string& found :
       {differs("sample_rate", own.sample_rate, wanted.sample_rate),
        differs("clip_samples", own.clip_samples, wanted.clip_samples),
        differs("frame_length", own.frame_length, wanted.frame_length), differs("hop", own.hop, wanted.hop),
        differs("fft_size", own.fft_size, wanted.fft_size),
        differs("mel_bins", own.mel_bins, wanted.mel_bins), differs("low_hz", own.low_hz, wanted.low_hz),
        differs("high_hz", own.high_hz, wanted.high_hz), differs("offset", own.offset, wanted.offset)})
    if (!found.empty()) return found;
  return own == wanted ? std::string() : "they are normalised otherwise";
}

// Of each label in `wanted`, where `own` has it.
Expected<std::vector<std::size_t>> columns_of(const std::vector<std::string>& own,
                                              const std::vector<std::string>& wanted,
                                              const std::filesystem::path& data) {
  std::vector<std::size_t> columns;
  for (const std::string& label : wanted) {
    const auto found = std::find(own.begin(), own.end(), label);
    if (found == own.end())
      return invalid_argument(fmt::format("does not know the label '{}' of {}", label, data.string()));
    columns.push_back(static_cast<std::size_t>(found - own.begin()));
  }
  for (const std::string& label : own) {
    if (std::find(wanted.begin(), wanted.end(), label) == wanted.end())
      return invalid_argument(fmt::format("knows a label '{}', which {} has not", label, data.string()));
  }
  return columns;
}

}  // namespace

Expected<std::vector<TeacherModel>> read_teachers(std::span<const std::filesystem::path> files) {
  std::vector<TeacherModel> teachers;
  for (const std::filesystem::path& file : files) {
    BITTERN_ASSIGN_OR_RETURN(TeacherModel teacher, read_teacher(file));
    teachers.push_back(std::move(teacher));
  }
  return teachers;
}

Expected<Teachers> Teachers::create(std::span<const TeacherModel> models, const Lesson& lesson) {
  Teachers result;
  result.features_ = static_cast<std::size_t>(lesson.front_end.clip_frames()) *
                     static_cast<std::size_t>(lesson.front_end.mel_bins);
  result.temperature_ = static_cast<float>(lesson.temperature);
  for (const TeacherModel& teacher : models) {
    const auto refused = [&](const std::string& why) {
      return invalid_argument(fmt::format("{}: cannot teach: {}", teacher.file.string(), why));
    };
    if (const std::string found = difference(teacher.model->front_end, lesson.front_end); !found.empty())
      return refused("its features are not those of this training: " + found);
    auto columns = columns_of(teacher.model->labels, lesson.labels, lesson.data);
    if (!columns.ok()) return refused(columns.error().message);
    BITTERN_ASSIGN_OR_RETURN(runtime::Session session, runtime::Session::create(teacher.model));
    result.teachers_.push_back({teacher.file, std::move(session), std::move(columns).value()});
  }
  return result;
}

Expected<std::vector<float>> Teachers::distribution(std::span<const float> features) {
  if (empty()) return std::vector<float>();
  const std::size_t clips = features.size() / features_;
  const std::size_t classes = teachers_.front().columns.size();
  std::vector<float> result(clips * classes);
  std::vector<float> logits;
  std::vector<float> said(classes);
  for (Teacher& teacher : teachers_) {
    const auto exits = static_cast<std::size_t>(teacher.session.model().network.exit_count());
    logits.resize(exits * classes);
    for (std::size_t clip = 0; clip < clips; ++clip) {
      const Status done =
          teacher.session.logits_from_features(features.subspan(clip * features_, features_), logits);
      if (!done.ok())
        return Error{done.error().code,
                     fmt::format("{}: as a teacher: {}", teacher.file.string(), done.error().message)};
      exits::softmax(std::span(logits).last(classes), temperature_, said);
      for (std::size_t label = 0; label < classes; ++label)
        result[clip * classes + label] += said[teacher.columns[label]];
    }
  }
  for (float& share : result) share /= static_cast<float>(teachers_.size());
  return result;
}

}  // namespace bittern::training
