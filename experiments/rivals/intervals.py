"""Accuracies with their 95 % intervals, the same numbers as src/evaluation/interval.cc."""
import numpy as np

import draws
from wilson import wilson

RESAMPLES = 2000
SEED = 0xB1773


def groups_of(speakers):
    """A number per clip, the same for clips of one speaker; a clip without a speaker stands for itself."""
    known, numbers = {}, []
    for index, speaker in enumerate(speakers):
        numbers.append(known.setdefault(speaker if speaker else ("", index), len(known)))
    return np.array(numbers)


def resampled_means(values, groups):
    """Sorted means of `values` over 2,000 draws of whole groups; where every clip is its own, of clips."""
    count = int(groups.max()) + 1
    sums, sizes = np.bincount(groups, values, count), np.bincount(groups, minlength=count)
    means = []
    for turn in range(RESAMPLES):
        drawn = draws.Random(SEED, turn).below_many(count, count)
        means.append(sums[drawn].sum() / sizes[drawn].sum())
    return np.sort(means)


def ends(sorted_means):
    tail = RESAMPLES // 40
    return float(sorted_means[tail]), float(sorted_means[RESAMPLES - 1 - tail])


def proportion(right, speakers):
    """The share of ones in `right`: the hull of Wilson's interval over clips and the bootstrap's over speakers."""
    right = np.asarray(right, np.float64)
    low, high = wilson(int(right.sum()), len(right))
    groups = groups_of(speakers)
    if int(groups.max()) + 1 < len(right):
        drawn = ends(resampled_means(right, groups))
        low, high = min(low, drawn[0]), max(high, drawn[1])
    return {"value": float(right.mean()), "low": low, "high": high, "clips": len(right)}


def difference(right, other, speakers):
    """Of two classifiers on the same clips: accuracy of the first less that of the second, bootstrap over speakers, or over clips
    where each stands alone."""
    paired = np.asarray(right, np.float64) - np.asarray(other, np.float64)
    low, high = ends(resampled_means(paired, groups_of(speakers)))
    return {"value": float(paired.mean()), "low": low, "high": high, "won": int((paired > 0).sum()), "lost": int((paired < 0).sum())}
