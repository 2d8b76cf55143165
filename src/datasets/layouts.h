// The functions of each layout, one file per layout; layouts.cc lists them.
#pragma once

#include <filesystem>
#include <string_view>

#include "core/status.h"
#include "datasets/dataset.h"

namespace bittern::datasets {

// Holds background recordings, in the layouts that have them.
inline constexpr std::string_view kNoiseFolder = "_background_noise_";

bool recognises_speech_commands(const std::filesystem::path& root);
Expected<Dataset> scan_speech_commands(const std::filesystem::path& root, const ScanOptions& options);

bool recognises_mswc(const std::filesystem::path& root);
Expected<Dataset> scan_mswc(const std::filesystem::path& root, const ScanOptions& options);

bool recognises_voxforge(const std::filesystem::path& root);
Expected<Dataset> scan_voxforge(const std::filesystem::path& root, const ScanOptions& options);

bool recognises_folders(const std::filesystem::path& root);
Expected<Dataset> scan_folders(const std::filesystem::path& root, const ScanOptions& options);

}  // namespace bittern::datasets
