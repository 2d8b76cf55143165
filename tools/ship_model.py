#!/usr/bin/env python3
"""Makes a model of finished trainings the one that is shipped: the file, its card and the results behind it.

    tools/ship_model.py NAME --data DIR --facts tools/model_facts/TASK.json [RUN...] [--program build/release/bin/bittern]

Of several runs, which should differ in seed alone, it takes the one with the median validation accuracy: the mean over
exits at its best epoch; of an even number the lower of the two in the middle. It calibrates two operating points on
validation clips, and writes models/NAME.bittern and models/NAME.md, and docs/results/NAME.{metrics.jsonl,inspect.json,evaluation.json,seeds.json,note.txt}. Test data are
looked at for that one run alone. Without a run, the model that is shipped is calibrated anew and its card made again.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def best_epoch(run):
    """The metrics of the epoch whose model a training kept."""
    recipe = json.loads((run / "recipe.json").read_text())
    epochs = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    if len(epochs) < recipe["epochs"]:
        sys.exit(f"ship_model: {run}: has {len(epochs)} of {recipe['epochs']} epochs; let it finish")
    epoch = [epoch for epoch in epochs if epoch["best"]][-1]
    accuracy = [exit["accuracy"]["value"] for exit in epoch["exits"]]
    return {"seed": recipe["seed"], "epoch": epoch["epoch"], "validation": accuracy, "mean": sum(accuracy) / len(accuracy)}


def choose(runs):
    """The best epoch and folder of the run to ship, and those of all, sorted."""
    recipes = [json.loads((path / "recipe.json").read_text()) for path in runs]
    if len({recipe.pop("seed") for recipe in recipes}) < len(recipes) or any(recipe != recipes[0] for recipe in recipes):
        sys.exit("ship_model: the runs must differ in seed, and in nothing else")
    seeds = sorted(((best_epoch(path), path) for path in runs), key=lambda one: (one[0]["mean"], one[0]["seed"]))
    return *seeds[(len(seeds) - 1) // 2], seeds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("runs", type=pathlib.Path, nargs="*", metavar="RUN")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--facts", type=pathlib.Path, required=True)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/bittern")
    parser.add_argument("--license", default="Apache-2.0", help="of the model")
    arguments = parser.parse_args()
    name, program = arguments.name, arguments.program

    def run(*command):
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, check=False)
        if done.returncode != 0:
            sys.exit(f"ship_model: {' '.join(map(str, command))}: ended with {done.returncode}")
        return done.stdout

    model = ROOT / "models" / f"{name}.bittern"
    results = ROOT / "docs/results"

    def result(ending):
        return results / f"{name}.{ending}"

    def calibrate(*promise):
        done = subprocess.run([program, "calibrate", model, "--data", arguments.data, *promise, "--quiet"], text=True,
                              stderr=subprocess.PIPE, check=False)
        if done.returncode not in (0, 1):
            sys.exit(f"ship_model: calibrate {' '.join(promise)}: ended with {done.returncode}: {done.stderr.strip()}")
        if done.returncode == 1:
            print(f"{name}: no promise of {' '.join(promise)}: {done.stderr.strip()}")
        return done.returncode == 0

    if arguments.runs:
        chosen, path, seeds = choose(arguments.runs)
        run(program, "export", path, "--out", model, "--license", arguments.license)
    # Before test data are looked at. Where clips are too few for a promise the model has none.
    any(calibrate("--max-accuracy-loss", limit, "--forget") for limit in ("0.03", "0.04", "0.05"))
    calibrate("--budget-macs", "0.5")

    def without_places(text):
        return text.replace(str(model), str(model.relative_to(ROOT))).replace(str(arguments.data), arguments.data.name)

    result("inspect.json").write_text(without_places(run(program, "inspect", model, "--json")))
    run(program, "evaluate", model, "--data", arguments.data, "--split", "test", "--json", result("evaluation.json"), "--quiet")
    result("evaluation.json").write_text(without_places(result("evaluation.json").read_text()))
    if arguments.runs:
        shutil.copyfile(path / "metrics.jsonl", result("metrics.jsonl"))
        trainings = {"shipped_seed": chosen["seed"], "trainings": sorted((one for one, _ in seeds), key=lambda one: one["seed"])}
        result("seeds.json").write_text(json.dumps(trainings, indent=1) + "\n")
        note = (f"Of {len(seeds)} trainings that differ in seed it is the one with the median validation accuracy: its test accuracy was looked at "
                f"after the choice (docs/results/{name}.seeds.json)." if len(seeds) > 1 else
                "One training: another seed moves an exit by one to two points, the first by more.")
        result("note.txt").write_text(note + "\n")
    card = run(sys.executable, ROOT / "tools/model_card.py", model, result("inspect.json"), result("evaluation.json"), arguments.facts,
               "--note", result("note.txt"))
    (ROOT / "models" / f"{name}.md").write_text(card)
    if arguments.runs:
        print(f"{name}: seed {chosen['seed']}, epoch {chosen['epoch']}, validation {' '.join(f'{100 * a:.1f}' for a in chosen['validation'])}")


if __name__ == "__main__":
    main()
