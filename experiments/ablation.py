#!/usr/bin/env python3
"""Trains every variant of a recipe with every seed and puts what came out of it into one table.

    experiments/ablation.py SPEC --data DIR --noise NOISE --runs RUNS --out docs/results/NAME.json

SPEC is JSON: {"base": {OPTION: VALUE, ...}, "seeds": [0, 1, 2], "variants": {NAME: {OPTION: VALUE, ...}, ...}}.
OPTION is one of `bittern train`, without its dashes; a VALUE of true gives a flag, a list its values separated by
commas, or of `teacher`, whose values are files seen from the working folder, one after another; null takes the base's
option away. The first variant is what the others are compared with.

Each training has the folder RUNS/VARIANT/seed-N and goes on where it was when this is started again. OUT gets, of each
variant and exit, mean and standard deviation over seeds of the validation accuracy at the run's best epoch, and the
difference from the first variant's run of the same seed; the work up to each exit, the model file's bytes and, with
--time, the measured time. A Markdown table of the accuracies goes to standard output and to a file beside OUT.

An OUT that is there already counts: what it holds of the same base and variants is not trained again, and stays in it.
So a long experiment may go on, on another machine, from its table alone.
"""
import argparse
import concurrent.futures
import json
import math
import pathlib
import re
import shlex
import subprocess
import sys
import threading

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "rivals"))
import files  # noqa: E402

# What this program says itself, and no variant may.
RESERVED = {"data", "noise", "out", "seed", "threads", "resume", "overwrite", "quiet"}

# Options whose values may hold commas themselves: each value gets the option anew.
REPEATED = {"teacher"}


def fail(message):
    sys.exit(f"ablation: {message}")


def read_json(path, refuse=fail):
    """What the file holds; `refuse` gets a line where it cannot be read, and does not return."""
    try:
        return json.loads(path.read_text())
    except OSError as error:
        refuse(f"{path}: {error.strerror}")
    except ValueError as error:
        refuse(f"{path}: no JSON: {error}")


def read_spec(path):
    spec = read_json(path)
    if not isinstance(spec, dict) or set(spec) != {"base", "seeds", "variants"}:
        fail(f"{path}: must be an object of base, seeds and variants")
    seeds = spec["seeds"]
    if not isinstance(seeds, list) or not seeds or len(set(map(str, seeds))) != len(seeds) or \
            not all(type(seed) is int and seed >= 0 for seed in seeds):
        fail(f"{path}: seeds must be different whole numbers, at least one")
    if not isinstance(spec["variants"], dict) or not spec["variants"]:
        fail(f"{path}: variants must be an object of at least one")
    for name, options in [("base", spec["base"]), *spec["variants"].items()]:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", name):
            fail(f"{path}: variant '{name}': its name becomes a folder; use letters, digits and . _ + -")
        if not isinstance(options, dict):
            fail(f"{path}: {name}: must be an object of options")
        taken = sorted(RESERVED & set(options))
        if taken:
            fail(f"{path}: {name}: '{taken[0]}' is not for a variant to say")
    if not isinstance(spec["base"].get("epochs"), int):
        fail(f"{path}: base: give 'epochs', a whole number")
    return spec


def options_of(spec, variant):
    """The options of `bittern train` that a variant stands for."""
    merged = {**spec["base"], **spec["variants"][variant]}
    words = []
    for name, value in merged.items():
        if value is None or value is False:
            continue
        if isinstance(value, list) and name in REPEATED:
            for one in value:
                words += [f"--{name}", str(one)]
            continue
        words.append(f"--{name}")
        if isinstance(value, list):
            words.append(",".join(map(str, value)))
        elif value is not True:
            words.append(str(value))
    return words


class Run:
    """One training: a variant with a seed."""

    def __init__(self, spec, variant, seed, arguments):
        self.variant, self.seed = variant, seed
        self.name = f"{variant}, seed {seed}"
        self.folder = arguments.runs / variant / f"seed-{seed}"
        self.epochs = {**spec["base"], **spec["variants"][variant]}["epochs"]
        self.options = [*options_of(spec, variant), "--seed", str(seed), "--threads", str(arguments.threads)]
        self.command = [arguments.bittern, "train", "--data", str(arguments.data)]
        if arguments.noise:
            self.command += ["--noise", str(arguments.noise)]
        self.command += ["--out", str(self.folder), *self.options, "--resume", "--quiet"]

    # Beside the folder, which is the trainer's own.
    @property
    def record(self):
        return self.folder.with_name(self.folder.name + ".options.json")

    def metrics(self):
        """The finished epochs."""
        try:
            lines = (self.folder / "metrics.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        epochs = []
        for line in lines:
            try:
                epochs.append(json.loads(line))
            except ValueError:  # a killed training's last line; the trainer cuts it off
                break
        return epochs

    def finished(self):
        return len(self.metrics()) >= self.epochs

    def check(self):
        """A finished run is not started again, so nobody else would see that it was another one."""
        if self.record.exists():
            if json.loads(self.record.read_text()) != self.options:
                fail(f"{self.folder}: was trained with other options; give the variant another name or remove the folder")
        elif self.metrics():
            fail(f"{self.folder}: holds a training that was not started from here; use another --runs")

    def start(self):
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(self.record, json.dumps(self.options) + "\n")
        return subprocess.run(self.command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)

    def best(self):
        """The metrics of the epoch whose model was kept."""
        kept = [epoch for epoch in self.metrics() if epoch["best"]]
        return kept[-1] if kept else None


def train_all(runs, jobs):
    """Trains `jobs` at a time what is not finished; the names of those that failed."""
    failed = []
    stop = threading.Event()

    def one(run):
        if stop.is_set():
            return
        result = run.start()
        if result.returncode == 0 and run.finished():
            print(f"{run.name}: done", file=sys.stderr, flush=True)
            return
        failed.append(run.name)
        last = (result.stderr.strip().splitlines() or ["no word why"])[-1]
        print(f"{run.name}: failed with {result.returncode}: {last}", file=sys.stderr, flush=True)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(one, run) for run in runs]
        try:
            for future in futures:
                future.result()
        except KeyboardInterrupt:  # the trainings got it too, and leave checkpoints
            stop.set()
            raise
    return failed


class Recorded:
    """A training whose figures an earlier table has."""

    def __init__(self, row, index):
        self.row, self.seed = row, row["seeds"][index]
        self.epoch = {"epoch": row["best_epochs"][index],
                      "exits": [{"exit": exit["exit"], "accuracy": {"value": exit["accuracy"]["values"][index]}}
                                for exit in row["exits"]]}


def recorded_in(path, spec):
    """By variant and seed, what the table at `path` has of this specification."""
    try:
        table = json.loads(path.read_text()) if path else None
    except FileNotFoundError:
        return {}
    except ValueError as error:
        fail(f"{path}: no JSON: {error}; move it away to begin anew")
    found = {}
    if table and table["spec"]["base"] == spec["base"]:
        for row in table["rows"]:
            if spec["variants"].get(row["variant"]) != row["options"]:
                continue
            for index, seed in enumerate(row["seeds"]):
                found[row["variant"], seed] = Recorded(row, index)
    elif table:
        fail(f"{path}: holds a table of another base; move it away or give another --out")
    return found


def summary(values):
    """Mean and sample standard deviation; null where one value has none."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return {"mean": mean, "sd": None}
    return {"mean": mean, "sd": math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))}


def accuracies(epoch):
    return [exit["accuracy"]["value"] for exit in epoch["exits"]]


def ask(bittern, *words):
    """What a command answers as JSON; nothing where it cannot be asked."""
    found = subprocess.run([bittern, *words, "--json"], capture_output=True, text=True, check=False)
    return json.loads(found.stdout) if found.returncode == 0 else None


def cost_of(run, bittern):
    """What the run's model says that its exits cost, and its bytes."""
    model = run.folder / "best.bittern"
    told = ask(bittern, "inspect", str(model))
    return {"exits": told["exits"], "file_bytes": model.stat().st_size} if told and model.exists() else {}


def time_all(models, bittern, rounds):
    """Of each model and exit, the least of `rounds` medians, the models measured by turns: what else the machine does
    only ever adds time."""
    least = {}
    for _ in range(rounds):
        for name, model in models.items():
            told = ask(bittern, "bench", str(model))
            if told is None:
                fail(f"{model}: cannot be timed")
            times = [exit["time_us"]["median"] for exit in told["exits"]]
            least[name] = [min(pair) for pair in zip(times, least.get(name, times))]
    return least


def collect(spec, runs, recorded, bittern):
    """The table as data. Variants without a finished run are left out."""
    first = next(iter(spec["variants"]))
    finished = {key: found.epoch for key, found in recorded.items()}
    finished |= {(run.variant, run.seed): run.best() for run in runs if run.finished()}
    rows = []
    for variant in spec["variants"]:
        mine = [run for run in runs if run.variant == variant and finished.get((variant, run.seed))]
        if not mine:
            continue
        best = [finished[variant, run.seed] for run in mine]
        row = {"variant": variant, "options": spec["variants"][variant], "seeds": [run.seed for run in mine],
               "best_epochs": [epoch["epoch"] for epoch in best],
               "mean_over_exits": summary([math.fsum(accuracies(epoch)) / len(epoch["exits"]) for epoch in best]),
               "exits": []}
        # Differences within a seed: what a seed does to both cancels.
        pairs = [(finished[variant, run.seed], finished[first, run.seed]) for run in mine
                 if variant != first and finished.get((first, run.seed))]
        pairs = [pair for pair in pairs if len(pair[0]["exits"]) == len(pair[1]["exits"])]
        trained = next((run for run in mine if run.finished()), None)
        costs = cost_of(trained, bittern) if trained else {}
        if not costs:
            known = next((found.row for (name, _), found in recorded.items() if name == variant), {})
            costs = {"exits": [exit.get("cost") for exit in known.get("exits", [])],
                     "file_bytes": known.get("file_bytes")}
        if costs.get("file_bytes"):
            row["file_bytes"] = costs["file_bytes"]
        for index in range(len(best[0]["exits"])):
            values = [accuracies(epoch)[index] for epoch in best]
            row["exits"].append({"exit": index + 1, "accuracy": {**summary(values), "values": values}})
            if pairs:
                row["exits"][-1]["difference"] = summary(
                    [accuracies(own)[index] - accuracies(other)[index] for own, other in pairs])
            if costs["exits"] and costs["exits"][index]:
                row["exits"][-1]["cost"] = costs["exits"][index]
        rows.append(row)
    return {"spec": spec, "split": "validation", "compared_with": first, "rows": rows}


def percent(value):
    text = f"{100 * value['mean']:.1f}"
    return text if value["sd"] is None else f"{text} ± {100 * value['sd']:.1f}"


def markdown(table):
    most = max((len(row["exits"]) for row in table["rows"]), default=0)
    head = ["variant", "seeds", *(f"exit {index + 1}" for index in range(most)), "mean"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in table["rows"]:
        cells = [percent(exit["accuracy"]) for exit in row["exits"]] + [""] * (most - len(row["exits"]))
        cells = [row["variant"], str(len(row["seeds"])), *cells, percent(row["mean_over_exits"])]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(table, name):
    base = " ".join(f"`{option} {value}`" for option, value in table["spec"]["base"].items())
    return (f"# {name}\n\nWritten by `experiments/ablation.py` from [{name}]({name}), which has each variant's options. All share {base}.\n\n"
            "Validation accuracy in % at each training's best epoch: mean and standard deviation over seeds.\n\n" + markdown(table) + "\n")


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value}: must be 1 or more")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=pathlib.Path, metavar="SPEC")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--noise", type=pathlib.Path)
    parser.add_argument("--runs", type=pathlib.Path, required=True, help="where the trainings are kept")
    parser.add_argument("--out", type=pathlib.Path, help="the table as JSON")
    parser.add_argument("--bittern", default="bittern", help="the program; default: the one in PATH")
    parser.add_argument("--time", type=positive, metavar="ROUNDS",
                        help="measure every variant's exits, too, by turns; leave the machine alone meanwhile")
    parser.add_argument("--jobs", type=positive, default=1, help="trainings at a time; default 1")
    parser.add_argument("--threads", type=positive, default=1, help="of each training; default 1")
    parser.add_argument("--only", metavar="A,B,...", help="train these variants only")
    parser.add_argument("--dry-run", action="store_true", help="print the commands that are still to be run, no more")
    parser.add_argument("--collect", action="store_true", help="train nothing, make the table of what is finished")
    arguments = parser.parse_args()

    spec = read_spec(arguments.spec)
    runs = [Run(spec, variant, seed, arguments) for variant in spec["variants"] for seed in spec["seeds"]]
    for run in runs:
        run.check()
    only = arguments.only.split(",") if arguments.only else list(spec["variants"])
    for name in only:
        if name not in spec["variants"]:
            fail(f"--only {name}: {arguments.spec} has no such variant")
    recorded = recorded_in(arguments.out, spec)
    left = [run for run in runs
            if run.variant in only and not run.finished() and (run.variant, run.seed) not in recorded]
    if arguments.dry_run:
        for run in left:
            print(shlex.join(run.command))
        return
    failed = [] if arguments.collect else train_all(left, arguments.jobs)
    table = collect(spec, runs, recorded, arguments.bittern)
    if arguments.time:
        models = {}
        for run in runs:
            if run.finished():
                models.setdefault(run.variant, run.folder / "best.bittern")
        times = time_all(models, arguments.bittern, arguments.time)
        for row in table["rows"]:
            for exit, time in zip(row["exits"], times.get(row["variant"], [])):
                exit["time_us"] = time
    if arguments.out:
        files.write_json(arguments.out, table)
        files.write_text(arguments.out.with_suffix(".md"), page(table, arguments.out.name))
    print(markdown(table))
    if failed:
        fail(f"{len(failed)} of {len(left)} training{'s' if len(left) > 1 else ''} failed; started again, this goes on with them")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
