"""Writes a model's card from what the program itself says of it: no number in it is typed by hand.

    bittern inspect MODEL --json > INSPECT.json
    bittern evaluate MODEL --data DIR --split test --json EVALUATION.json
    python3 tools/model_card.py MODEL INSPECT.json EVALUATION.json tools/model_facts/TASK.json --note NOTE.txt > CARD.md

TASK.json holds what no program can know: where the data come from, how they were split, and what a model of them is not for.
"""
import argparse
import json
import pathlib
import sys


def percent(accuracy):
    return f"{100 * accuracy['value']:.1f} ({100 * accuracy['low']:.1f} to {100 * accuracy['high']:.1f})"


def card(model: pathlib.Path, inspect: dict, evaluation: dict, facts: dict, note: str) -> str:
    provenance = inspect["provenance"]
    recipe = provenance["recipe"]
    if isinstance(recipe, str):
        recipe = json.loads(recipe)
    data = evaluation["data"]
    int8 = inspect["parameters"].get("int8", 0)
    recognises = "".join(f"`{label}` " for label in evaluation["labels"]).strip()
    out = [
        f"# {model.stem}",
        "",
        f"A {provenance['architecture']} with {len(inspect['exits'])} exits (placement `{provenance['placement']}`) that tells apart, in windows of "
        f"{inspect['front_end']['clip_samples'] / inspect['front_end']['sample_rate_hz']:g} s of sound at {inspect['front_end']['sample_rate_hz']} Hz: {recognises}.",
        "",
        f"- **Size**: {inspect['file_bytes']:,} bytes; {inspect['parameters']['binary']:,} 1-bit and {inspect['parameters']['float']:,} float parameters" +
        (f", {int8:,} of these in int8." if int8 else "."),
        f"- **Data**: {facts['data']}; {facts['licence']}. Digest of labels, splits, paths and file sizes: `{provenance['data_digest']}`.",
        f"- **Split**: {facts['split']}.",
        f"- **Licence** of the model: {provenance['license'] or 'not stated in the file'}.",
        f"- **Made by**: bittern {provenance['tool_version']}, seed {provenance['seed']}; the whole recipe is in the file (`bittern inspect {model.name} --json`).",
        "",
        f"## Accuracy on the {data['split']} split ({data['clips']:,} clips: {data['speakers']} known speakers, {data['clips_of_unknown_speakers']} clips of unknown ones)",
        "",
        "In %, with the 95 % interval that docs/command-line.md defines." + (f" {note}" if note else ""),
        "",
        "| exit | reads | accuracy | share of the work |",
        "|---|---|---|---|",
    ]
    out += [f"| {e['exit']} | `{e['layer']}` | {percent(e['accuracy'])} | {100 * e['macs_share']:.0f} % |" for e in evaluation["exits"]]
    out += ["", "| entropy threshold (nats) | accuracy | average exit | share of the work |", "|---|---|---|---|"]
    out += [f"| {r['threshold']:g} | {percent(r['accuracy'])} | {r['average_exit']:.2f} | {100 * r['macs_share']:.0f} % |"
            for r in evaluation["rules"] if r["rule"] == "entropy"]
    if evaluation["operating_points"]:
        out += ["", "| `--operating-point` | what it promises | accuracy here | average exit | share of the work |", "|---|---|---|---|---|"]
        out += [f"| `{p['name']}` | {p['promise']} | {percent(p['accuracy'])} | {p['average_exit']:.2f} | {100 * p['macs_share']:.0f} % |"
                for p in evaluation["operating_points"]]
    out += ["", "## Recipe", "", "```json", json.dumps(recipe, indent=2), "```", ""]
    out += ["## Not for", "", f"{facts['not_for']} Nothing where a wrong answer does harm.", ""]
    return "\n".join(out) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("inspect", type=pathlib.Path, help="output of bittern inspect --json")
    parser.add_argument("evaluation", type=pathlib.Path, help="report of bittern evaluate --json")
    parser.add_argument("facts", type=pathlib.Path, help="what is known of the data: data, licence, split, not_for")
    parser.add_argument("--note", type=pathlib.Path, help="text file with what a reader of the accuracies must know")
    parser.add_argument("--check", type=pathlib.Path, metavar="CARD", help="write nothing; fail where CARD is not what would be written")
    arguments = parser.parse_args()
    try:
        text = card(arguments.model, json.loads(arguments.inspect.read_text()), json.loads(arguments.evaluation.read_text()),
                    json.loads(arguments.facts.read_text()), " ".join(arguments.note.read_text().split()) if arguments.note else "")
        if arguments.check and arguments.check.read_text() != text:
            print(f"{arguments.check}: not what {pathlib.Path(sys.argv[0]).name} writes", file=sys.stderr)
            return 1
    except KeyError as error:
        print(f"model_card.py: no {error} in one of {arguments.inspect}, {arguments.evaluation}, {arguments.facts}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"model_card.py: {error}", file=sys.stderr)
        return 1
    if not arguments.check:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
