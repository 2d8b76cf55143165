"""check.py BUILD OTHER [OUT]. See `run`.

Rounding differs between versions of libtorch, and a 1-bit weight or activation that it flips moves the loss. How much, one
build shows alone: BUILD also trains with its sums in other orders. OTHER may differ by a few times as much, and no earlier.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "samples/speech-commands-12/test"
STEPS = 12
CLOSE = 1e-5  # relative: at the first step, and until a sign flips
TIMES = 3  # the most that rounding alone moves the loss by at any step
TIMES_SO_FAR = 10  # the most that it does up to the next step: what one order flips there may flip here before

# Name, options, whether no sign stands between the input and the loss.
CASES = (
    ("quicknet, Bop", ("--binary-optimizer", "bop"), False),
    ("quicknet, Adam", ("--binary-optimizer", "adam"), False),
    ("quicknet's stem, Adam",
     ("--binary-optimizer", "adam", "--placement", "stem.relu1,stem,s1.b1,s2.b1,s3.b1", "--single-exit", "1"), True),
)
# What makes BUILD sum in another order: oneDNN's and torch's own vector code for older processors.
OTHER_ORDERS = ({"DNNL_MAX_CPU_ISA": "AVX2"}, {"ATEN_CPU_CAPABILITY": "default"})


def version(build):
    folder = re.search(r"^Torch_DIR:\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.M)[1]
    return re.search(r'PACKAGE_VERSION "(.*?)"', (pathlib.Path(folder) / "TorchConfigVersion.cmake").read_text())[1]


def data_set(folder):
    """The samples as training and validation clips; one batch is all of them, an epoch one step."""
    for split in ("train", "validation"):
        shutil.copytree(SAMPLES, folder / split)
    return len(list((folder / "train").rglob("*.flac")))


def losses(build, data, clips, options, environment):
    with tempfile.TemporaryDirectory() as run:
        trained = subprocess.run(
            [build / "bin/bittern", "train", "--data", data, "--out", run, "--epochs", str(STEPS), "--batch", str(clips), "--seed", "1",
             "--threads", "1", "--precision", "fp32", "--distillation", "0", "--time-mask-frames", "15", "--frequency-mask-bins", "7",
             "--quiet", *options],
            env={**os.environ, **environment}, capture_output=True, text=True)
        if trained.returncode != 0:
            sys.exit(f"{build}: {trained.stderr}")
        return [json.loads(line)["loss"] for line in (pathlib.Path(run) / "metrics.jsonl").read_text().splitlines()]


def differences(one, other):
    return [float(f"{abs(a - b) / abs(a):.2g}") for a, b in zip(one, other, strict=True)]


def check(build, other, data, clips, options, smooth):
    ours = losses(build, data, clips, options, {})
    theirs = losses(other, data, clips, options, {})
    orders = [differences(ours, losses(build, data, clips, options, order)) for order in OTHER_ORDERS]
    rounding = [max(step) for step in zip(*orders)]
    difference = differences(ours, theirs)
    most = [CLOSE] * STEPS
    if not smooth:
        most[1:] = [max(CLOSE, min(TIMES * max(rounding), TIMES_SO_FAR * max(rounding[:step + 2]))) for step in range(1, STEPS)]
    row = {"losses": ours, "losses_other": theirs, "difference": difference, "difference_by_rounding": rounding,
           "difference_allowed": [float(f"{limit:.2g}") for limit in most]}
    return row, all(got <= allowed for got, allowed in zip(difference, most))


def main():
    build, other = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    result = {"libtorch": version(build), "libtorch_other": version(other), "steps": STEPS, "cases": []}
    bad = False
    print(f"libtorch {result['libtorch']} and {result['libtorch_other']}: relative differences of the loss")
    print("                       first step   largest  largest by rounding alone")
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder)
        result["clips"] = data_set(data)
        for name, options, smooth in CASES:
            row, good = check(build, other, data, result["clips"], options, smooth)
            result["cases"].append({"case": name, "options": " ".join(options), **row})
            print(f"{name:22} {row['difference'][0]:10.1e} {max(row['difference']):9.1e} {max(row['difference_by_rounding']):9.1e}"
                  + ("" if good else "  WRONG"), flush=True)
            bad |= not good
    if len(sys.argv) > 3 and not bad:
        out = pathlib.Path(sys.argv[3])
        part = out.with_name(out.name + ".part")
        part.write_text(json.dumps(result, indent=1) + "\n")
        part.replace(out)
    sys.exit(bad)


if __name__ == "__main__":
    main()
