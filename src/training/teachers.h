// Finished models that a training learns from: what they say of a batch, softened and averaged (loss.h).
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/status.h"
#include "features/log_mel_spec.h"
#include "model/model.h"
#include "runtime/session.h"
#include "training/recipe.h"

namespace bittern::training {

// A model file, read whole: a training goes on for hours, and what happens to the file meanwhile is nothing
// to it.
struct TeacherModel {
  std::filesystem::path file;
  TeacherName name;
  std::shared_ptr<const model::Model> model;
};

// Errors: those of model::open(); a name that cannot be told in JSON.
Expected<std::vector<TeacherModel>> read_teachers(std::span<const std::filesystem::path> files);

// What a pupil looks at and answers with. Its teachers must do the same.
struct Lesson {
  features::LogMelSpec front_end;
  std::vector<std::string> labels;
  std::filesystem::path data;  // where the labels come from, for complaints
  double temperature = 1;      // T
};

// For one thread at a time. All sums have one order, so the same models say the same bits anywhere.
class Teachers {
 public:
  Teachers() = default;  // none
  // Errors: labels that the data have and a teacher has not, or the other way round; another front end.
  static Expected<Teachers> create(std::span<const TeacherModel> models, const Lesson& lesson);

  bool empty() const { return teachers_.empty(); }

  // features: [clips, frames, bins]. Gives [clips, classes], classes in the lesson's order: the mean over
  // teachers of softmax(logits of the last exit / T). Errors: those of Session::logits_from_features().
  Expected<std::vector<float>> distribution(std::span<const float> features);

 private:
  struct Teacher {
    std::filesystem::path file;
    runtime::Session session;
    std::vector<std::size_t> columns;  // of each of the lesson's labels, the teacher's own
  };

  std::vector<Teacher> teachers_;
  std::size_t features_ = 0;  // of a clip
  float temperature_ = 1;
};

}  // namespace bittern::training
