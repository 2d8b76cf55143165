#!/usr/bin/env python3
"""Times rivals in LiteRT and models in Bittern by turns, on one core, in one run.

    build/rivals/venv/bin/python experiments/rivals/measure.py --bittern build/release/bin/bittern \\
      --model models/quicknet-speech-commands-12.bittern --out times.json RUN...

RUNs are those that quantize.py has converted. Rounds go over all of them, so that what else the machine does meets each; a
value is the median over rounds of a round's median, from features to logits. LiteRT is called from Python, which is part of
its times (`call_overhead_us`: a network of one addition); Bittern measures itself (`bittern bench`), each exit and the front end.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import time

CORE = min(os.sched_getaffinity(0))
os.sched_setaffinity(0, {CORE})
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402  (after the threads are limited)

import files  # noqa: E402
import quantize  # noqa: E402


def timed(call, calls):
    """Median of `calls` calls, microseconds."""
    times = []
    for turn in range(calls + 2):
        start = time.perf_counter_ns()
        call()
        if turn >= 2:
            times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1000


def litert_timer(content, calls):
    model = quantize.Model(content)
    shape = tuple(model.into["shape"])
    x = model.quantized(np.random.default_rng(1).standard_normal(shape).astype(np.float32))
    interpreter, into, out = model.interpreter, model.into["index"], model.out["index"]

    def call():
        interpreter.set_tensor(into, x)
        interpreter.invoke()
        interpreter.get_tensor(out)

    return lambda: {"time": timed(call, calls)}


def bittern_timer(program, model, calls):
    command = [program, "bench", str(model), "--runs", str(calls), "--quiet", "--json"]

    def times():
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
        told = json.loads(done.stdout)
        found = {"front_end": told["front_end"]["time_us"]["median"]}
        return found | {exit["exit"]: exit["time_us"]["median"] for exit in told["exits"]}

    return times


def summary(values):
    return {"median_us": round(statistics.median(values), 1), "min_us": round(min(values), 1), "max_us": round(max(values), 1)}


def overhead(calls):
    tf = quantize.tf
    into = tf.keras.Input((8,), batch_size=1)
    content = tf.lite.TFLiteConverter.from_keras_model(tf.keras.Model(into, into + 1.0)).convert()
    return round(litert_timer(content, calls)()["time"], 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bittern", default="bittern")
    parser.add_argument("--model", type=pathlib.Path, action="append", default=[], help="of Bittern; may be given again")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=50, help="in a round, of each network; default 50")
    parser.add_argument("runs", type=pathlib.Path, nargs="*", metavar="RUN")
    arguments = parser.parse_args()

    rows, timers = [], []
    for run in arguments.runs:
        told = json.loads((run / "litert.json").read_text())
        for form, converted in told["forms"].items():
            rows.append({"engine": "litert", "run": "/".join(run.resolve().parts[-3:]), "network": told["network"],
                         "input": told["input"], "form": form, **converted})
            timers.append(litert_timer((run / f"{form}.tflite").read_bytes(), arguments.calls))
    for model in arguments.model:
        rows.append({"engine": "bittern", "model": model.name, "bytes": model.stat().st_size})
        timers.append(bittern_timer(arguments.bittern, model, arguments.calls))

    rounds = [[] for _ in rows]
    for turn in range(arguments.rounds):
        for found, timer in zip(rounds, timers):
            found.append(timer())
        print(f"round {turn + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
    for row, found in zip(rows, rounds):
        parts = {part: summary([times[part] for times in found]) for part in found[0]}
        if row["engine"] == "litert":
            row |= parts["time"]
        else:
            row["front_end"] = parts.pop("front_end")
            row["exits"] = [{"exit": exit, **told} for exit, told in parts.items()]
    cpu = pathlib.Path("/proc/cpuinfo").read_text()
    versions = {package: quantize.version(package) for package in ("tensorflow", "ai-edge-litert", "numpy")}
    told = subprocess.run([arguments.bittern, "--version"], capture_output=True, text=True, check=False).stdout.split()[-1]
    files.write_json(arguments.out, {
        "cpu": re.search(r"model name\s*:\s*(.*)", cpu).group(1),
        "cpu_id": dict(re.findall(r"(cpu family|model|stepping)\s*: (\d+)", cpu)),
        "system": platform.freedesktop_os_release()["PRETTY_NAME"], "python": platform.python_version(),
        "versions": {"bittern": told, **versions}, "rounds": arguments.rounds, "calls_per_round": arguments.calls,
        "call_overhead_us": {"litert": overhead(arguments.calls)}, "times": rows})


if __name__ == "__main__":
    main()
