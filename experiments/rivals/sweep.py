#!/usr/bin/env python3
"""Trains every rival with the same number of tunings, and the best tuning of each with every seed.

    experiments/rivals/sweep.py experiments/rivals/rivals.json --data DIR --noise NOISE --runs RUNS --jobs 2 \\
      --out docs/results/rivals.json --test

The list is JSON. `base` and `tunings` are options of train.py without their dashes; each rival is trained with every tuning
and with the recipe of its paper (`published`), all with the first of `seeds`. The tuning with the best validation accuracy,
the first of equals, is then trained with the other seeds; with --test these runs, and no others, answer the test split. A
rival with a `teacher` learns from that rival's chosen run of the same seed.

Each training has the folder RUNS/RIVAL/TUNING/seed-N and goes on where it was when this is started again. OUT is written
after each training. What an OUT that is there already holds of the same base, tuning and rival is not trained again, so a long
sweep may go on, on another machine, from its OUT alone; only teachers, whose weights are needed, are trained again there.
"""
import argparse
import concurrent.futures
import json
import pathlib
import shlex
import subprocess
import sys
import threading

import files

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from ablation import positive, read_json, summary  # noqa: E402


def fail(message):
    sys.exit(f"sweep: {message}")


def read_spec(path):
    spec = read_json(path, fail)
    if set(spec) != {"base", "seeds", "tunings", "published", "rivals"}:
        fail(f"{path}: must be an object of base, seeds, tunings, published and rivals")
    for name, rival in spec["rivals"].items():
        if rival["published"] not in spec["published"]:
            fail(f"{path}: {name}: published: no '{rival['published']}'")
        teacher = rival.get("teacher")
        if teacher and (teacher not in spec["rivals"] or spec["rivals"][teacher].get("teacher")):
            fail(f"{path}: {name}: teacher: must be a rival without one")
    return spec


class Sweep:
    def __init__(self, spec, arguments):
        self.spec, self.arguments = spec, arguments
        self.lock, self.failed = threading.Lock(), []
        self.rows, self.shared = {}, {}
        self.take_up()

    # What each tuning of a rival is.
    def tunings(self, name):
        rival = self.spec["rivals"][name]
        return {**self.spec["tunings"], "published": self.spec["published"][rival["published"]]}

    def options(self, name, tuning):
        rival = self.spec["rivals"][name]
        return {"network": rival["network"], "input": rival["input"], **self.spec["base"], **self.tunings(name)[tuning]}

    def folder(self, name, tuning, seed):
        return self.arguments.runs / name / tuning / f"seed-{seed}"

    def take_up(self):
        """Counts what an earlier OUT holds of the same."""
        path = self.arguments.out
        if not path.exists():
            return
        try:
            table = json.loads(path.read_text())
        except ValueError as error:
            fail(f"{path}: no JSON: {error}; move it away to begin anew")
        if table["spec"]["seeds"][0] != self.spec["seeds"][0] or table["spec"]["base"] != self.spec["base"]:
            fail(f"{path}: holds a sweep with another base or first seed; move it away or give another --out")
        self.shared = {key: table[key] for key in ("labels", "test") if key in table}
        for row in table["rows"]:
            if row["rival"] != self.spec["rivals"].get(row["name"]):
                continue
            same = [tuning for tuning in self.tunings(row["name"])
                    if row["tunings"].get(tuning, {}).get("options") == self.options(row["name"], tuning)]
            self.keep(row, same)
            self.rows[row["name"]] = row

    @staticmethod
    def keep(row, tunings):
        row["tunings"] = {tuning: row["tunings"][tuning] for tuning in tunings}
        row["runs"] = [run for run in row["runs"] if run["tuning"] in tunings]

    def forget_other_teachers(self, name):
        """What was learned from a teacher that is not the chosen one any more does not count."""
        if name in self.rows:
            teacher = self.chosen(self.spec["rivals"][name]["teacher"])
            known = self.rows[name]["tunings"]
            self.keep(self.rows[name], [tuning for tuning in known if known[tuning]["teacher"] == teacher])

    def command(self, name, tuning, seed, test):
        words = [sys.executable, str(self.arguments.trainer), "--data", str(self.arguments.data), "--quiet",
                 "--out", str(self.folder(name, tuning, seed)), "--seed", str(seed), "--threads", "1"]
        if self.arguments.noise:
            words += ["--noise", str(self.arguments.noise)]
        for option, value in self.options(name, tuning).items():
            words += [f"--{option}", str(value)]
        teacher = self.spec["rivals"][name].get("teacher")
        if teacher:
            words += ["--teacher", str(self.folder(teacher, self.chosen(teacher), seed))]
        return words + (["--test"] if test else [])

    def record(self, name, tuning, seed, test):
        """Takes a finished run's result into the table and writes it."""
        result = json.loads((self.folder(name, tuning, seed) / "result.json").read_text())
        counts = {key: result[key] for key in ("parameters", "parameters_binary", "macs_float", "macs_binary")}
        row = self.rows.setdefault(name, {"name": name, "rival": self.spec["rivals"][name], "tunings": {}, "runs": []})
        row |= counts
        told = {"epoch": result["epoch"], "validation": result["validation"]["accuracy"]}
        if self.shared.setdefault("labels", result["labels"]) != result["labels"]:
            fail(f"{self.arguments.out}: holds results for other labels; give another --out")
        if seed == self.spec["seeds"][0]:
            teacher = self.spec["rivals"][name].get("teacher")
            of_teacher = {"teacher": self.chosen(teacher)} if teacher else {}
            row["tunings"][tuning] = {"options": self.options(name, tuning), **of_teacher, **told}
        if test and "test" in result:
            own = result["test"]
            self.shared["test"] = {key: own[key] for key in ("files", "speakers", "truth")}
            told |= {"test": own["accuracy"], "test_answers": own["answers"]}
        if test or seed != self.spec["seeds"][0] or tuning == row.get("chosen"):
            row["runs"] = [run for run in row["runs"] if (run["tuning"], run["seed"]) != (tuning, seed)]
            row["runs"].append({"tuning": tuning, "seed": seed, **told})
        self.write()

    def write(self):
        rows = [self.rows[name] for name in self.spec["rivals"] if name in self.rows]
        files.write_json(self.arguments.out, {"spec": self.spec, **self.shared, "rows": rows})

    def chosen(self, name):
        """The tuning with the best validation accuracy, once all are known."""
        known = self.rows.get(name, {}).get("tunings", {})
        if any(tuning not in known for tuning in self.tunings(name)):
            return None
        return max(self.tunings(name), key=lambda tuning: known[tuning]["validation"])

    def known_run(self, name, tuning, seed):
        return any((run["tuning"], run["seed"]) == (tuning, seed) and ("test" in run or not self.arguments.test)
                   for run in self.rows.get(name, {}).get("runs", []))

    def train(self, jobs):
        """(name, tuning, seed, test), side by side."""
        stop = threading.Event()

        def one(job):
            if stop.is_set():
                return
            name, tuning, seed, _ = job
            done = subprocess.run(self.command(*job), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                  check=False)
            text = f"{name}, {tuning}, seed {seed}"
            if done.returncode == 0:
                with self.lock:
                    self.record(*job)
                print(f"{text}: done", file=sys.stderr, flush=True)
            else:
                self.failed.append(text)
                last = (done.stderr.strip().splitlines() or ["no word why"])[-1]
                print(f"{text}: failed with {done.returncode}: {last}", file=sys.stderr, flush=True)

        with concurrent.futures.ThreadPoolExecutor(self.arguments.jobs) as pool:
            futures = [pool.submit(one, job) for job in jobs]
            try:
                for future in futures:
                    future.result()
            except KeyboardInterrupt:  # the trainings got it too, and leave checkpoints
                stop.set()
                raise

    def tuning_jobs(self, names):
        first = self.spec["seeds"][0]
        return [(name, tuning, first, False) for name in names for tuning in self.tunings(name)
                if tuning not in self.rows.get(name, {}).get("tunings", {})]

    def final_jobs(self, names):
        jobs = []
        for name in names:
            tuning = self.chosen(name)
            if tuning is None:
                continue
            self.rows[name]["chosen"] = tuning
            jobs += [(name, tuning, seed, self.arguments.test) for seed in self.spec["seeds"]
                     if not self.known_run(name, tuning, seed)]
        return jobs

    def missing_teachers(self, names):
        """Chosen runs of teachers that still have pupils to teach, but whose weights are not on this machine."""
        pupils = [name for name in names if self.tuning_jobs([name]) or self.final_jobs([name])]
        teachers = {self.spec["rivals"][name]["teacher"] for name in pupils}
        return [(teacher, self.chosen(teacher), seed, self.arguments.test) for teacher in sorted(teachers)
                for seed in self.spec["seeds"] if self.chosen(teacher) and
                not (self.folder(teacher, self.chosen(teacher), seed) / "result.json").exists()]

    def run(self, names):
        pupils = [name for name in names if self.spec["rivals"][name].get("teacher")]
        teachers = [self.spec["rivals"][name]["teacher"] for name in pupils]
        others = [name for name in self.spec["rivals"] if name not in pupils and name in {*names, *teachers}]
        self.train(self.tuning_jobs(others))
        self.train(self.final_jobs(others))
        taught = [name for name in pupils if self.chosen(self.spec["rivals"][name]["teacher"])]
        for name in taught:
            self.forget_other_teachers(name)
        self.train(self.missing_teachers(taught))
        self.train(self.tuning_jobs(taught))
        self.train(self.final_jobs(taught))

    def median_run(self, name):
        """Of a rival's seeds the one with the median validation accuracy, as models of Bittern are shipped."""
        tuning = self.chosen(name)
        runs = sorted((run for run in self.rows[name]["runs"] if run["tuning"] == tuning),
                      key=lambda run: (run["validation"], run["seed"]))
        return runs[len(runs) // 2] if runs else None

    def markdown(self):
        lines = ["| rival | tuning | validation | test |", "|---|---|---|---|"]
        for name in self.spec["rivals"]:
            tuning = self.chosen(name)
            runs = [run for run in self.rows.get(name, {}).get("runs", []) if run["tuning"] == tuning]
            if not runs:
                continue
            cells = [shown([run[split] for run in runs if split in run]) for split in ("validation", "test")]
            lines.append(f"| {name} | {tuning} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


def shown(values):
    if not values:
        return ""
    told = summary(values)
    text = f"{100 * told['mean']:.1f}"
    return text if told["sd"] is None else f"{text} ± {100 * told['sd']:.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=pathlib.Path, metavar="SPEC")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--noise", type=pathlib.Path)
    parser.add_argument("--runs", type=pathlib.Path, required=True, help="where the trainings are kept")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the results as JSON")
    parser.add_argument("--jobs", type=positive, default=1, help="trainings at a time, of one thread each; default 1")
    parser.add_argument("--trainer", type=pathlib.Path, default=HERE / "train.py", help=argparse.SUPPRESS)
    parser.add_argument("--only", metavar="A,B,...", help="these rivals only (and their teachers)")
    parser.add_argument("--test", action="store_true", help="answer the test split with the chosen runs")
    parser.add_argument("--dry-run", action="store_true", help="print the commands of the next stage, no more")
    parser.add_argument("--medians", action="store_true",
                        help="train nothing, print each rival's run with the median validation accuracy over seeds")
    arguments = parser.parse_args()
    spec = read_spec(arguments.spec)
    names = arguments.only.split(",") if arguments.only else list(spec["rivals"])
    for name in names:
        if name not in spec["rivals"]:
            fail(f"--only {name}: {arguments.spec} has no such rival")
    sweep = Sweep(spec, arguments)
    if arguments.medians:
        for name in names:
            run = sweep.median_run(name) if name in sweep.rows else None
            if run:
                print(sweep.folder(name, run["tuning"], run["seed"]))
        return
    if arguments.dry_run:
        alone = [name for name in names if not spec["rivals"][name].get("teacher")]
        for job in sweep.tuning_jobs(alone) or sweep.final_jobs(alone):
            print(shlex.join(sweep.command(*job)))
        return
    sweep.run(names)
    print(sweep.markdown())
    if sweep.failed:
        fail(f"{len(sweep.failed)} training{'s' if len(sweep.failed) > 1 else ''} failed; started again, this goes on with them")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
