#!/usr/bin/env python3
"""Accuracy against time and bytes: rivals in LiteRT and models of Bittern in one table and one picture.

    experiments/rivals/compare.py --rivals docs/results/rivals.json --times docs/results/rivals-times.json \\
      --evaluation docs/results/quicknet-speech-commands-12.evaluation.json --table rivals.md --picture rivals.svg

--times is measure.py's file, --evaluation a report of `bittern evaluate MODEL --json` on the same test split; it may be given
again. --against is such a report with --per-clip: the table then has each rival's difference from its answers, clip by clip.
Intervals are of 95 %, over clips and speakers, in both engines by the same method.
"""
import argparse
import json
import pathlib
import sys

import files
import intervals
from sweep import shown


def fail(message):
    sys.exit(f"compare: {message}")


def read(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        fail(f"{path}: {error}")


def rival_points(rivals, times, against):
    """A point per LiteRT model that answered the test split."""
    if "test" not in rivals:
        fail("the rivals have not answered the test split; train with --test")
    test, by_name = rivals["test"], {row["name"]: row for row in rivals["rows"]}
    points = []
    for row in times["times"]:
        if row["engine"] != "litert" or "test" not in row:
            continue
        name, tuning, _ = row["run"].split("/")
        if name not in by_name or len(row["test"]["answers"]) != len(test["truth"]):
            fail(f"{row['run']}: is not a run of these rivals")
        right = [said == truth for said, truth in zip(row["test"]["answers"], test["truth"])]
        runs = [run for run in by_name[name]["runs"] if run["tuning"] == tuning]
        point = {"group": name, "marker": "s" if row["form"] == "int8" else "D", "name": f"{name}, {row['form']}", "engine": "LiteRT",
                 "accuracy": intervals.proportion(right, test["speakers"]), "time_us": row["median_us"], "bytes": row["bytes"],
                 "seeds": shown([run["test"] for run in runs if "test" in run])}
        binary, rest = by_name[name]["parameters_binary"], by_name[name]["parameters"] - by_name[name]["parameters_binary"]
        if binary:
            point["packed"] = binary / 8 + rest * 4
        if against:
            theirs = {clip["file"]: clip["truth"] == clip["label"] for clip in against["clips"]}
            if set(theirs) != set(test["files"]):
                fail("--against: has other clips than the rivals' test split")
            point["difference"] = intervals.difference(right, [theirs[file] for file in test["files"]], test["speakers"])
        points.append(point)
    return points


def bittern_points(report, times):
    """A point per exit and per operating point of a model."""
    name = pathlib.PurePath(report["model"]).name
    if report["data"]["split"] != "test":
        fail(f"{name}: its evaluation is of {report['data']['split']} clips, not of the test split")
    row = next((row for row in times["times"] if row.get("model") == name), None)
    if row is None:
        fail(f"{name}: is not in --times")
    by_exit = {exit["exit"]: exit["median_us"] for exit in row["exits"]}
    stem = name.removesuffix(".bittern")
    points = [{"group": stem, "name": f"{stem}, exit {exit['exit']}", "engine": "Bittern", "accuracy": exit["accuracy"],
               "time_us": by_exit[exit["exit"]], "bytes": row["bytes"], "marker": "o"} for exit in report["exits"]]
    for point in report.get("operating_points", []):
        taken = point["histogram"]
        time = sum(count * by_exit[index + 1] for index, count in enumerate(taken)) / sum(taken)
        points.append({"group": stem, "name": f"{stem}, `{point['name']}`", "engine": "Bittern",
                       "accuracy": point["accuracy"], "time_us": time, "bytes": row["bytes"], "marker": "*"})
    return points


def percent(value):
    return f"{100 * value:.1f}"


def table(points, times, against):
    head = ["", "engine", "time, us", "KiB", "test accuracy, %", "95 %", "seeds, float"]
    head += [f"difference from {pathlib.PurePath(against['model']).name} ({against['policy']}), 95 %"] if against else []
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for point in points:
        accuracy = point["accuracy"]
        packed = f" ({point['packed'] / 1024:.0f})" if "packed" in point else ""
        cells = [point["name"], point["engine"], f"{point['time_us']:.0f}", f"{point['bytes'] / 1024:.0f}{packed}",
                 percent(accuracy["value"]), f"{percent(accuracy['low'])} to {percent(accuracy['high'])}", point.get("seeds", "")]
        if against:
            told = point.get("difference")
            cells.append(f"{100 * told['value']:+.1f}, {100 * told['low']:+.1f} to {100 * told['high']:+.1f}" if told else "")
        lines.append("| " + " | ".join(cells) + " |")
    overhead = times["call_overhead_us"]["litert"]
    return "\n".join([
        "Written by `experiments/rivals/compare.py`.", "",
        f"Machine: {times['cpu']}, family {times['cpu_id']['cpu family']}, model {times['cpu_id']['model']}, one core. "
        f"Versions: {', '.join(f'{name} {number}' for name, number in times['versions'].items())}.", "",
        f"Times are from features to logits, medians over {times['rounds']} rounds in which all took turns. LiteRT's have a call from Python in them "
        f"({overhead} us). The front end comes to both. In brackets: a binary network's weights in bits, which LiteRT cannot have. A row is the seed with the median validation accuracy; `seeds` are mean and standard deviation of the "
        "float networks in PyTorch over seeds. A named row of Bittern is an operating point: clips leave at several exits, the time is their mean.", "",
        *lines, ""])


def picture(points, path):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "rivals"  # the same file from the same numbers
    matplotlib.rcParams["svg.fonttype"] = "none"
    from matplotlib import pyplot
    from matplotlib.lines import Line2D

    figure, (*panels, beside) = pyplot.subplots(1, 3, figsize=(15, 6), width_ratios=(4, 4, 1.7), layout="constrained")
    panels[1].sharey(panels[0])
    groups = list(dict.fromkeys(point["group"] for point in points))
    colours = {group: pyplot.get_cmap("tab20")(index % 20) for index, group in enumerate(groups)}
    for panel, key, label in zip(panels, ("time_us", "bytes"), ("time to logits, us, one thread", "bytes of the model")):
        for point in points:
            accuracy = point["accuracy"]
            ends = [[100 * (accuracy["value"] - accuracy["low"])], [100 * (accuracy["high"] - accuracy["value"])]]
            panel.errorbar(point[key], 100 * accuracy["value"], yerr=ends, fmt=point["marker"], capsize=2, elinewidth=0.7,
                           color=colours[point["group"]], markersize=9 if point["marker"] == "*" else 5)
        for group in groups:
            line = [point for point in points if point["group"] == group and point["marker"] == "o"]
            panel.plot([point[key] for point in line], [100 * point["accuracy"]["value"] for point in line],
                       color=colours[group], linewidth=1)
        panel.set_xscale("log")
        panel.set_xlabel(label)
        panel.grid(alpha=0.3, which="both")
    panels[0].set_ylabel("test accuracy, %, with 95 % intervals")
    handles = [Line2D([], [], color=colours[group], linewidth=4, label=group) for group in groups]
    handles += [Line2D([], [], color="black", linestyle="", marker=marker, label=label) for marker, label in
                (("D", "LiteRT, float32"), ("s", "LiteRT, int8"), ("o", "Bittern, an exit"), ("*", "Bittern, operating point"))]
    beside.axis("off")
    beside.legend(handles=handles, fontsize=8, loc="upper left", frameon=False)
    files.replace(path, lambda temporary: figure.savefig(temporary, format="svg", metadata={"Date": None}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rivals", type=pathlib.Path, required=True)
    parser.add_argument("--times", type=pathlib.Path, required=True)
    parser.add_argument("--evaluation", type=pathlib.Path, action="append", default=[])
    parser.add_argument("--against", type=pathlib.Path)
    parser.add_argument("--table", type=pathlib.Path)
    parser.add_argument("--picture", type=pathlib.Path)
    arguments = parser.parse_args()
    times = read(arguments.times)
    against = read(arguments.against) if arguments.against else None
    if against and "clips" not in against:
        fail(f"{arguments.against}: has no clips; evaluate with --per-clip")
    points = rival_points(read(arguments.rivals), times, against)
    for report in map(read, arguments.evaluation):
        points += bittern_points(report, times)
    text = table(points, times, against)
    if arguments.table:
        files.replace(arguments.table, lambda temporary: temporary.write_text(text))
    else:
        print(text)
    if arguments.picture:
        picture(points, arguments.picture)


if __name__ == "__main__":
    main()
