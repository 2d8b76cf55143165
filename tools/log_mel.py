"""Bittern's front end (docs/front-end.md) in NumPy: features for models exported to other runtimes.

`front_end` is what `bittern inspect MODEL --json` has under that key, and an ONNX file in its metadata.
"""
import numpy as np


def window(samples, front_end):
    """As many samples as the network hears: a shorter clip in the middle of silence, a longer one from its start."""
    samples = np.asarray(samples, np.float64)[:front_end["clip_samples"]]
    missing = front_end["clip_samples"] - len(samples)
    return np.pad(samples, (missing // 2, missing - missing // 2))


def log_mel(samples, front_end):
    """[frames, bins] of mono samples within +-1 at the front end's rate."""
    length, size = front_end["frame_samples"], front_end["fft_size"]
    hann = 0.5 - 0.5 * np.cos(np.arange(length) * 2 * np.pi / length)
    frames = np.lib.stride_tricks.sliding_window_view(samples, length)[::front_end["hop_samples"]]
    spectrum = np.abs(np.fft.rfft(frames * hann, size))

    def mel(hz):
        return 1127 * np.log1p(np.asarray(hz) / 700)

    edges = np.linspace(mel(front_end["low_hz"]), mel(front_end["high_hz"]), front_end["mel_bins"] + 2)
    bins = mel(np.arange(size // 2 + 1) * front_end["sample_rate_hz"] / size)[:, None]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(rise, fall))
    weights[0] = 0
    features = np.log(spectrum @ weights + front_end["offset"])
    if "normalize_scale" in front_end:
        features = features * front_end["normalize_scale"] + front_end["normalize_bias"]
    return features.astype(np.float32)
