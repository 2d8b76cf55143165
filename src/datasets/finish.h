// The last step of every layout: order, checks, warnings.
#pragma once

#include "core/status.h"
#include "datasets/dataset.h"

namespace bittern::datasets {

// Takes a data set with `root`, `layout`, `labels` and `clips`; sets its name, sorts labels and clips, and
// checks: no clips at all and a label with no clips are errors, as are labels that are not UTF-8 text or not
// one line; a label that one split has and another lacks, and speakers in several splits, are warnings.
Expected<Dataset> finish(Dataset dataset);

}  // namespace bittern::datasets
