#!/usr/bin/env python3
"""Projects the kernels' inner loops on ARM cores with llvm-mca and writes docs/results/arm-projection.json.

A projection and no measurement: the loop alone, everything in the first-level cache, no branch missed, by LLVM's
model of the core, which is an older core's for some (`model`). Takes Debian's packages llvm and g++-aarch64-linux-gnu.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMPILER = "aarch64-linux-gnu-g++"
FLAGS = ["-std=c++20", "-O3", "-DNDEBUG", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off",
         "-fno-unswitch-loops", "-fno-tree-vectorize", "-DHWY_WANT_AVX3_DL=1",
         "-DTOOLCHAIN_MISS_SYS_AUXV_H=1"]
# LLVM 14 has no scheduling model of its own for the latter two.
CORES = {"cortex-a72": "Cortex-A57", "cortex-a76": "Cortex-A57", "apple-m1": "Cyclone"}
# Kernel: the file, an instruction that stands for one vector of work, MACs in such a vector.
KERNELS = {
    "binary_conv2d": ("binary_conv2d.cc", r"cnt\s+v\d+\.16b", 128),
    "conv2d": ("conv2d.cc", r"fmul\s+v\d+\.4s", 4),
}


def assembly(file, build):
    headers = build / "headers"
    headers.mkdir(parents=True, exist_ok=True)
    if not (headers / "hwy").exists():
        (headers / "hwy").symlink_to("/usr/include/hwy")
    command = [COMPILER, *FLAGS, f"-I{ROOT}/src", "-isystem", headers, "-S", "-o", "-", ROOT / "src/kernels" / file]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def loops(lines):
    """Every loop without a label or a jump inside: its instructions."""
    label, body = None, []
    for line in lines:
        text = line.split("//")[0].strip()
        if re.fullmatch(r"\.L\w+:", text):
            label, body = text[:-1], []
        elif text and not text.startswith("."):
            body.append(text)
            if re.match(r"(b|b\.?(eq|ne|[cg][sect]|hs|lo|l[oste]|mi|pl|v[sc]|hi)|cbn?z|tbn?z|ret|blr?|br)\s", text):
                if text.split()[-1] == label:
                    yield body
                label, body = None, []


def cycles(body, core):
    """Cycles of one turn, over a hundred."""
    text = "\n".join(body) + "\n"
    done = subprocess.run(["llvm-mca", "-mtriple=aarch64", f"-mcpu={core}", "-iterations=100"],
                          input=text, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"llvm-mca: {done.stderr.strip()}")
    return int(re.search(r"Total Cycles:\s+(\d+)", done.stdout).group(1)) / 100


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: bench/arm_projection.py BUILD, a folder for intermediate files")
    build = pathlib.Path(sys.argv[1]) / "arm"
    report = {
        "kind": "projection by llvm-mca, not measured on hardware",
        "command": "bench/arm_projection.py build/release",
        "compiler": subprocess.run([COMPILER, "--version"], capture_output=True, text=True).stdout.splitlines()[0],
        "llvm_mca": re.search(r"LLVM version \S+", subprocess.run(["llvm-mca", "--version"], capture_output=True, text=True).stdout).group(0),
        "loops": [],
    }
    for kernel, (file, work, macs) in KERNELS.items():
        # The hottest is the one that does most in a turn.
        body = max(loops(assembly(file, build)), key=lambda b: sum(bool(re.match(work, i)) for i in b))
        vectors = sum(bool(re.match(work, i)) for i in body)
        if vectors == 0:
            sys.exit(f"{kernel}: no inner loop found")
        for core, model in CORES.items():
            turn = cycles(body, core)
            report["loops"].append({
                "kernel": kernel, "core": core, "model": model, "instructions": len(body), "macs": vectors * macs,
                "cycles": turn, "cycles_per_1000_macs": round(1000 * turn / (vectors * macs), 2),
                "macs_per_cycle": round(vectors * macs / turn, 2)})
    target = ROOT / "docs/results/arm-projection.json"
    temporary = target.with_suffix(".new")
    temporary.write_text(json.dumps(report, indent=1) + "\n")
    os.replace(temporary, target)


if __name__ == "__main__":
    main()
