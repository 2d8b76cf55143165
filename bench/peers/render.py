#!/usr/bin/env python3
"""Writes docs/peers.md from docs/results/peers.json."""
import json
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = {"bittern": "Bittern", "lce": "Larq Compute Engine", "litert-int8": "LiteRT, int8 twin",
         "litert-f32": "LiteRT, float twin", "onnxruntime-f32": "ONNX Runtime, float twin"}


def main():
    report = json.loads((ROOT / "docs/results/peers.json").read_text())
    time = {(t["what"], t["exit"], t["engine"]): t for t in report["times"]}
    versions = ", ".join(f"{name} {number}" for name, number in report["versions"].items())
    cpu_id = report["cpu_id"]
    overhead = report["call_overhead_us"]
    lines = [
        "# Beside other engines", "",
        "Written by `bench/peers/render.py` from [results/peers.json](results/peers.json), which one run measured:", "",
        "```sh", "cmake --preset release && cmake --build --preset release", report["command"], "```", "",
        f"Machine: {report['cpu']}, family {cpu_id['cpu family']}, model {cpu_id['model']}, stepping {cpu_id['stepping']}, one core; {report['system']}, Python {report['python']}. "
        f"Bittern on `{report['instruction_set']}`.", "",
        f"Versions: {versions}.", "",
        f"All engines take turns, {report['rounds']} rounds of {report['calls_per_round']} calls after {report['warm_up_calls']} that do not count (caches hold a network again only after some); a value is the median over rounds of a round's median call, in microseconds. One thread each. "
        f"The other engines are called from Python, which is part of their times (a network of one addition: Larq Compute Engine {overhead['lce']}, LiteRT {overhead['litert']}); "
        "Bittern is called from C++. Random weights and inputs: nothing here speaks of accuracy.", "",
        "## Features to logits", "",
        "Other engines cannot leave a network early, so each exit is a network of its own there, cut behind it. Exits pool globally. Larq Compute Engine runs in its fastest mode on x86 "
        "(`use_indirect_bgemm`, `use_xnnpack`), which is not its default; `!`: its logits there are not those of its own reference kernel. "
        "A twin is the same topology with ordinary convolutions, int8 or float: what those arithmetics cost, not the binary network's answers. "
        "Number in brackets: how many times Bittern's time.", "",
        "| network | exit | " + " | ".join(NAMES.values()) + " |", "|---|---|" + "---|" * len(NAMES),
    ]
    for what, exit in dict.fromkeys((t["what"], t["exit"]) for t in report["times"] if t["what"] != "front end"):
        ours = time[what, exit, "bittern"]["median_us"]
        cells = [f"**{ours:.0f}**"]
        for engine in list(NAMES)[1:]:
            theirs = time[what, exit, engine]["median_us"]
            mark = "!" if time[what, exit, engine].get("logits_wrong") else ""
            cells.append(f"{theirs:.0f}{mark} ({theirs / ours:.1f})")
        lines.append(f"| {what} | {exit} | " + " | ".join(cells) + " |")
    ours = time["front end", "-", "bittern"]["median_us"]
    whole = time["front end", "-", "kaldi-native-fbank"]["median_us"]
    compute = time["front end", "-", "kaldi-native-fbank accept_waveform"]["median_us"]
    lines += [
        "", "## Front end", "",
        "One second at 16 kHz to 98 x 64 log-mel features: frames of 25 ms every 10 ms, Hann window, magnitudes, 64 bands from 60 to 7800 Hz. kaldi-native-fbank pads a frame to 512 samples, "
        "Bittern to 1024.", "",
        "| | microseconds | times Bittern's |", "|---|---|---|",
        f"| Bittern | **{ours:.0f}** | |",
        f"| kaldi-native-fbank, `accept_waveform` alone, samples a Python list already | {compute:.0f} | {compute / ours:.1f} |",
        f"| kaldi-native-fbank, its whole use from Python: filter bank, samples to a list, each frame fetched | {whole:.0f} | {whole / ours:.1f} |",
        ""]
    target = ROOT / "docs/peers.md"
    temporary = target.with_suffix(".new")
    temporary.write_text("\n".join(lines))
    os.replace(temporary, target)


if __name__ == "__main__":
    main()
