"""Latency of networks beside the floor, over rounds: docs/results/latency.jsonl, or with --footprint footprint.jsonl.

usage: python3 bench/latency.py --program PROGRAM [--rounds 9] [--runs 400] [--core N] [--footprint] [--out FILE]

Runs `bittern bench --architecture NAME --json` for each network by turns, pinned to one core. A shared host has slow and
fast spells, longer than a run, which do not slow the popcount peak and a network alike; so each network's line is
the round with the shortest time, and the time of every round stands beside it (`rounds_us`, sorted: the last exit's
median, or with --footprint the first answer of a process).
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

ARCHITECTURES = ("quicknet", "birealnet-18", "binarydensenet-28", "meliusnet-22", "bittern-tiny", "bittern-small")


def measure(given: argparse.Namespace, architecture: str) -> dict:
    command = [given.program, "bench", "--architecture", architecture, "--runs", str(given.runs), "--quiet", "--json"]
    if given.footprint:
        command.append("--footprint")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--footprint", action="store_true")
    parser.add_argument("--out")
    given = parser.parse_args()
    os.sched_setaffinity(0, {given.core})

    def time_us(result: dict) -> float:
        time = result["first_answer_us"] if given.footprint else result["exits"][-1]["time_us"]
        return time["median"] if isinstance(time, dict) else time

    results: dict[str, list[dict]] = {name: [] for name in ARCHITECTURES}
    for _ in range(given.rounds):
        for name in ARCHITECTURES:
            results[name].append(measure(given, name))
    lines = []
    for runs in results.values():
        best = min(runs, key=time_us)
        best["rounds_us"] = sorted(time_us(run) for run in runs)
        lines.append(json.dumps(best, separators=(",", ":")) + "\n")
    if given.out:
        out = pathlib.Path(given.out)
        part = out.with_name(out.name + ".part")
        part.write_text("".join(lines))
        part.replace(out)
    else:
        sys.stdout.writelines(lines)


if __name__ == "__main__":
    main()
