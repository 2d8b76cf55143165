"""What the checks against other frameworks share: the recordings' features, and what Bittern makes of them."""
import json
import pathlib
import subprocess
import sys

import numpy as np
import soundfile

from log_mel import log_mel, window

ROOT = pathlib.Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "models/quicknet-speech-commands-12.bittern"
CLIPS = sorted((ROOT / "samples").rglob("*.flac"))


def bittern(build, *arguments):
    return subprocess.run([build / "bin/bittern", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def front_end(build, model=SHIPPED):
    return json.loads(bittern(build, "inspect", model, "--json"))["front_end"]


def clips(spec, recordings=CLIPS):
    """[clips, frames, bins] of recordings at the front end's rate, those in samples/ by default."""
    features = []
    for path in recordings:
        samples, rate = soundfile.read(path, dtype="float32")
        if rate != spec["sample_rate_hz"] or samples.ndim != 1:
            sys.exit(f"{path}: has {rate} Hz and {samples.ndim} channels; give mono recordings of {spec['sample_rate_hz']} Hz")
        features.append(log_mel(window(samples, spec), spec))
    return np.stack(features)


def logits(build, model, features):
    """[clips, exits, classes]; `features` is a .npy file."""
    lines = bittern(build, "classify", model, "--features", features, "--logits", "--json").splitlines()
    return np.array([json.loads(line)["logits"] for line in lines], np.float32)
