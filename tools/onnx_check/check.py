"""check.py BUILD [OUT]. See `run`."""
import json
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from check_support import CLIPS, ROOT, SHIPPED, bittern, clips, front_end, logits
from log_mel import log_mel, window
import soundfile

MOST = 1e-5  # what rounding alone may change a logit by, as a share of the exit's largest, or of 1
TIE = 1e-5  # a sign can flip by rounding only where a value is this near to 0
MOST_FLIPPED = 0.25  # of the clips


def session(graph):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def nearest_to_zero(path, features):
    """Per clip the smallest |value| that a sign is taken of: what rounding may flip."""
    model = onnx.load(path)
    values = [node.input[0] for node in model.graph.node if node.op_type == "Less"]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in dict.fromkeys(values))
    watched = session(model.SerializeToString())
    return np.array([min(np.abs(value).min() for value in watched.run(values, {"features": clip[None]})) for clip in features])


def check(build, folder, model, name):
    features = np.load(folder / "features.npy")
    expected = logits(build, model, folder / "features.npy")
    exits = expected.shape[1]
    out = folder / "model.onnx"
    bittern(build, "export", model, "--to", "onnx", "--out", out, "--quiet")
    files = [folder / f"model.exit{k}.onnx" for k in range(1, exits + 1)]
    whole, alone = session(str(out)), [session(str(file)) for file in files]
    assert [o.name for o in whole.get_outputs()] == [f"logits_{k}" for k in range(1, exits + 1)]
    together = np.stack(whole.run(None, {"features": features}), 1)
    apart = np.stack([graph.run([f"logits_{k}"], {"features": features})[0] for k, graph in enumerate(alone, 1)], 1)
    near = nearest_to_zero(out, features)
    row = {"model": name, "clips": len(features), "bytes_bittern": model.stat().st_size, "bytes_all_exits": out.stat().st_size,
           "exits": []}
    bad = False
    for k in range(exits):
        differences = np.stack([np.abs(got[:, k] - expected[:, k]).max(1) for got in (together, apart)])  # [form, clip]
        flipped = differences > MOST * max(1, np.abs(expected[:, k]).max())
        bad |= bool((flipped & (near > TIE)).any() or flipped.mean(1).max() > MOST_FLIPPED)
        row["exits"].append({
            "exit": k + 1,
            "largest_logit": round(float(np.abs(expected[:, k]).max()), 3),
            "largest_difference": {form: float(f"{differences[i][~flipped[i]].max(initial=0):.2g}")
                                   for i, form in enumerate(("all_exits", "one_exit"))},
            "flipped_clips": {form: int(flipped[i].sum()) for i, form in enumerate(("all_exits", "one_exit"))},
            "largest_difference_flipped": float(f"{differences[flipped].max(initial=0):.2g}"),
            "labels_differ": int(max((got[:, k].argmax(1) != expected[:, k].argmax(1)).sum() for got in (together, apart))),
            "bytes_one_exit": files[k].stat().st_size,
        })
        largest, flips = row["exits"][-1]["largest_difference"], row["exits"][-1]["flipped_clips"]
        print(f"{name:31} {k + 1:5} {row['exits'][-1]['largest_logit']:7.1f} {largest['all_exits']:9.1e} {largest['one_exit']:9.1e} "
              f"{flips['all_exits']:6} {flips['one_exit']:6} {row['exits'][-1]['labels_differ']:6}", flush=True)
    for file in (out, *files):
        file.unlink()
    if bad:
        print(f"{name}: WRONG: flips without a tie, or too many", flush=True)
    return row, bad


def check_page(build, folder):
    """docs/onnx.md's way from a recording to an answer, in NumPy and ONNX Runtime, beside `bittern classify`."""
    out = folder / "model.onnx"
    bittern(build, "export", SHIPPED, "--to", "onnx", "--exits", "all", "--out", out, "--quiet")
    graph = session(str(out))
    about = graph.get_modelmeta().custom_metadata_map
    labels, spec, exits = (json.loads(about[key]) for key in ("labels", "front_end", "exits"))
    lines = bittern(build, "classify", SHIPPED, *CLIPS, "--exit", len(exits), "--json").splitlines()
    same, largest = 0, 0.0
    for path, line in zip(CLIPS, lines):
        samples, rate = soundfile.read(path, dtype="float32")
        assert rate == int(about["sample_rate_hz"])
        answer = json.loads(line)
        assert answer["file"] == str(path)
        last = graph.run([exits[-1]["output"]], {"features": log_mel(window(samples, spec), spec)[None]})[0][0]
        scaled = last / exits[-1]["temperature"]
        probabilities = np.exp(scaled - scaled.max())
        probabilities /= probabilities.sum()
        same += labels[int(probabilities.argmax())] == answer["label"]
        largest = max(largest, float(np.abs(probabilities - answer["probabilities"]).max()))
    out.unlink()
    print(f"from recordings: {same} of {len(CLIPS)} labels the same, probabilities differ by at most {largest:.2g}")
    return {"model": SHIPPED.stem, "from": "recordings", "clips": len(CLIPS), "labels_same": same,
            "largest_probability_difference": float(f"{largest:.2g}")}


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    folder = build / "onnx_check"
    folder.mkdir(exist_ok=True)
    np.save(folder / "features.npy", clips(front_end(build)))
    print("                                        largest  largest difference   flipped clips  labels")
    print("model                            exit    logit  all exits  one exit    all    one    differ")
    rows, bad = [], False
    row, wrong = check(build, folder, SHIPPED, SHIPPED.stem)
    rows.append(row)
    bad |= wrong
    for name in ("quicknet", "birealnet-18", "binarydensenet-28", "meliusnet-22", "bittern-small"):
        for pool in ("time", "global"):
            model = folder / "random.bittern"
            subprocess.run([build / "tests/model/bittern_make_random", name, pool, "1", model], check=True)
            row, wrong = check(build, folder, model, f"random {name} {pool}")
            rows.append(row)
            bad |= wrong
            model.unlink()
    rows.append(check_page(build, folder))
    if len(sys.argv) > 2:
        pathlib.Path(sys.argv[2]).write_text("".join(json.dumps(row) + "\n" for row in rows))
    sys.exit(bad)


if __name__ == "__main__":
    main()
