"""Runs clang-tidy on what a build folder compiles, each file once for the same content.

usage: tools/tidy.py BUILD [FILE...]     (BUILD made by Ninja and built; no FILE: all of src, tests and bench)

A file that passed is remembered under ~/.cache/bittern/tidy (or $XDG_CACHE_HOME) by a hash of all that its result
depends on: clang-tidy, the configurations, its command, and every header that Ninja saw the compiler read. Findings
go to standard output; the exit status is 1 if there are any.
"""
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


@functools.cache
def content(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def name(path):
    """The same for the same file in another clone."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def dependencies(build):
    """Object file -> the files its compilation read, from Ninja's own record."""
    read, target = {}, None
    for line in output("ninja", "-C", str(build), "-t", "deps").splitlines():
        if line.startswith("    "):
            read[target].append(pathlib.Path(os.path.normpath(build / line.strip())))
        elif line:
            target = line.split(":")[0]
            read[target] = []
    return read


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    asked = sys.argv[2:] or output("git", "ls-files", "src/*.cc", "tests/*.cc", "bench/*.cc", cwd=ROOT).splitlines()
    wanted = {(ROOT / path).resolve() for path in asked}
    read = dependencies(build)
    # clang_tidy.h stands in for libtorch's headers, read by clang-tidy alone.
    settings = sorted(ROOT / path for path in output("git", "ls-files", "*.clang-tidy", "*clang_tidy.h", cwd=ROOT).split())
    common = [output("clang-tidy", "--version")] + [f"{name(path)} {content(path)}" for path in settings]

    todo, known = [], 0
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "bittern" / "tidy"
    cache.mkdir(parents=True, exist_ok=True)
    entries = json.loads((build / "compile_commands.json").read_text())
    # A file that this build does not compile (training, without libtorch) has no entry.
    for entry in entries:
        path = pathlib.Path(entry["file"]).resolve()
        if path not in wanted:
            continue
        wanted.remove(path)
        object_file = re.search(r" -o (\S+)", entry["command"]).group(1)
        if object_file not in read:
            sys.exit(f"{build} has not compiled {name(path)}: build it first")
        parts = common + [entry["command"].replace(str(ROOT), ".")]
        parts += [f"{name(header)} {content(header)}" for header in read[object_file]]
        stamp = cache / hashlib.sha256("\n".join(parts).encode()).hexdigest()
        if stamp.exists():
            known += 1
        else:
            todo.append((path, stamp))
    if sys.argv[2:] and wanted:
        sys.exit(f"{build} does not compile {', '.join(sorted(map(name, wanted)))}")

    def tidy(job):
        path, stamp = job
        # Standard error counts what was hidden in system headers, and says why a run broke.
        # Some of GCC's optimisation flags Clang knows only to ignore.
        command = ["clang-tidy", "-p", str(build), "--quiet", "--extra-arg=-Wno-ignored-optimization-argument", str(path)]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode == 0:
            stamp.touch()
            return ""
        return run.stdout + run.stderr or f"clang-tidy ended with status {run.returncode} and said nothing"

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for done, (job, findings) in enumerate(zip(todo, pool.map(tidy, todo)), 1):
            failed += bool(findings)
            print(f"[{done}/{len(todo)}] {name(job[0])}", flush=True)
            if findings:
                print(findings, flush=True)
    if failed:
        print(f"clang-tidy: findings in {failed} files")
        return 1
    print(f"clang-tidy: ok, {len(todo)} files now, {known} as they passed before")
    return 0


if __name__ == "__main__":
    sys.exit(main())
