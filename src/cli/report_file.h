// An evaluation as an HTML file.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>

#include "core/status.h"
#include "evaluation/report.h"

namespace bittern::cli {

// Whether this build can make one; kUnsupported says what to build.
Status can_write_page();

// The whole page appears at `path`, or nothing does.
Status write_page(const evaluation::Report& report, const std::string& path);

// A recording's bytes and their media type.
using Sound = std::pair<std::string, std::string>;

// results: as reproduce/results.h describes them. Writes results.json, report.html and, for each figure,
// figures/<name>.json and figures/<name>.svg into `folder`.
Status write_reproduction(
    const nlohmann::ordered_json& results,
    const std::function<Sound(const std::string& task, const std::string& file)>& recording,
    const std::filesystem::path& folder);

}  // namespace bittern::cli
