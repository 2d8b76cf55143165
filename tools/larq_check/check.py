"""check.py BUILD [--fixtures]. See `run`."""
import json
import pathlib
import subprocess
import sys
import tarfile

import networks
import numpy as np
import soundfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/convert/fixtures"
MOST = 1e-3
MOST_FLIPPED = 0.25  # of the clips
TIE = 1e-3  # a sign can flip by rounding only where a value is this near to 0


def log_mel(samples):
    """docs/front-end.md, in NumPy."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 400)[::160] * (0.5 - 0.5 * np.cos(np.arange(400) * 2 * np.pi / 400))
    spectrum = np.abs(np.fft.rfft(frames, 1024))
    mel = lambda hz: 1127 * np.log1p(np.asarray(hz) / 700)
    edges = np.linspace(mel(60), mel(7800), 66)
    bins = mel(np.arange(513) * 16000 / 1024)[:, None]
    rise, fall = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2]), (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.log(spectrum @ np.maximum(0, np.minimum(rise, fall)) + 1e-6).astype(np.float32)


def clips():
    found = []
    for path in sorted((ROOT / "samples").rglob("*.flac")):
        samples = soundfile.read(path, dtype="float32")[0][:16000]
        missing = 16000 - len(samples)
        found.append(log_mel(np.pad(samples, (missing // 2, missing - missing // 2))))
    return np.stack(found)


def bittern(build, *arguments):
    return subprocess.run([build / "bin/bittern", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def imported(build, folder, path, name, exit_quantizer=None):
    model = folder / "imported.bittern"
    hint = ["--exit-quantizer", exit_quantizer] if exit_quantizer else []
    bittern(build, "import", path, "--from", "larq", "--architecture", name, "--out", model, "--quiet", *hint)
    lines = bittern(build, "classify", model, "--features", folder / "features.npy", "--logits", "--json").splitlines()
    return np.array([json.loads(line)["logits"] for line in lines], np.float32)


def check(build):
    folder = build / "larq_check"
    folder.mkdir(exist_ok=True)
    features = clips()
    np.save(folder / "features.npy", features)
    failed = False
    print("network            exits         file      largest difference  flipped clips  (of)")
    for name in networks.NETWORKS:
        for kind, exits in [("original", 1), *((kind, 5) for kind in networks.EXITS), ("norm-before", 1)]:
            model = networks.build(name, kind, exits)
            expected, near = networks.logits(model, features), networks.nearest_to_zero(model, features)
            quantizer = networks.EXITS.get(kind, (None,))[-1] or "none"
            for form in ("whole", "weights"):
                path = folder / f"{form}.h5"
                model.save(path, include_optimizer=False) if form == "whole" else model.save_weights(path)
                got = imported(build, folder, path, name, quantizer if form == "weights" else None)
                worst = np.abs(got - expected).max((1, 2))
                flipped = worst > MOST
                bad = (flipped & (near > TIE)).any() or flipped.mean() > MOST_FLIPPED
                failed |= bool(bad)
                print(f"{name:18} {exits} {kind:12} {form:8} {worst[~flipped].max(initial=0):19.1e} {flipped.sum():14} {len(worst):5}"
                      + ("  WRONG" if bad else ""), flush=True)
                path.unlink()
    sys.exit(failed)


def pack(name, path):
    """A file in an archive of its own: Keras's layout is mostly empty space."""
    with tarfile.open(FIXTURES / f"{name}.tar.gz", "w:gz", compresslevel=9) as archive:
        member = tarfile.TarInfo(path.name)
        member.size = path.stat().st_size
        with path.open("rb") as file:
            archive.addfile(member, file)
    path.unlink()


def fixtures():
    """A narrow network of each kind, features of two clips, and what Larq says of them."""
    features = np.round(clips()[[0, -1]] * 8) / 8  # short when packed
    FIXTURES.mkdir(parents=True, exist_ok=True)
    np.save(FIXTURES / "features.npy", features)
    pack("features", FIXTURES / "features.npy")
    expected = {}
    for name, (kind, exits, form) in zip(networks.NETWORKS, [("norm-after", 5, "weights"), ("norm-between", 5, "whole"),
                                                            ("original", 1, "weights"), ("norm-before", 5, "weights")]):
        seed = 1
        while True:  # without a value so near to 0 that rounding may flip its sign
            networks.tf.keras.backend.clear_session()
            model = networks.build(name, kind, exits, narrow=True, classes=3, seed=seed)
            if networks.nearest_to_zero(model, features).min() > 1e-5 or seed == 16:
                break
            seed += 1
        path = FIXTURES / f"{name}.h5"
        model.save(path, include_optimizer=False) if form == "whole" else model.save_weights(path)
        pack(name, path)
        expected[name] = {"exit_quantizer": networks.EXITS.get(kind, (None,))[-1] or "none",
                          "logits": networks.logits(model, features).tolist()}
        print(name, kind, "seed", seed)
    (FIXTURES / "logits.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1]).resolve()
    fixtures() if sys.argv[2:] == ["--fixtures"] else check(folder)
