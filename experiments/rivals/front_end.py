"""Log-mel features as docs/front-end.md has them, and the inputs that the published networks make of such features."""
import numpy as np

FRONT_END = {"sample_rate_hz": 16000, "clip_samples": 16000, "frame_samples": 400, "hop_samples": 160,
             "fft_size": 1024, "mel_bins": 64, "low_hz": 60.0, "high_hz": 7800.0, "offset": 1e-6, "clip_frames": 98}
FRAMES, BINS = FRONT_END["clip_frames"], FRONT_END["mel_bins"]


def mel_weights():
    """[fft_size / 2 + 1, bins]"""
    def mel(hz):
        return 1127 * np.log1p(np.asarray(hz, np.float64) / 700)

    half = FRONT_END["fft_size"] // 2
    edges = np.linspace(mel(FRONT_END["low_hz"]), mel(FRONT_END["high_hz"]), BINS + 2)
    points = mel(np.arange(half + 1) * FRONT_END["sample_rate_hz"] / FRONT_END["fft_size"])[:, None]
    rise = (points - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - points) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(rise, fall))
    weights[0] = 0
    return weights


class LogMel:
    """[clips, samples] to [clips, frames, bins] in torch, float32, many clips at once."""

    def __init__(self):
        import torch

        self.torch = torch
        length = FRONT_END["frame_samples"]
        self.hann = torch.tensor(0.5 - 0.5 * np.cos(np.arange(length) * 2 * np.pi / length), dtype=torch.float32)
        self.weights = torch.tensor(mel_weights(), dtype=torch.float32)

    def __call__(self, samples):
        frames = samples.unfold(1, FRONT_END["frame_samples"], FRONT_END["hop_samples"]) * self.hann
        spectrum = self.torch.fft.rfft(frames, n=FRONT_END["fft_size"])
        magnitude = (spectrum.real.square() + spectrum.imag.square()).sqrt()  # abs() takes twice as long
        return self.torch.log(magnitude @ self.weights + FRONT_END["offset"])


def _dct(bins, kept):
    """[bins, kept]: the first coefficients of an orthonormal DCT-II."""
    angles = np.pi / bins * (np.arange(bins)[:, None] + 0.5) * np.arange(kept)
    matrix = np.cos(angles) * np.sqrt(2 / bins)
    matrix[:, 0] = np.sqrt(1 / bins)
    return matrix


def _narrowed(bins, kept):
    """[bins, kept]: each new bin is the mean over its stretch of the old ones, parts of a bin in proportion."""
    matrix = np.zeros((bins, kept))
    width = bins / kept
    for new in range(kept):
        for old in range(bins):
            shared = min(old + 1, (new + 1) * width) - max(old, new * width)
            matrix[old, new] = max(0.0, shared) / width
    return matrix


def _every(frames, step):
    """[frames / step, frames]: the first of each `step` frames."""
    return np.eye(frames)[::step]


def _means(frames, step):
    """[frames / step, frames]: means of `step` frames, what is left over cut off at both ends alike."""
    rows = frames // step
    first = (frames - rows * step) // 2
    matrix = np.zeros((rows, frames))
    for row in range(rows):
        matrix[row, first + row * step:first + (row + 1) * step] = 1 / step
    return matrix


# What a network reads is rows @ log-mel @ columns: a fixed step of its front end. "98x64" is the log-mel itself.
INPUTS = {
    "98x64": lambda: (np.eye(FRAMES), np.eye(BINS)),
    "49x10": lambda: (_every(FRAMES, 2), _dct(BINS, 10)),          # MFCC each 20 ms, as DS-CNN
    "98x40": lambda: (np.eye(FRAMES), _narrowed(BINS, 40)),        # 40 bins each 10 ms, as BC-ResNet
    "32x32": lambda: (_means(FRAMES, 3), _narrowed(BINS, 32)),     # 32 bins each 32 ms, as BiFSMN (here 30 ms)
}


def input_matrices(name):
    rows, columns = INPUTS[name]()
    return rows.astype(np.float32), columns.astype(np.float32)


def reduced(features, name):
    """NumPy's form for what runs without torch; features [clips, frames, bins]."""
    rows, columns = input_matrices(name)
    return (rows @ features @ columns).astype(np.float32)
