// The folder of one training: what lies where, and how it is started or taken up again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/status.h"
#include "training/recipe.h"

namespace bittern::training {

enum class StartMode : std::uint8_t { kFresh, kResume, kOverwrite };

struct RunFolder {
  std::filesystem::path root;
  std::filesystem::path recipe() const { return root / "recipe.json"; }
  std::filesystem::path metrics() const { return root / "metrics.jsonl"; }
  std::filesystem::path checkpoint() const { return root / "checkpoint.pt"; }
  std::filesystem::path best() const { return root / "best.bittern"; }

  // kFresh: makes the folder, which must be empty if it is there. kOverwrite: removes an earlier training's
  // files, no others. kResume: the folder must be there.
  Status prepare(StartMode mode) const;

  // Appends a line to metrics.jsonl; the file's new length in bytes.
  Expected<std::int64_t> append_metrics(const std::string& line) const;
  // Takes away what was written after `bytes`.
  Status truncate_metrics(std::int64_t bytes) const;

  Status write_recipe(const Recipe& recipe) const;
  Expected<Recipe> read_recipe() const;
};

}  // namespace bittern::training
