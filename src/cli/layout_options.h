// The options by which a command is told how a data set lies on disk: --layout and --task.
#pragma once

#include "cli/arguments.h"
#include "datasets/dataset.h"

namespace bittern::cli {

void add_layout_options(Arguments& arguments, datasets::ScanOptions& scan);

}  // namespace bittern::cli
