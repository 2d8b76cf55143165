#!/usr/bin/env python3
"""Counts instructions with callgrind and compares them with docs/results/instructions.json.

    bench/instructions/instructions.py build/release             fails where a count moved by more than 3 %:
                                                                 one that fell unrecorded would hide what grows later
    bench/instructions/instructions.py build/release --update    writes the record anew

Counts depend on the compiler, so with another one than the record's nothing is compared (exit status 77, skipped).
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECORD = ROOT / "docs/results/instructions.json"
TOLERANCE = 0.03


def compiler_of(build):
    cache = (build / "CMakeCache.txt").read_text()
    path = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.M).group(1)
    return subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0].split(maxsplit=1)[1]


def count(build):
    """{name: instructions} of every piece of work, in its order."""
    with tempfile.TemporaryDirectory() as folder:
        program = build / "bench/instructions/bittern_instructions"
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program],
                              capture_output=True, text=True)
        if done.returncode == 77:
            sys.exit(77)
        if done.returncode != 0:
            sys.exit(f"{program}: failed under valgrind: {done.stderr.strip()[-500:]}")
        counts = {}
        for part in sorted(pathlib.Path(folder).iterdir(), key=lambda p: int(p.suffix[1:] or 0) if p.suffix else 0):
            text = part.read_text()
            name = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
            total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
            if name and total:
                counts[name.group(1)] = int(total.group(1))
    if not counts:
        sys.exit("instructions: callgrind counted nothing")
    return counts


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("build", type=pathlib.Path)
    arguments.add_argument("--update", action="store_true")
    options = arguments.parse_args()
    compiler = compiler_of(options.build)
    if not options.update:
        record = json.loads(RECORD.read_text())
        if record["compiler"] != compiler:
            print(f"skipped: counted with {record['compiler']}, this is {compiler}")
            sys.exit(77)
    counts = count(options.build)
    if options.update:
        text = json.dumps({"compiler": compiler, "instruction_set": "avx2", "instructions": counts}, indent=2)
        temporary = RECORD.with_suffix(".new")
        temporary.write_text(text + "\n")
        os.replace(temporary, RECORD)
        return
    expected = record["instructions"]
    wrong = [f"{name}: in the record and not counted, or the other way round" for name in expected.keys() ^ counts.keys()]
    for name in expected.keys() & counts.keys():
        ratio = counts[name] / expected[name]
        print(f"{name}: {counts[name]:,} ({ratio - 1:+.2%})")
        if abs(ratio - 1) > TOLERANCE:
            wrong.append(f"{name}: {counts[name]:,} instructions, {abs(ratio - 1):.1%} {'more' if ratio > 1 else 'less'} than recorded")
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        sys.exit("If this is meant: bench/instructions/instructions.py BUILD --update")


if __name__ == "__main__":
    main()
