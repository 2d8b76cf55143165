// The folder of one training: what lies where, and how it is started or taken up again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/folder_lock.h"
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

  // Makes the folder if it is missing, locks it and removes what a killed training left half-written.
  // kFresh: it must hold nothing but, at most, the recipe of a training that came no further. kOverwrite:
  // it may hold anything; clear() comes later. kResume: it must hold a run, or nothing at all (a kill
  // may come before the first file). Errors also: another training is at work there.
  Expected<FolderLock> prepare(StartMode mode) const;
  // Removes an earlier training's files, no others.
  Status clear() const;

  // Appends a line to metrics.jsonl, on the disk when this returns; the file's new length in bytes.
  Expected<std::int64_t> append_metrics(const std::string& line) const;
  // Takes away what was written after `bytes`.
  Status truncate_metrics(std::int64_t bytes) const;
  // For a run without a checkpoint: metrics.jsonl as it was at the start. An error where so many epochs are
  // in it that a checkpoint must have been there.
  Status start_over() const;

  Status write_recipe(const Recipe& recipe) const;
  Expected<Recipe> read_recipe() const;
};

}  // namespace bittern::training
