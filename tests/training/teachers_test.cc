// What teachers say against sessions run one clip at a time, and who may not teach.
#include "training/teachers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "audio/temp_folder.h"
#include "core/random.h"
#include "evaluation/varied_model.h"
#include "model/file.h"
#include "training/batches.h"

namespace bittern::training {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kClasses = 3;
constexpr int kClips = 7;

class Teaching : public testing::Test {
 protected:
  Teaching() {
    for (const std::uint64_t seed : {1U, 2U}) models_.push_back(varied(seed));
    lesson_ = {models_[0]->front_end, models_[0]->labels, "data",
               0.1};  // far from 1: they are nearly undecided
    Random random{3};
    features_.resize(kClips * per_clip());
    for (float& value : features_) value = random.uniform(-8, 2);
  }

  static std::shared_ptr<model::Model> varied(std::uint64_t seed) {
    const model::Model plain = *model::random_model(model::tiny_network(kClasses), seed);
    const auto samples = static_cast<std::size_t>(plain.front_end.clip_samples);
    auto model = evaluation::varied_model(plain.network, seed, evaluation::synthetic_clips(12, samples));
    model->temperatures.assign(model->temperatures.size(), 3);  // for those who run it; pupils have their own
    return model;
  }
  std::size_t per_clip() const {
    return static_cast<std::size_t>(lesson_.front_end.clip_frames()) *
           static_cast<std::size_t>(lesson_.front_end.mel_bins);
  }
  std::vector<TeacherModel> saved() const {
    std::vector<fs::path> files;
    for (const auto& model : models_) {
      files.push_back(folder_ / (std::to_string(files.size()) + ".bittern"));
      const Status done = model::save(*model, files.back());
      EXPECT_TRUE(done.ok()) << done.error().message;
    }
    return read_teachers(files).value();
  }
  // softmax(logits of the last exit / T) of a clip, in the model's own order.
  std::vector<double> said_by(const std::shared_ptr<const model::Model>& model, std::size_t clip) const {
    runtime::Session session = runtime::Session::create(model).value();
    std::vector<float> logits(static_cast<std::size_t>(model->network.exit_count()) * kClasses);
    EXPECT_TRUE(
        session.logits_from_features(std::span(features_).subspan(clip * per_clip(), per_clip()), logits)
            .ok());
    std::vector<double> result;
    double sum = 0;
    for (std::size_t i = logits.size() - kClasses; i < logits.size(); ++i) {
      result.push_back(std::exp(double{logits[i]} / lesson_.temperature));
      sum += result.back();
    }
    for (double& share : result) share /= sum;
    return result;
  }
  void expect_refused(const std::string& why) const {
    const auto created = Teachers::create(saved(), lesson_);
    ASSERT_FALSE(created.ok());
    EXPECT_EQ(created.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(created.error().message.find("1.bittern: cannot teach: "), std::string::npos);
    EXPECT_NE(created.error().message.find(why), std::string::npos) << created.error().message;
  }

  const test::TempFolder folder_;
  std::vector<std::shared_ptr<model::Model>> models_;
  Lesson lesson_;
  std::vector<float> features_;
};

TEST_F(Teaching, TheMeanOfTheLastExitsSoftenedIsTaught) {
  Teachers teachers = Teachers::create(saved(), lesson_).value();
  EXPECT_FALSE(teachers.empty());
  const std::vector<float> said = teachers.distribution(features_).value();
  ASSERT_EQ(said.size(), kClips * kClasses);
  double least = 1;
  for (std::size_t clip = 0; clip < kClips; ++clip) {
    const std::vector<double> first = said_by(models_[0], clip), second = said_by(models_[1], clip);
    for (std::size_t i = 0; i < kClasses; ++i) {
      EXPECT_NEAR(said[clip * kClasses + i], (first[i] + second[i]) / 2, 1e-6) << clip;
      least = std::min(least, double{said[clip * kClasses + i]});
    }
  }
  EXPECT_LT(least, 0.3) << "all alike: nothing was tested";
}

TEST_F(Teaching, WithoutTeachersNothingIsSaid) {
  Teachers none;
  EXPECT_TRUE(none.empty());
  EXPECT_TRUE(none.distribution(features_).value().empty());
}

TEST_F(Teaching, LabelsAreFoundByTheirNames) {
  std::vector<std::string>& labels = models_[1]->labels;
  std::rotate(labels.begin(), labels.begin() + 1, labels.end());
  Teachers teachers = Teachers::create(saved(), lesson_).value();
  const std::vector<float> said = teachers.distribution(features_).value();
  const std::vector<double> first = said_by(models_[0], 0), second = said_by(models_[1], 0);
  for (std::size_t i = 0; i < kClasses; ++i)
    EXPECT_NEAR(said[i], (first[i] + second[(i + kClasses - 1) % kClasses]) / 2, 1e-6) << i;
}

TEST_F(Teaching, WhoeverKnowsOtherLabelsIsRefused) {
  models_[1]->labels[1] = "other";
  expect_refused("does not know the label 'label-1' of data");
  models_[1]->labels[1] = "label-1";
  lesson_.labels.pop_back();
  const auto created = Teachers::create(saved(), lesson_);
  ASSERT_FALSE(created.ok());
  EXPECT_NE(created.error().message.find("knows a label 'label-2', which data has not"), std::string::npos)
      << created.error().message;
}

TEST_F(Teaching, WhoeverHearsOtherwiseIsRefused) {
  models_[1]->front_end.high_hz = 7000;
  expect_refused("high_hz is 7000, not 7800");
  models_[1]->front_end = models_[0]->front_end;
  const auto bins = static_cast<std::size_t>(lesson_.front_end.mel_bins);
  models_[1]->front_end.normalize_scale.assign(bins, 2);
  models_[1]->front_end.normalize_bias.assign(bins, 0);
  expect_refused("normalised otherwise");
}

TEST_F(Teaching, AFileIsKnownByItsNameAndBytesAndReadOnce) {
  const std::vector<TeacherModel> first = saved();
  EXPECT_EQ(first[0].name.file, "0.bittern");
  EXPECT_EQ(first[0].name.checksum.size(), 16U);
  EXPECT_EQ(saved()[1].name, first[1].name);
  EXPECT_NE(first[0].name.checksum, first[1].name.checksum);
  // Later changes of the file do not reach the teacher.
  Teachers teachers = Teachers::create(first, lesson_).value();
  const std::vector<float> before = teachers.distribution(features_).value();
  test::write_bytes(folder_ / "0.bittern", "");
  EXPECT_EQ(teachers.distribution(features_).value(), before);

  const std::vector<fs::path> missing{folder_ / "1.bittern", folder_ / "none.bittern"};
  EXPECT_EQ(read_teachers(missing).error().code, ErrorCode::kNotFound);
  const std::vector<fs::path> empty{folder_ / "0.bittern"};
  EXPECT_NE(read_teachers(empty).error().message.find("0.bittern: "), std::string::npos);
}

// Masked and mixed as the pupil hears it, whoever else trains.
TEST_F(Teaching, BatchesCarryWhatIsSaidOfTheirFeatures) {
  datasets::LoadedClips loaded;
  for (int clip = 0; clip < kClips; ++clip) {
    loaded.samples.push_back(evaluation::synthetic_clip(static_cast<std::uint64_t>(clip), 5000));
    loaded.labels.push_back(clip % static_cast<int>(kClasses));
  }
  const ClipStore clips(std::move(loaded));
  BatchSettings settings;
  settings.front_end = lesson_.front_end;
  settings.augment.mixup = 0.5;
  settings.plan = {kClips, 5};
  settings.epochs = 2;
  const std::vector<TeacherModel> models = saved();
  const auto source_of = [&](int rank, int ranks) {
    settings.rank = rank;
    settings.ranks = ranks;
    return BatchSource::create(clips, {}, settings, Teachers::create(models, lesson_).value()).value();
  };
  Teachers teachers = Teachers::create(models, lesson_).value();
  const auto whole = source_of(0, 1), first = source_of(0, 2), second = source_of(1, 2);
  for (int index = 0; index < 2; ++index) {
    const Batch batch = whole->next().value();
    EXPECT_EQ(batch.teacher, teachers.distribution(batch.features).value());
    std::vector<float> joined = first->next().value().teacher;
    const std::vector<float> rest = second->next().value().teacher;
    joined.insert(joined.end(), rest.begin(), rest.end());
    EXPECT_EQ(joined, batch.teacher);
  }
}

TEST_F(Teaching, ATeacherThatLosesItsWayEndsTheBatches) {
  datasets::LoadedClips loaded;
  loaded.samples.assign(2, std::vector<float>(5000));
  loaded.labels = {0, 1};
  const ClipStore clips(std::move(loaded));
  BatchSettings settings;
  settings.front_end = lesson_.front_end;
  settings.mask_fill = std::numeric_limits<float>::infinity();
  settings.plan = {2, 2};
  settings.epochs = 20;
  const auto source =
      BatchSource::create(clips, {}, settings, Teachers::create(saved(), lesson_).value()).value();
  Expected<Batch> batch = source->next();
  for (int index = 1; index < settings.epochs && batch.ok(); ++index) batch = source->next();
  ASSERT_FALSE(batch.ok());
  EXPECT_NE(batch.error().message.find("0.bittern: as a teacher: "), std::string::npos)
      << batch.error().message;
}

}  // namespace
}  // namespace bittern::training
