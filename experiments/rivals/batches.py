"""Clips to features: each clip's centre for validation, augmented windows for training, as `bittern train` has them.

With the same seed a network hears the same variations of the same clips in the same order as there.
"""
import dataclasses

import numpy as np
import torch

import data
import draws
import front_end

MEAN_CLIPS = 1000  # of so many the value is taken that masks are filled with


def features_of(split, log_mel, batch=256):
    """[clips, frames, bins]: each clip's centre, as validation sees it."""
    length = front_end.FRONT_END["clip_samples"]
    rows = []
    for first in range(0, len(split.samples), batch):
        windows = [data.window_at(samples, data.centre(len(samples), length), length)
                   for samples in split.samples[first:first + batch]]
        rows.append(log_mel(torch.from_numpy(np.stack(windows))))
    return torch.cat(rows)


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """src/training/recipe.h's settings and defaults."""

    shift_ms: int = 100
    noise_probability: float = 0.8
    noise_level: float = 0.1
    masks: int = 2  # over time, and as many over frequency
    time_mask_frames: int = 20
    frequency_mask_bins: int = 10


def augmented_window(samples, noise, settings, random):
    """augment_samples() of src/training/augment.cc, with the same draws in the same order."""
    length = front_end.FRONT_END["clip_samples"]
    start = data.centre(len(samples), length)
    if len(samples) > length:
        start = random.between(0, len(samples) - length)
    if settings.shift_ms > 0:
        most = settings.shift_ms * front_end.FRONT_END["sample_rate_hz"] // 1000
        start -= random.between(-most, most)
    window = data.window_at(samples, start, length)
    if not noise or settings.noise_probability <= 0 or random.uniform() >= np.float32(settings.noise_probability):
        return window
    recording = noise[random.below(len(noise))]
    level = np.float32(settings.noise_level) * random.uniform()
    first = random.between(0, max(len(recording) - length, 0))
    return window + recording[(first + np.arange(length)) % len(recording)] * level


def mask(features, settings, fill, random):
    """augment_features() of src/training/augment.cc; features [frames, bins] are changed in place."""
    frames, bins = features.shape
    for _ in range(settings.masks):
        width = random.between(0, min(settings.time_mask_frames, frames))
        first = random.between(0, frames - width)
        features[first:first + width] = fill
    for _ in range(settings.masks):
        width = random.between(0, min(settings.frequency_mask_bins, bins))
        first = random.between(0, bins - width)
        features[:, first:first + width] = fill


class Batches:
    """An epoch's augmented batches; clips left over after the last full one wait for another epoch's shuffle."""

    def __init__(self, split, noise, settings, batch, seed, log_mel):
        self.split, self.noise, self.settings = split, noise, settings
        self.batch, self.seed, self.log_mel = batch, seed, log_mel
        used = min(len(split.samples), MEAN_CLIPS)
        some = [i * len(split.samples) // used for i in range(used)]
        self.fill = float(features_of(data.Split([], None, [], [split.samples[i] for i in some]), log_mel).double().mean())

    def __len__(self):
        return len(self.split.samples) // self.batch

    def epoch(self, epoch):
        """Yields (features [batch, frames, bins], labels [batch])."""
        order = draws.shuffled(len(self.split.samples), self.seed, epoch)
        for index in range(len(self)):
            clips = order[index * self.batch:(index + 1) * self.batch]
            randoms = [draws.Random(self.seed, draws.AUGMENT, epoch, clip) for clip in clips]
            windows = [augmented_window(self.split.samples[clip], self.noise, self.settings, random)
                       for clip, random in zip(clips, randoms)]
            features = self.log_mel(torch.from_numpy(np.stack(windows)))
            for row, random in zip(features, randoms):
                mask(row, self.settings, self.fill, random)
            yield features, torch.from_numpy(self.split.labels[clips])
