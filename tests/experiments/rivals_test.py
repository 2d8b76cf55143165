"""experiments/rivals/sweep.py with a program in train.py's place that trains as fast as it writes a file."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy
except ImportError:
    numpy = None

SWEEP = pathlib.Path(__file__).resolve().parents[2] / "experiments" / "rivals" / "sweep.py"

# Accuracy: a tenth of the rate and a hundredth of the seed; binary less. Fails once where a file asks for it.
TRAINER = '''
import json, pathlib, sys
words = sys.argv[1:]
value = lambda name: words[words.index(name) + 1]
run = pathlib.Path(value("--out"))
root = run.parents[2]
with open(root / "log", "a") as log:
    log.write(" ".join(words) + "\\n")
if (root / "trap").exists() and run.parts[-3] == (root / "trap").read_text():
    (root / "trap").unlink()
    sys.exit("struck by lightning")
if "--teacher" in words:
    assert (pathlib.Path(value("--teacher")) / "result.json").exists()
run.mkdir(parents=True, exist_ok=True)
path = run / "result.json"
accuracy = float(value("--learning-rate")) / 10 + int(value("--seed")) / 100 - ("--teacher" in words) / 50
result = {"labels": ["a", "b"], "epoch": 1, "parameters": 1, "parameters_binary": 0, "macs_float": 2, "macs_binary": 0,
          "validation": {"accuracy": accuracy}}
if "--test" in words:
    result["test"] = {"accuracy": accuracy - 0.1, "files": ["x", "y"], "speakers": ["s", ""], "truth": [0, 1],
                      "answers": [0, 0]}
path.write_text(json.dumps(result))
'''

SPEC = {"base": {"epochs": 3}, "seeds": [0, 1, 2],
        "tunings": {"slow": {"learning-rate": 1}, "fast": {"learning-rate": 2}},
        "published": {"paper": {"learning-rate": 2}},
        "rivals": {"pupil": {"network": "p", "input": "i", "published": "paper", "teacher": "teacher"},
                   "teacher": {"network": "t", "input": "i", "published": "paper"},
                   "other": {"network": "o", "input": "i", "published": "paper"}}}


class Sweep(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)
        self.runs = self.root / "runs"
        self.runs.mkdir()
        (self.root / "trainer.py").write_text(TRAINER)
        self.out = self.root / "out.json"

    def sweep(self, *words, status=0, spec=SPEC):
        (self.root / "spec.json").write_text(json.dumps(spec))
        done = subprocess.run(
            [sys.executable, SWEEP, self.root / "spec.json", "--data", "DATA", "--runs", self.runs, "--out", self.out,
             "--trainer", self.root / "trainer.py", "--jobs", "3", *words], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def trained(self):
        """RIVAL/TUNING/SEED of the trainings since the last call."""
        log = self.runs / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return ["/".join(pathlib.Path(line.split()[line.split().index("--out") + 1]).parts[-3:]) for line in lines]

    def table(self):
        return json.loads(self.out.read_text())

    def test_every_rival_has_all_tunings_and_the_best_all_seeds(self):
        done = self.sweep("--test")
        trained = self.trained()
        for name in SPEC["rivals"]:
            for tuning in ("slow", "fast", "published"):
                self.assertIn(f"{name}/{tuning}/seed-0", trained)
            # "fast" and "published" are equal: the first of equals.
            self.assertIn(f"{name}/fast/seed-2", trained)
            self.assertNotIn(f"{name}/published/seed-1", trained)
        rows = {row["name"]: row for row in self.table()["rows"]}
        self.assertEqual(list(rows), list(SPEC["rivals"]))
        self.assertEqual(sorted(run["seed"] for run in rows["other"]["runs"]), [0, 1, 2])
        self.assertEqual({run["tuning"] for run in rows["other"]["runs"]}, {"fast"})
        self.assertTrue(all("test" in run for run in rows["pupil"]["runs"]))
        self.assertNotIn("test", rows["other"]["tunings"]["slow"])
        self.assertEqual(self.table()["test"]["truth"], [0, 1])
        self.assertIn("| other | fast | 21.0 ± 1.0 | 11.0 ± 1.0 |", done.stdout)

    def test_a_pupil_learns_from_the_chosen_run_of_its_seed(self):
        self.sweep("--only", "pupil")
        lines = (self.runs / "log").read_text().splitlines()
        taught = [line for line in lines if "--teacher" in line]
        self.assertEqual(len(taught), 6)
        for line in taught:
            words = line.split()
            self.assertEqual(words[words.index("--teacher") + 1],
                             str(self.runs / "teacher/fast" / f"seed-{words[words.index('--seed') + 1]}"))
        self.assertNotIn("other", {row["name"] for row in self.table()["rows"]})

    def test_the_results_alone_suffice_to_go_on(self):
        self.sweep("--test")
        self.trained()
        shutil.rmtree(self.runs)
        self.runs.mkdir()
        self.sweep("--test")
        self.assertEqual(self.trained(), [])
        # Another tuning of all: only it is trained, and teachers' weights that pupils need.
        wider = {**SPEC, "tunings": {**SPEC["tunings"], "new": {"learning-rate": 0.5}}}
        self.sweep("--test", spec=wider)
        trained = self.trained()
        self.assertEqual({run for run in trained if not run.startswith("teacher/fast")},
                         {f"{name}/new/seed-0" for name in SPEC["rivals"]})
        self.assertIn("teacher/fast/seed-0", trained)
        # Another teacher: its pupil learns anew, nobody else.
        better = {**SPEC, "rivals": {**SPEC["rivals"], "teacher": {"network": "t", "input": "i", "published": "better"}},
                  "published": {**SPEC["published"], "better": {"learning-rate": 3}}}
        self.sweep("--test", spec=better)
        self.assertEqual({run.split("/")[0] for run in self.trained()}, {"pupil", "teacher"})

    def test_a_failed_training_is_named_and_trained_again(self):
        (self.runs / "trap").write_text("teacher")
        done = self.sweep("--test", status=1)
        self.assertIn("struck by lightning", done.stderr)
        self.assertNotIn("pupil", {row["name"] for row in self.table()["rows"]})
        self.trained()
        self.sweep("--test")
        self.assertNotIn("other", {run.split("/")[0] for run in self.trained()})
        self.assertEqual(len(self.table()["rows"]), 3)

    def test_tests_are_added_to_finished_runs(self):
        self.sweep()
        self.assertNotIn("test", self.table())
        self.trained()
        self.sweep("--test")
        self.assertEqual(len(self.trained()), 9)
        self.assertIn("test", self.table())

    def test_medians(self):
        self.sweep()
        done = self.sweep("--medians")
        self.assertEqual(done.stdout.split(), [str(self.runs / name / "fast/seed-1") for name in SPEC["rivals"]])

    def test_another_base_is_refused(self):
        self.sweep()
        done = self.sweep(spec={**SPEC, "base": {"epochs": 4}}, status=1)
        self.assertIn("another base", done.stderr)

    def test_changed_options_are_trained_again(self):
        self.sweep()
        self.trained()
        shutil.rmtree(self.runs)
        self.runs.mkdir()
        self.sweep(spec={**SPEC, "published": {"paper": {"learning-rate": 1.5}}})
        self.assertEqual({run for run in self.trained() if "published" in run},
                         {f"{name}/published/seed-0" for name in SPEC["rivals"]})


@unittest.skipIf(numpy is None, "needs numpy")
class Intervals(unittest.TestCase):
    def setUp(self):
        sys.path.append(str(SWEEP.parent))
        import intervals
        self.intervals = intervals

    def test_clips_that_stand_alone_are_drawn_themselves(self):
        paired = self.intervals.difference([1, 1, 0, 1] * 25, [1, 0, 0, 1] * 25, [""] * 100)
        self.assertAlmostEqual(paired["value"], 0.25)
        # The standard error is 0.0433.
        self.assertAlmostEqual(paired["low"], 0.25 - 0.085, delta=0.02)
        self.assertAlmostEqual(paired["high"], 0.25 + 0.085, delta=0.02)

    def test_shares_of_clips_that_stand_alone_have_wilsons_interval(self):
        share = self.intervals.proportion([1] * 9 + [0], [""] * 10)
        self.assertEqual((share["low"], share["high"]), self.intervals.wilson(9, 10))
        grouped = self.intervals.proportion([1] * 9 + [0], ["a"] * 5 + ["b"] * 5)
        self.assertGreaterEqual(grouped["high"], 1.0)


if __name__ == "__main__":
    unittest.main()
