"""experiments/finalists.py with a program in bittern's place whose answers stand in a file beside each model."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

EXPERIMENTS = pathlib.Path(__file__).resolve().parents[2] / "experiments"
sys.path += [str(EXPERIMENTS), str(EXPERIMENTS / "rivals")]
import finalists  # noqa: E402
from wilson import wilson  # noqa: E402

# MODEL holds {split: [exit][clip] of right or wrong}, "unsure": how many exits each test clip passes by under any
# threshold up to 0.5, and "time_us". Above 0.5 all leave at exit 1.
PROGRAM = '''#!{python} -IS
import json, sys
words = sys.argv[1:]
value = lambda name: words[words.index(name) + 1] if name in words else None
model = json.load(open(words[1]))
if words[0] == "inspect":
    print(json.dumps({{"exits": [{{}} for _ in model["test"]]}}))
elif words[0] == "bench":
    print(json.dumps({{"exits": [{{"time_us": {{"median": time}}}} for time in model["time_us"]]}}))
else:
    assert words[0] == "evaluate" and "--per-clip" in words and value("--data") == "D"
    split = value("--split")
    right = model[split]
    clips = []
    for clip in range(len(right[0])):
        if value("--exit"):
            exit = int(value("--exit"))
        else:
            exit = 1 + model["unsure"][clip] if float(value("--threshold")) <= 0.5 else 1
        clips.append({{"file": f"{{split}}/{{clip}}.wav", "truth": "yes", "label": "yes" if right[exit - 1][clip] else "no",
                      "exit": exit, "speaker": model["speakers"][clip]}})
    print(json.dumps({{"clips": clips}}))
'''

SPEAKERS = ["ann", "ann", "bob", "bob", None, None]
SPEC = {"base": {"epochs": 1}, "seeds": [0, 1, 2], "variants": {"tiny": {}, "unfinished": {"mixup": 0.2}}}


def model(validation, test, unsure=None):
    return {"validation": validation, "test": test, "speakers": SPEAKERS, "unsure": unsure or [0] * 6, "time_us": [10, 40]}


# Exit 2 is better on validation, exit 1 on test.
OURS = [model([[1, 0, 0, 0, 1, 1], [1, 1, 1, 1, 1, 1]], [[1] * 6, [1, 1, 1, 1, 0, 0]], [0, 0, 1, 1, 0, 0]),
        model([[1, 0, 0, 0, 1, 1], [1, 1, 1, 1, 1, 1]], [[1] * 6, [1, 1, 0, 0, 1, 0]], [0, 0, 1, 1, 0, 0])]
THEIRS = model([[1] * 6, [0] * 6], [[1] * 6, [0] * 6])


class Finalists(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)
        self.bittern = self.root / "bittern"
        self.bittern.write_text(PROGRAM.format(python=sys.executable))
        self.bittern.chmod(0o755)
        (self.root / "spec.json").write_text(json.dumps(SPEC))
        (self.root / "theirs.bittern").write_text(json.dumps(THEIRS))
        for seed, ours in enumerate(OURS):
            self.train("tiny", seed, ours, ["--epochs", "1", "--seed", str(seed), "--threads", "1"])

    def train(self, variant, seed, ours, options):
        run = self.root / "runs" / variant / f"seed-{seed}"
        run.mkdir(parents=True)
        (run / "metrics.jsonl").write_text(json.dumps({"epoch": 1, "best": True}) + "\n")
        (run / "best.bittern").write_text(json.dumps(ours))
        if options is not None:
            run.with_name(run.name + ".options.json").write_text(json.dumps(options))

    def finalists(self, *more):
        return subprocess.run([sys.executable, str(EXPERIMENTS / "finalists.py"), str(self.root / "spec.json"), "--data", "D",
                               "--runs", str(self.root / "runs"), "--out", str(self.root / "out.json"), "--bittern", str(self.bittern),
                               "--rounds", "1", *more], capture_output=True, text=True, check=False)

    def result(self):
        finished = self.finalists("--against", str(self.root / "theirs.bittern"))
        self.assertEqual(finished.returncode, 0, finished.stderr)
        return json.loads((self.root / "out.json").read_text()), finished.stdout

    def test_compares_the_exits_that_validation_chose(self):
        row, = self.result()[0]["variants"]
        self.assertEqual([seed["seed"] for seed in row["seeds"]], [0, 1])
        self.assertEqual(row["best_exit"], 2)
        self.assertEqual([round(exit["accuracy"]["value"], 4) for exit in row["exits"]], [1, round((4 + 3) / 12, 4)])
        against, = row["against"]
        self.assertEqual((against["model"], against["exit"]), ("theirs", 1))
        self.assertEqual(against["accuracy"]["value"], 1)
        self.assertAlmostEqual(against["difference"]["value"], 7 / 12 - 1)
        self.assertLessEqual(against["difference"]["low"], 7 / 12 - 1)
        self.assertLess(against["difference"]["high"], 0.01)

    def test_being_right_always_is_no_certainty(self):
        row = self.result()[0]["variants"][0]
        for accuracy in (row["exits"][0]["accuracy"], row["against"][0]["accuracy"]):
            self.assertAlmostEqual(accuracy["low"], wilson(6, 6)[0])
            self.assertLess(accuracy["low"], 0.7)
            self.assertEqual(accuracy["high"], 1)

    def test_leaves_early_as_validation_allows(self):
        row = self.result()[0]["variants"][0]
        # Above 0.5 all leave at exit 1, where validation loses too much. Up to it, clips 2 and 3 go on.
        self.assertEqual([seed["threshold"] for seed in row["seeds"]], [0.0, 0.0])
        allowed = [dict(ours, validation=[[1, 1, 0, 0, 1, 1], [1] * 6]) for ours in OURS]
        for seed, ours in enumerate(allowed):
            (self.root / "runs" / "tiny" / f"seed-{seed}" / "best.bittern").write_text(json.dumps(ours))
        row = self.result()[0]["variants"][0]
        self.assertEqual([seed["threshold"] for seed in row["seeds"]], [0.5, 0.5])
        self.assertAlmostEqual(row["early"]["accuracy"]["value"], (6 + 4) / 12)
        self.assertAlmostEqual(row["early"]["time_share"], (4 * 10 + 2 * 40) / 6 / 40)

    def test_writes_a_table(self):
        text = self.result()[1]
        page = (self.root / "out.md").read_text()
        self.assertTrue(page.endswith(text))
        row = next(line for line in text.splitlines() if line.startswith("| tiny |"))
        self.assertEqual(row.split(" | ")[1], "2")
        self.assertIn("| 100.0 (61.0 to 100.0) | 58.3 (", row)
        self.assertIn("`tiny` at exit 2 less another", text)
        other = next(line for line in text.splitlines() if line.startswith("| theirs |"))
        self.assertTrue(other.startswith("| theirs | 1: 100.0 (61.0 to 100.0) | -41.7 ("), other)

    def test_trainings_of_other_options_are_none_of_these(self):
        self.train("unfinished", 0, OURS[0], ["--epochs", "1", "--mixup", "0.4", "--seed", "0", "--threads", "1"])
        finished = self.finalists()
        self.assertEqual(finished.returncode, 1)
        self.assertIn("unfinished/seed-0: was trained with other options", finished.stderr)
        self.assertFalse((self.root / "out.json").exists())

    def test_says_what_is_missing(self):
        finished = self.finalists("--against", str(self.root / "none.bittern"))
        self.assertEqual(finished.returncode, 1)
        (self.root / "spec.json").write_text(json.dumps({**SPEC, "variants": {"other": {}}}))
        self.assertIn("no finished training", self.finalists().stderr)


class Bootstrap(unittest.TestCase):
    def test_speakers_are_drawn_with_all_their_clips(self):
        rows = [[1, 1, 1, 1, 0, 0, 0, 0] * 8]
        alone = finalists.Bootstrap([None] * 64).mean(rows)
        # The same clips, of speakers who are right always or never.
        together = finalists.Bootstrap([f"{turn}{half}" for turn in range(8) for half in "ab" for _ in range(4)]).mean(rows)
        self.assertEqual(alone["value"], together["value"])
        ratio = (together["high"] - together["low"]) / (alone["high"] - alone["low"])
        self.assertAlmostEqual(ratio, 2, delta=0.4)  # four clips as one: half the standard error's divisor

    def test_clips_without_a_speaker_stand_alone(self):
        bootstrap = finalists.Bootstrap(["ann", None, "ann", None, "bob"])
        self.assertEqual(bootstrap.sizes, [2, 1, 1, 1])

    def test_seeds_are_drawn_too(self):
        same = finalists.Bootstrap([None] * 40).mean([[1, 0] * 20, [1, 0] * 20])
        other = finalists.Bootstrap([None] * 40).mean([[1] * 40, [0] * 40])
        self.assertEqual(same["value"], other["value"])
        self.assertEqual((other["low"], other["high"]), (0, 1))
        self.assertGreater(same["low"], 0.2)


if __name__ == "__main__":
    unittest.main()
