"""How much faster `bittern classify --threads N` is than one thread over a folder of short recordings.

usage: python3 bench/classify_threads.py --program PROGRAM --model MODEL --data DIR [--clips 1000] [--threads 2]
           [--rounds 15] [--out FILE]

Copies recordings below DIR into a folder, over again where there are too few, then runs the program on it again and again, one thread and N
threads by turns, so that a slow moment of the machine hits both. Whole processes are timed: start, reading, decoding,
features, network, printing. All runs must print the same but for the times. The result is the median of the rounds'
ratios, and the ratio of the two shortest times; as JSON to standard output, or to --out.
"""
import argparse
import json
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

AUDIO = {".wav", ".flac", ".ogg", ".opus", ".mp3"}


def cpu() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def copy_clips(data: pathlib.Path, count: int, folder: pathlib.Path) -> None:
    found = sorted(path for path in data.rglob("*") if path.suffix in AUDIO)
    if not found:
        sys.exit(f"{data}: no recordings")
    for i in range(count):
        source = found[i % len(found)].resolve()
        shutil.copyfile(source, folder / f"{i:05}{source.suffix}")


def run(program: str, model: str, folder: pathlib.Path, threads: int) -> tuple[float, str]:
    command = [program, "classify", model, str(folder), "--threads", str(threads), "--json"]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    elapsed = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    return elapsed, re.sub(r'"time_us":[^,}]*', "", done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    for name in ("--program", "--model", "--data"):
        parser.add_argument(name, required=True)
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        copy_clips(pathlib.Path(given.data), given.clips, folder)
        _, expected = run(given.program, given.model, folder, 1)
        one, many = [], []
        for _ in range(given.rounds):
            for threads, times in ((1, one), (given.threads, many)):
                elapsed, printed = run(given.program, given.model, folder, threads)
                if printed != expected:
                    sys.exit(f"--threads {threads} gives other answers")
                times.append(elapsed)
    ratios = [a / b for a, b in zip(one, many)]
    result = {
        "cpu": cpu(),
        "model": pathlib.Path(given.model).name,
        "clips": given.clips,
        "threads": given.threads,
        "rounds": given.rounds,
        "one_thread_clips_per_s": round(given.clips / statistics.median(one), 1),
        "threads_clips_per_s": round(given.clips / statistics.median(many), 1),
        "ratio": {
            "median": round(statistics.median(ratios), 3),
            "low": round(min(ratios), 3),
            "high": round(max(ratios), 3),
            "of_shortest": round(min(one) / min(many), 3),
        },
        "one_thread_s": " ".join(f"{t:.4f}" for t in one),
        "threads_s": " ".join(f"{t:.4f}" for t in many),
    }
    text = json.dumps(result, indent=2) + "\n"
    if given.out:
        pathlib.Path(given.out).write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
