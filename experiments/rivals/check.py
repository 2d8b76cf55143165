#!/usr/bin/env python3
"""Checks the rivals' tools against Bittern, and their LiteRT models against PyTorch. Takes a minute or two.

    experiments/rivals/check.py --bittern build/release/bin/bittern --data DIR [--environment build/rivals/venv]

- the front end against tools/log_mel.py and, in its parameters, against a model's own;
- draws against numbers that src/core/random.h gave;
- clips, labels and speakers of each split against `bittern evaluate` with a model of models/;
- parameter counts against the papers';
- with --environment every network with random weights: float32 in LiteRT against PyTorch, int8 against float32.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tools"))

CLIPS = 16  # of the validation split, for LiteRT
# Parameters that the papers state, in thousands. DS-CNN-S: what MLPerf Tiny counts, without its 576 biases before batch norms.
PUBLISHED = {"ds-cnn-s": 23.2, "bc-resnet-1": 9.2, "bc-resnet-3": 54.2}

failures = 0


def expect(right, text):
    global failures
    failures += not right
    print(f"{'ok  ' if right else 'FAIL'} {text}", flush=True)


def ask(bittern, *words):
    done = subprocess.run([bittern, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"check: {done.stderr.strip()}")
    return json.loads(done.stdout)


def check_front_end(clips, told):
    import torch

    import front_end
    from log_mel import log_mel

    expect(told == front_end.FRONT_END, "front end has the model's parameters")
    own = front_end.LogMel()(torch.from_numpy(np.stack(clips))).numpy()
    exact = np.stack([log_mel(clip, front_end.FRONT_END) for clip in clips])
    difference = float(np.abs(own - exact).max())
    # Digital silence and the like: float32 next to ln(1e-6).
    expect(difference < 0.01, f"features differ from tools/log_mel.py by {difference:.1e} at most")


def check_draws():
    import draws

    random = draws.Random(0, draws.AUGMENT, 0, 17)
    drawn = [random.next() for _ in range(3)]
    expect(drawn == [16114111689078999982, 4587914552113100625, 15518577857118808688] and
           random.uniform() == np.float32(0.341636956), "draws are those of src/core/random.h")
    one, many = draws.Random(7), draws.Random(7)
    expect([one.below(13) for _ in range(50)] == list(many.below_many(13, 50)) and one.next() == many.next(),
           "many draws at once are the same")


def check_splits(bittern, root, model):
    import data

    found = data.find(root)
    for split, mine in found.splits.items():
        told = ask(bittern, "evaluate", model, "--data", root, "--split", split, "--per-clip", "--quiet", "--json", "-")
        theirs = [(clip["file"], clip["truth"]) for clip in told["clips"]]
        # A silence has no speaker; Bittern counts those apart.
        speakers = {speaker for speaker in mine.speakers if speaker}
        expect(theirs == [(file, found.labels[label]) for file, label in zip(mine.files, mine.labels)] and
               found.labels == told["labels"] and len(speakers) == told["data"]["speakers"] and
               mine.speakers.count("") == told["data"]["clips_of_unknown_speakers"],
               f"{split}: {len(mine.files)} clips of {len(speakers)} speakers in the same order")


def check_counts():
    import networks

    for name, published in PUBLISHED.items():
        count = networks.counts(networks.make(name, 12, networks.NETWORKS[name][1]))["parameters"]
        expect(round(count / 1000, 1) == published, f"{name} has {count} parameters; published {published} thousand")


def disturb(rival, features):
    """Random weights and statistics that are not the identity, and inputs of the right size."""
    import torch

    read = rival.reduced(features)
    rival.mean.copy_(read.mean((0, 1)))
    rival.deviation.copy_(read.std((0, 1)))
    for layer in rival.modules():
        if isinstance(layer, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
            torch.nn.init.uniform_(layer.bias, -0.3, 0.3)
            layer.momentum = 1.0
    rival.train()
    with torch.no_grad():
        rival(features)  # statistics of real features, so that values keep their size
    return rival.eval()


def write_networks(folder, features):
    """Of every network and input a run as train.py leaves it, and what it says of `features`."""
    import torch

    import networks

    torch.manual_seed(1)
    features = torch.from_numpy(features)
    for name, (_, published) in networks.NETWORKS.items():
        for input_name in (published, "98x64"):
            rival = disturb(networks.make(name, 12, input_name), features)
            with torch.no_grad():
                logits = rival(features).numpy()
            run = folder / f"{name}-{input_name}"
            run.mkdir()
            np.savez(run / "best.npz", **{key: value.numpy() for key, value in rival.state_dict().items()})
            np.savez(run / "said.npz", features=features.numpy(), logits=logits)
            (run / "result.json").write_text(json.dumps({"options": {"network": name, "input": input_name}}))


def check_litert(folder):
    """In the environment with TensorFlow: what write_networks left."""
    import keras_forms
    import quantize

    for run in sorted(folder.iterdir()):
        result, state = quantize.read_run(run)
        with np.load(run / "said.npz") as stored:
            features, logits = stored["features"], stored["logits"]
        inputs = quantize.inputs_of(features, state)
        model = keras_forms.make(result["options"]["network"], state)
        exact = quantize.Model(quantize.convert(model))
        said = np.stack([exact.logits(x[None]) for x in inputs])
        size = np.abs(logits).max()
        off = np.abs(said - logits).max(1) / size
        # Binary: a sign may flip by a rounding in a clip or two.
        flipped = CLIPS // 4 if result["options"]["network"] == "bifsmnv2" else 0
        expect(int((off > 1e-3).sum()) <= flipped,
               f"{run.name}: float32 in LiteRT differs from PyTorch by {np.sort(off)[-1 - flipped]:.1e} of the largest logit")
        if result["options"]["network"] in quantize.WITHOUT_INT8:
            continue
        coarse = quantize.Model(quantize.convert(model, inputs))
        # Only a conversion that is wrong is seen here: with random weights clips differ in less than int8 rounds. What int8
        # does to a trained network stands in its litert.json.
        off = float(np.abs([coarse.logits(x[None]) for x in inputs] - said).mean() / size)
        expect(off < 0.25, f"{run.name}: int8 differs from float32 by {off:.3f} of the largest logit on average")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bittern", default="bittern")
    parser.add_argument("--data", type=pathlib.Path, help="speech-commands-12 or arabic-commands-31")
    parser.add_argument("--model", type=pathlib.Path, help="of the same labels; default: the shipped QuickNet")
    parser.add_argument("--environment", type=pathlib.Path, help="virtual environment of requirements.txt")
    parser.add_argument("--litert", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.litert:
        check_litert(arguments.litert)
        sys.exit(failures > 0)
    if not arguments.data:
        parser.error("--data: needed")

    import torch

    import data
    import front_end

    torch.set_num_threads(1)
    model = arguments.model or ROOT / "models" / f"quicknet-{arguments.data.resolve().name}.bittern"
    found = data.find(arguments.data, ("validation",)).splits["validation"]
    chosen = [found.files[i * len(found.files) // CLIPS] for i in range(CLIPS)]
    length = front_end.FRONT_END["clip_samples"]
    decoded = [data.decode(arguments.data / file) for file in chosen]
    clips = [data.window_at(samples, data.centre(len(samples), length), length) for samples in decoded]
    check_front_end(clips, ask(arguments.bittern, "inspect", model, "--json")["front_end"])
    check_draws()
    check_splits(arguments.bittern, arguments.data, model)
    check_counts()
    if arguments.environment:
        features = front_end.LogMel()(torch.from_numpy(np.stack(clips))).numpy()
        with tempfile.TemporaryDirectory() as folder:
            write_networks(pathlib.Path(folder), features)
            done = subprocess.run([arguments.environment / "bin/python", "-u", HERE / "check.py", "--litert", folder],
                                  stderr=subprocess.PIPE, text=True, check=False)  # TensorFlow has much to say there
            expect(done.returncode == 0, "LiteRT models" + (f"\n{done.stderr}" if done.returncode else ""))
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
