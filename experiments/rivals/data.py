"""Clips, splits and speakers of folders as `bittern train` has them (docs/datasets.md).

Labels are sorted by their bytes, clips by split, label and path, so that a clip has the number that it has there.
"""
import dataclasses
import sys

import numpy as np
import soundfile

import front_end
from speakers import EXTENSIONS, speaker_of

SPLITS = ("train", "validation", "test")


def fail(message):
    sys.exit(f"data: {message}")


def recordings(folder):
    return sorted((path for path in folder.iterdir()
                   if path.is_file() and path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")),
                  key=lambda path: str(path).encode())


def decode(path):
    """Mono samples at the front end's rate, float32 within +-1."""
    samples, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    if rate != front_end.FRONT_END["sample_rate_hz"]:
        fail(f"{path}: has {rate} Hz; only {front_end.FRONT_END['sample_rate_hz']} Hz is read here")
    return samples.mean(1)


@dataclasses.dataclass
class Split:
    files: list     # relative to the data's folder
    labels: np.ndarray
    speakers: list
    samples: list   # float32 arrays; empty where the clips were not decoded


@dataclasses.dataclass
class Data:
    labels: list
    splits: dict


def find(root, splits=SPLITS):
    """The clips of a folder <split>/<class>/<clip>; nothing is decoded yet."""
    folders = [root / split for split in SPLITS]
    for folder in folders:
        if not folder.is_dir():
            fail(f"{folder}: no such folder; expected DIR/{{train,validation,test}}/<class>/<clip>")
    names = {path.name for folder in folders for path in folder.iterdir()
             if path.is_dir() and not path.name.startswith(".") and path.name != "_background_noise_"}
    labels = sorted(names, key=lambda name: name.encode())
    found = {}
    for split in splits:
        paths, numbers = [], []
        for number, label in enumerate(labels):
            folder = root / split / label
            mine = recordings(folder) if folder.is_dir() else []
            paths += mine
            numbers += [number] * len(mine)
        if not paths:
            fail(f"{root / split}: no clips")
        found[split] = Split([path.relative_to(root).as_posix() for path in paths], np.array(numbers),
                             [speaker_of(path.name) for path in paths], [])
    return Data(labels, found)


def load(root, splits):
    data = find(root, splits)
    for split in data.splits.values():
        split.samples = [decode(root / file) for file in split.files]
    return data


def load_noise(folder):
    if folder is None:
        return []
    paths = sorted((path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in EXTENSIONS),
                   key=lambda path: str(path).encode())
    if not paths:
        fail(f"{folder}: no recordings in this folder")
    return [decode(path) for path in paths]


def window_at(samples, start, length):
    """Samples start .. start + length - 1, 0 outside of the clip."""
    window = np.zeros(length, np.float32)
    first, last = max(-start, 0), min(len(samples) - start, length)
    if last > first:
        window[first:last] = samples[start + first:start + last]
    return window


def centre(length, window):
    return (length - window) // 2 if length >= window else -((window - length) // 2)
