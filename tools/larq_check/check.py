"""check.py BUILD [OUT [DIR] | --fixtures]. See `run`."""
import json
import pathlib
import sys
import tarfile

import networks
import numpy as np
from check_support import CLIPS, ROOT, bittern, clips, front_end, logits

FIXTURES = ROOT / "tests/convert/fixtures"
MOST = 1e-3
MOST_FLIPPED = 0.25  # of the clips
TIE = 2.0**-20  # of a layer's largest value: some float roundings, so near to 0 that another order of a sum may flip its sign
MOST_CLIPS = 100


def imported(build, folder, path, name, exit_quantizer=None):
    model = folder / "imported.bittern"
    hint = ["--exit-quantizer", exit_quantizer] if exit_quantizer else []
    bittern(build, "import", path, "--from", "larq", "--architecture", name, "--out", model, "--quiet", *hint)
    return logits(build, model, folder / "features.npy")


def recordings(folder):
    found = sorted(folder.rglob("*.flac"))
    if not found:
        sys.exit(f"{folder}: no FLAC recordings in it")
    return found[::-(-len(found) // MOST_CLIPS)]


def check(build, out=None, data=None):
    folder = build / "larq_check"
    folder.mkdir(exist_ok=True)
    features = clips(front_end(build), recordings(data) if data else CLIPS)
    np.save(folder / "features.npy", features)
    failed, rows = False, []
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
                rows.append({
                    "network": name, "exits": exits, "head": kind, "file": form, "clips": len(worst),
                    "largest_logit": round(float(np.abs(expected).max()), 3),
                    "largest_difference": float(f"{worst[~flipped].max(initial=0):.2g}"),
                    "flipped_clips": int(flipped.sum()),
                    "largest_difference_flipped": float(f"{worst[flipped].max(initial=0):.2g}"),
                    "labels_differ": int((got.argmax(2) != expected.argmax(2)).any(1).sum()),
                    "clips_near_a_tie": int((near <= TIE).sum()),
                })
                path.unlink()
    if out:
        out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    sys.exit(failed)


def pack(name, path):
    """A file in an archive of its own: Keras's layout is mostly empty space."""
    with tarfile.open(FIXTURES / f"{name}.tar.gz", "w:gz", compresslevel=9) as archive:
        member = tarfile.TarInfo(path.name)
        member.size = path.stat().st_size
        with path.open("rb") as file:
            archive.addfile(member, file)
    path.unlink()


def fixtures(build):
    """A narrow network of each kind, features of two clips, and what Larq says of them."""
    features = np.round(clips(front_end(build))[[0, -1]] * 8) / 8  # short when packed
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
            if networks.nearest_to_zero(model, features).min() > 2 * TIE or seed == 16:
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
    fixtures(folder) if sys.argv[2:] == ["--fixtures"] else check(folder, *map(pathlib.Path, sys.argv[2:]))
