#include "cli/layout_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

namespace bittern::cli {

void add_layout_options(Arguments& arguments, datasets::ScanOptions& scan) {
  std::vector<std::string> layouts{"auto"};
  for (const datasets::Layout& layout : datasets::layouts()) layouts.emplace_back(layout.name);
  arguments
      .add("--layout NAME", scan.layout,
           fmt::format("How the folder is laid out: {}", fmt::join(layouts, ", ")))
      .check(one_of(layouts))
      .show_default();
  arguments.add("--task NAME", scan.task, "The layout's task, such as 12 or 35 for speech-commands");
}

}  // namespace bittern::cli
