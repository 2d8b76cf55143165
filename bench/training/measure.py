#!/usr/bin/env python3
"""measure.py BUILD ROUNDS OUT: times training steps. See `run`.

Each round is a process of every kind in turn, so that what else the machine does meets each of them; of every kind the
round with the shortest median step counts, and ratios are of those.
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NETWORKS = ("quicknet", "binarydensenet-28")
BATCH, THREADS, STEPS = 128, 2, 8


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    values = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    wanted = ("avx2", "avx512bw", "avx512_bf16", "amx_bf16")
    # Models of virtual machines may say no more than a maker's name; the family tells them apart.
    return {"model": values.get("model name", ""), "family": values.get("cpu family", ""),
            "flags": [f for f in wanted if f in values.get("flags", "").split()]}


def command(build, kind, network):
    sizes = ["--batch", str(BATCH), "--threads", str(THREADS), "--steps", str(STEPS)]
    if kind == "larq":
        python = build / "peers-training/venv/bin/python"
        return [python, ROOT / "bench/training/larq_steps.py", network, *sizes]
    extra = ["--plain"] if kind == "plain" else ["--precision", kind.removeprefix("bittern-")]
    return [build / "bench/training/bittern_training_bench", "--architecture", network, *sizes, *extra, "--json"]


def kinds_on(flags):
    """What can be measured; first what `train` chooses there (binary_gradients.h)."""
    kinds = ["bittern-fp32", "plain", "larq"]
    if {"avx512_bf16", "amx_bf16"} & set(flags):
        kinds.insert(0, "bittern-bf16")
    if "avx512bw" in flags:
        kinds.insert(1 if "amx_bf16" in flags else 0, "bittern-int16")
    return kinds


def ratios(kinds, best):
    ours = best[kinds[0]]["samples_per_s"]
    return {f"{kinds[0]} / {kind}": round(ours / best[kind]["samples_per_s"], 2) for kind in kinds[1:]}


def main():
    build, rounds, out = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    if not out.parent.is_dir():
        sys.exit(f"measure.py: {out.parent}: no such folder")
    cpu = processor()
    kinds = kinds_on(cpu["flags"])
    results = []
    for network in NETWORKS:
        best = {}
        for turn in range(rounds):
            for kind in kinds:
                done = subprocess.run(command(build, kind, network), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                if done.returncode != 0:
                    sys.exit(f"measure.py: {kind} of {network} ended with {done.returncode}")
                one = json.loads(done.stdout.splitlines()[-1])
                print(f"{network}, {kind}, round {turn + 1}: {one['samples_per_s']:.0f} samples/s", file=sys.stderr)
                if kind not in best or one["samples_per_s"] > best[kind]["samples_per_s"]:
                    best[kind] = one
        results.append({"network": network, "kinds": best, "ratios": ratios(kinds, best)})
    report = {"command": f"bench/training/run BUILD {rounds}", "processor": cpu, "batch": BATCH, "threads": THREADS,
              "rounds": rounds, "networks": results}
    out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
