"""Writes a model's card from what the program itself says of it: no number in it is typed by hand.

usage: python3 tools/model_card.py MODEL INSPECT.json EVALUATION.json > CARD.md

    bittern inspect MODEL --json > INSPECT.json
    bittern evaluate MODEL --data DIR --split test --json EVALUATION.json
"""
import json
import pathlib
import sys


def percent(accuracy):
    return f"{100 * accuracy['value']:.1f} ({100 * accuracy['low']:.1f} to {100 * accuracy['high']:.1f})"


def main() -> int:
    model = pathlib.Path(sys.argv[1])
    inspect = json.loads(pathlib.Path(sys.argv[2]).read_text())
    evaluation = json.loads(pathlib.Path(sys.argv[3]).read_text())
    provenance = inspect["provenance"]
    recipe = provenance["recipe"]
    if isinstance(recipe, str):
        recipe = json.loads(recipe)
    data = evaluation["data"]
    recognises = "".join(f"`{label}` " for label in evaluation["labels"]).strip()
    out = [
        f"# {model.stem}",
        "",
        f"A {provenance['architecture']} with {len(inspect['exits'])} exits (placement `{provenance['placement']}`) that tells apart, in one second of speech at "
        f"{inspect['front_end']['sample_rate_hz']} Hz: {recognises}.",
        "",
        f"- **Size**: {inspect['file_bytes']:,} bytes; {inspect['parameters']['binary']:,} 1-bit and {inspect['parameters']['float']:,} float parameters.",
        f"- **Data**: {provenance['data_name']}, digest `{provenance['data_digest']}`.",
        f"- **Licence**: {provenance['license'] or 'not stated in the file'}.",
        f"- **Made by**: bittern {provenance['tool_version']}, seed {provenance['seed']}; the whole recipe is in the file (`bittern inspect {model.name} --json`).",
        "",
        f"## Accuracy on the {data['split']} split ({data['clips']:,} clips: {data['speakers']} known speakers, {data['clips_of_unknown_speakers']} clips of unknown ones)",
        "",
        "In %, with the 95 % interval that docs/command-line.md defines.",
        "",
        "| exit | reads | accuracy | share of the work |",
        "|---|---|---|---|",
    ]
    out += [f"| {e['exit']} | `{e['layer']}` | {percent(e['accuracy'])} | {100 * e['macs_share']:.0f} % |" for e in evaluation["exits"]]
    out += ["", "| entropy threshold (nats) | accuracy | average exit | share of the work |", "|---|---|---|---|"]
    out += [f"| {r['threshold']:g} | {percent(r['accuracy'])} | {r['average_exit']:.2f} | {100 * r['macs_share']:.0f} % |"
            for r in evaluation["rules"] if r["rule"] == "entropy"]
    out += ["", "## Recipe", "", "```json", json.dumps(recipe, indent=2), "```", ""]
    out += ["## Not for", "", "Other words, other languages, far-field or telephone audio: none of these was measured. Nothing where a wrong answer does harm.", ""]
    print("\n".join(out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
