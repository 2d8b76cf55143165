"""Accuracies with their 95 % intervals, the same numbers as src/evaluation/interval.cc."""
import math

import numpy as np

import draws

Z = 1.959963984540054
RESAMPLES = 2000
SEED = 0xB1773


def wilson(right, clips):
    centre = (right + Z * Z / 2) / (clips + Z * Z)
    half = Z / (clips + Z * Z) * math.sqrt(right * (clips - right) / clips + Z * Z / 4)
    value = right / clips
    return min(max(centre - half, 0.0), value), max(min(centre + half, 1.0), value)


def groups_of(speakers):
    """A number per clip, the same for clips of one speaker; a clip without a speaker stands for itself."""
    known, numbers = {}, []
    for index, speaker in enumerate(speakers):
        numbers.append(known.setdefault(speaker if speaker else ("", index), len(known)))
    return np.array(numbers)


def resampled_means(values, groups):
    """Sorted means of `values` over 2,000 draws of whole groups, or None where every clip is its own."""
    count = int(groups.max()) + 1
    if count == len(values):
        return None
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
    means = resampled_means(right, groups_of(speakers))
    if means is not None:
        drawn = ends(means)
        low, high = min(low, drawn[0]), max(high, drawn[1])
    return {"value": float(right.mean()), "low": low, "high": high, "clips": len(right)}


def difference(right, other, speakers):
    """Of two classifiers on the same clips: accuracy of the first less that of the second, bootstrap over speakers."""
    paired = np.asarray(right, np.float64) - np.asarray(other, np.float64)
    means = resampled_means(paired, groups_of(speakers))
    low, high = ends(means) if means is not None else (float("nan"), float("nan"))
    return {"value": float(paired.mean()), "low": low, "high": high, "won": int((paired > 0).sum()), "lost": int((paired < 0).sum())}
