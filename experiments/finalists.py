#!/usr/bin/env python3
"""What trainings of an experiment answer on the test split: the one look at it, for those that are finished.

    experiments/finalists.py experiments/bittern.json --data DIR --runs RUNS --against models/quicknet-speech-commands-12.bittern ... \\
      --out docs/results/bittern-speech-commands-12.json

SPEC and RUNS are those of ablation.py. Of each variant: every seed's accuracy at each exit, their mean with its 95 % interval, the
difference from each --against model, clip by clip and at the exit of each that is best on validation clips, and what leaving early
costs and saves. All intervals are bootstraps: speakers are drawn again, all their clips together, and seeds; those of accuracies are the
hull of that and of Wilson's over the clips, which is no point where all are right. A clip without a speaker stands for itself; an
--against model is one training, whose own luck is in no interval.

Leaving early: of thresholds of the entropy rule the largest that loses at most half a point against the last exit on validation
clips; then test. Times are those of `bittern bench`, all models by turns, the median over rounds; leave the machine alone meanwhile.
"""
import argparse
import json
import pathlib
import random
import statistics
import subprocess
import sys

from ablation import Run, read_spec, summary

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "rivals"))
import files  # noqa: E402
from wilson import wilson  # noqa: E402

RESAMPLES = 2000
THRESHOLDS = [0.01, 0.02, 0.05] + [round(0.1 * k, 1) for k in range(1, 21)]
ALLOWED_LOSS = 0.005
MOST_SEEDS = 32


def fail(message):
    sys.exit(f"finalists: {message}")


class Program:
    def __init__(self, path, data):
        self.path, self.data = path, data

    def run(self, *arguments):
        done = subprocess.run([self.path, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            fail(f"bittern {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def evaluate(self, model, split, *policy):
        return json.loads(self.run("evaluate", model, "--data", self.data, "--split", split, *policy, "--per-clip", "--json", "-", "--quiet"))

    def exit_times(self, model):
        bench = json.loads(self.run("bench", model, "--runs", "400", "--json", "--quiet"))
        return [exit["time_us"]["median"] for exit in bench["exits"]]


def right_of(report):
    return [int(clip["truth"] == clip["label"]) for clip in report["clips"]]


class Bootstrap:
    """Draws of speakers and of seeds, the same ones for every question."""

    def __init__(self, speakers):
        """`speakers`: of each clip, as `bittern evaluate` tells them; None where it does not know."""
        self.group_of, names = [], {}
        for index, speaker in enumerate(speakers):
            self.group_of.append(names.setdefault(index if speaker is None else speaker, len(names)))
        self.groups = len(names)
        self.sizes = [0] * self.groups
        for group in self.group_of:
            self.sizes[group] += 1
        generator = random.Random(20260)
        self.draws = [[generator.randrange(self.groups) for _ in range(self.groups)] for _ in range(RESAMPLES)]
        self.seed_draws = [[generator.random() for _ in range(MOST_SEEDS)] for _ in range(RESAMPLES)]

    def mean(self, rows):
        """`rows`: a list per seed of a number per clip. Their mean and its interval."""
        sums = []
        for row in rows:
            sums.append([0.0] * self.groups)
            for group, value in zip(self.group_of, row):
                sums[-1][group] += value
        means = []
        for turn, drawn in enumerate(self.draws):
            seeds = [int(u * len(rows)) for u in self.seed_draws[turn][:len(rows)]]
            total = sum(sums[seed][group] for seed in seeds for group in drawn)
            means.append(total / len(rows) / sum(self.sizes[group] for group in drawn))
        means.sort()
        tail = RESAMPLES // 40
        value = sum(map(sum, rows)) / len(rows) / len(self.group_of)
        return {"value": value, "low": means[tail], "high": means[RESAMPLES - 1 - tail]}

    def accuracy(self, rows):
        """`rows`: a list per seed of 1 or 0 per clip. Never narrower than Wilson's interval over the clips."""
        drawn = self.mean(rows)
        low, high = wilson(sum(map(sum, rows)) / len(rows), len(self.group_of))
        return {"value": drawn["value"], "low": min(drawn["low"], low), "high": max(drawn["high"], high)}


def leave_early(program, model, last_exit):
    """The threshold that validation allows, and what it does to test clips."""
    def share_right(report):
        return statistics.fmean(right_of(report))

    least = share_right(program.evaluate(model, "validation", "--exit", last_exit)) - ALLOWED_LOSS
    chosen = 0.0
    for threshold in THRESHOLDS:
        if share_right(program.evaluate(model, "validation", "--rule", "entropy", "--threshold", threshold)) >= least - 1e-9:
            chosen = threshold
    report = program.evaluate(model, "test", "--rule", "entropy", "--threshold", chosen)
    return {"threshold": chosen, "right": right_of(report), "exits": [clip["exit"] for clip in report["clips"]]}


def answers(program, model, split):
    """Right or wrong of every clip at each exit, and the clips' files and speakers."""
    count = len(json.loads(program.run("inspect", model, "--json"))["exits"])
    reports = [program.evaluate(model, split, "--exit", exit) for exit in range(1, count + 1)]
    return [right_of(report) for report in reports], [(clip["file"], clip["speaker"]) for clip in reports[0]["clips"]]


def best_exit(per_model):
    """The exit, from 0, that is right most often on validation clips, over models of one network."""
    return max(range(len(per_model[0])), key=lambda k: sum(sum(exits[k]) for exits in per_model))


def table(result):
    def shown(interval):
        return f"{100 * interval['value']:.1f} ({100 * interval['low']:.1f} to {100 * interval['high']:.1f})"

    def signed(interval):
        return f"{100 * interval['value']:+.1f} ({100 * interval['low']:+.1f} to {100 * interval['high']:+.1f})"

    most = max(len(row["exits"]) for row in result["variants"])
    lines = ["Test accuracy in %, mean over seeds, with its 95 % interval.", "",
             "| network | seeds | bytes | " + " | ".join(f"exit {k}" for k in range(1, most + 1)) + " | us per exit | leaving early | its time |",
             "|---|---|---|" + "---|" * (most + 3)]
    for row in result["variants"]:
        cells = [shown(exit["accuracy"]) for exit in row["exits"]] + [""] * (most - len(row["exits"]))
        times = " ".join(f"{time:.1f}" for time in row["time_us"])
        early = row["early"]
        share = f"{100 * early['time_share']:.0f} %"
        lines.append(f"| {row['name']} | {len(row['seeds'])} | {row['bytes']:,} | {' | '.join(cells)} | {times} | {shown(early['accuracy'])} | {share} |")
    for row in result["variants"]:
        if not row["against"]:
            continue
        best = row["best_exit"]
        lines += ["", f"`{row['name']}` at exit {best} less another at its own, each the best on validation clips:", "",
                  "| | its exit: test accuracy | difference |", "|---|---|---|"]
        for other in row["against"]:
            lines.append(f"| {other['model']} | {other['exit']}: {shown(other['accuracy'])} | {signed(other['difference'])} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=pathlib.Path, metavar="SPEC")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=pathlib.Path, required=True)
    parser.add_argument("--against", type=pathlib.Path, nargs="*", default=[], metavar="MODEL")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--bittern", default="bittern", help="the program; default: the one in PATH")
    parser.add_argument("--rounds", type=int, default=5, help="of times")
    parser.add_argument("--threads", type=int, default=1, help="that ablation.py gave each training; default 1")
    parser.set_defaults(noise=None)  # of trainings, which this starts none of
    arguments = parser.parse_args()
    spec = read_spec(arguments.spec)
    if len(spec["seeds"]) > MOST_SEEDS:
        fail(f"{arguments.spec}: more than {MOST_SEEDS} seeds")
    program = Program(arguments.bittern, arguments.data)

    finished = {}
    for name in spec["variants"]:
        for seed in spec["seeds"]:
            run = Run(spec, name, seed, arguments)
            run.check()
            if run.finished():
                finished.setdefault(name, []).append((seed, run.folder / "best.bittern"))
    if not finished:
        fail(f"{arguments.runs}: no finished training")

    others, bootstrap = [], None
    for model in arguments.against:
        best = best_exit([answers(program, model, "validation")[0]])
        exits, clips = answers(program, model, "test")
        others.append({"model": model.stem, "exit": best + 1, "right": exits[best], "clips": clips})

    rows = []
    for name, runs in finished.items():
        per_seed, early, seeds = [], [], []
        best = best_exit([answers(program, model, "validation")[0] for _, model in runs])
        for seed, model in runs:
            exits, clips = answers(program, model, "test")
            per_seed.append(exits)
            early.append(leave_early(program, model, len(exits)))
            seeds.append({"seed": seed, "bytes": model.stat().st_size, "test": [statistics.fmean(exit) for exit in exits],
                          "threshold": early[-1]["threshold"], "early": statistics.fmean(early[-1]["right"])})
            print(f"{name}, seed {seed}: " + " ".join(f"{100 * accuracy:.1f}" for accuracy in seeds[-1]["test"]), file=sys.stderr, flush=True)
        bootstrap = bootstrap or Bootstrap([speaker for _, speaker in clips])
        accuracies = [bootstrap.accuracy([exits[k] for exits in per_seed]) for k in range(len(per_seed[0]))]
        row = {"name": name, "seeds": seeds, "bytes": max(seed["bytes"] for seed in seeds),
               "exits": [{"accuracy": accuracy, "deviation": summary([statistics.fmean(exits[k]) for exits in per_seed])["sd"]}
                         for k, accuracy in enumerate(accuracies)],
               "best_exit": best + 1, "against": []}
        for other in others:
            if other["clips"] != clips:
                fail(f"{other['model']}: has other test clips")
            paired = [[ours - theirs for ours, theirs in zip(exits[best], other["right"])] for exits in per_seed]
            row["against"].append({"model": other["model"], "exit": other["exit"], "accuracy": bootstrap.accuracy([other["right"]]),
                                   "difference": bootstrap.mean(paired)})
        row["early"] = {"accuracy": bootstrap.accuracy([one["right"] for one in early]), "exits": [one["exits"] for one in early]}
        rows.append(row)

    times = {row["name"]: [] for row in rows}
    for _ in range(arguments.rounds):
        for row in rows:
            times[row["name"]].append(program.exit_times(finished[row["name"]][0][1]))
    for row in rows:
        row["time_us"] = [statistics.median(column) for column in zip(*times[row["name"]])]
        taken = [row["time_us"][exit - 1] for exits in row["early"].pop("exits") for exit in exits]
        row["early"]["time_share"] = statistics.fmean(taken) / row["time_us"][-1]

    result = {"spec": arguments.spec.name, "data": arguments.data.name, "resamples": RESAMPLES, "variants": rows}
    files.write_json(arguments.out, result)
    text = table(result)
    files.write_text(arguments.out.with_suffix(".md"), f"# {arguments.out.stem}\n\n" + text)
    print(text, end="")


if __name__ == "__main__":
    main()
