"""experiments/ablation.py with a program in bittern's place that trains as fast as it writes a file."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ABLATION = pathlib.Path(__file__).resolve().parents[2] / "experiments" / "ablation.py"

# Goes on with a run as the trainer does; accuracy: 0.5 + seed / 100, better by 0.1 with label smoothing; epoch 2 of 3
# is the best. Fails once after an epoch where a file asks for it.
TRAINER = '''#!{python}
import json, pathlib, sys
words = sys.argv[1:]
if words[0] == "inspect":
    print(json.dumps({{"exits": [{{"layer": "a"}}, {{"layer": "b"}}]}}))
    sys.exit()
if words[0] == "bench":
    with open(pathlib.Path(words[1]).parents[2] / "benches", "a") as log:
        log.write(pathlib.Path(words[1]).parts[-3] + "\\n")
    count = len((pathlib.Path(words[1]).parents[2] / "benches").read_text().splitlines())
    print(json.dumps({{"exits": [{{"time_us": {{"median": 10 * count + k}}}} for k in (1, 2)]}}))
    sys.exit()
value = lambda name, default=None: words[words.index(name) + 1] if name in words else default
run = pathlib.Path(value("--out"))
assert "--resume" in words
with open(run.parents[1] / "log", "a") as log:
    log.write(" ".join(words) + "\\n")
run.mkdir(exist_ok=True)
metrics = run / "metrics.jsonl"
done = len(metrics.read_text().splitlines()) if metrics.exists() else 0
trap = run.parents[1] / "trap"
for epoch in range(done + 1, int(value("--epochs")) + 1):
    base = 0.5 + int(value("--seed")) / 100 + (0.1 if "--label-smoothing" in words else 0) + (0.05 if epoch == 2 else 0)
    exits = [{{"exit": k, "accuracy": {{"value": base + k / 1000}}}} for k in (1, 2)]
    with open(metrics, "a") as file:
        file.write(json.dumps({{"epoch": epoch, "exits": exits, "best": epoch <= 2}}) + "\\n")
    (run / "best.bittern").write_text("12345")
    if trap.exists() and run.parent.name == "smooth":
        trap.unlink()
        print("error: struck by lightning", file=sys.stderr)
        sys.exit(1)
'''

SPEC = {"base": {"epochs": 3, "exit-weights": [1, 2], "no-noise": True, "mixup": 0.2}, "seeds": [0, 4],
        "variants": {"plain": {"mixup": None}, "smooth": {"label-smoothing": 0.1}}}


class Ablation(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)
        self.bittern = self.root / "bittern"
        self.bittern.write_text(TRAINER.format(python=sys.executable))
        self.bittern.chmod(0o755)
        self.runs = self.root / "runs"
        self.runs.mkdir()
        self.write(SPEC)

    def write(self, spec):
        (self.root / "spec.json").write_text(json.dumps(spec))

    def ablation(self, *more):
        return subprocess.run([sys.executable, str(ABLATION), str(self.root / "spec.json"), "--data", "D", "--runs",
                               str(self.runs), "--bittern", str(self.bittern), *more], capture_output=True, text=True,
                              check=False)

    def started(self):
        log = self.runs / "log"
        return log.read_text().splitlines() if log.exists() else []

    def expect_failure(self, finished, message):
        self.assertEqual(finished.returncode, 1, finished.stderr)
        self.assertIn(message, finished.stderr)
        self.assertEqual(len(finished.stderr.strip().splitlines()), 1, finished.stderr)

    def test_trains_every_variant_with_every_seed_and_sums_up(self):
        out = self.root / "table.json"
        finished = self.ablation("--out", str(out), "--jobs", "2", "--noise", "N")
        self.assertEqual(finished.returncode, 0, finished.stderr)
        self.assertEqual(len(self.started()), 4)
        plain = next(line for line in self.started() if "plain/seed-4" in line)
        self.assertEqual(plain, f"train --data D --noise N --out {self.runs}/plain/seed-4 --epochs 3 --exit-weights 1,2 "
                                "--no-noise --seed 4 --threads 1 --resume --quiet")
        table = json.loads(out.read_text())
        self.assertEqual(table["spec"], SPEC)
        self.assertEqual([row["variant"] for row in table["rows"]], ["plain", "smooth"])
        smooth = table["rows"][1]
        self.assertEqual(smooth["best_epochs"], [2, 2])
        exit2 = smooth["exits"][1]
        self.assertAlmostEqual(exit2["accuracy"]["mean"], 0.5 + 0.02 + 0.1 + 0.05 + 0.002)
        self.assertAlmostEqual(exit2["accuracy"]["sd"], 0.04 / 2 ** 0.5)
        self.assertAlmostEqual(exit2["difference"]["mean"], 0.1)
        self.assertAlmostEqual(exit2["difference"]["sd"], 0)
        self.assertEqual(exit2["cost"], {"layer": "b"})
        self.assertEqual(smooth["file_bytes"], 5)
        self.assertNotIn("time_us", exit2)
        page = (self.root / "table.md").read_text()
        self.assertIn("share `epochs 3`", page)
        self.assertIn("| smooth | 2 | ", page)
        self.assertIn(page.splitlines()[-1], finished.stdout)
        self.assertNotIn("difference", table["rows"][0]["exits"][0])
        self.assertIn("| smooth | 2 | 67.1 ± 2.8 | 67.2 ± 2.8 | 67.2 ± 2.8 |", finished.stdout)

    def test_replaces_an_older_table_whole(self):
        out = self.root / "table.json"
        old = {"spec": SPEC, "rows": []}
        for path in (out, self.root / "table.md"):
            path.write_text(json.dumps(old))
            path.with_suffix(path.suffix + ".old").hardlink_to(path)
        finished = self.ablation("--out", str(out))
        self.assertEqual(finished.returncode, 0, finished.stderr)
        self.assertEqual(len(json.loads(out.read_text())["rows"]), 2)
        # Written over, the other name would show what was being written, or half of it.
        for name in ("table.json.old", "table.md.old"):
            self.assertEqual(json.loads((self.root / name).read_text()), old)
        self.assertEqual(sorted(path.name for path in self.root.iterdir() if path.name.endswith(".new")), [])

    def test_gives_each_teacher_an_option_of_its_own(self):
        self.write({**SPEC, "variants": {"taught": {"teacher": ["a,b.bittern", "c.bittern"]}, "one": {"teacher": "c.bittern"}}})
        commands = self.ablation("--dry-run").stdout.splitlines()
        self.assertIn(" --teacher a,b.bittern --teacher c.bittern --seed 0 ", commands[0])
        self.assertIn(" --teacher c.bittern --seed 0 ", commands[2])

    def test_goes_on_where_it_was(self):
        (self.runs / "trap").touch()
        broken = self.ablation()
        self.assertEqual(broken.returncode, 1)
        self.assertIn("smooth, seed 0: failed with 1: error: struck by lightning", broken.stderr)
        self.assertIn("| smooth | 1 |", broken.stdout)
        self.assertEqual(len(self.started()), 4)
        again = self.ablation()
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(len(self.started()), 5)
        self.assertIn("smooth/seed-0", self.started()[4])
        self.assertEqual(len((self.runs / "smooth/seed-0/metrics.jsonl").read_text().splitlines()), 3)
        self.assertIn("| smooth | 2 |", again.stdout)

    def test_goes_on_from_its_table_alone(self):
        out = self.root / "table.json"
        self.assertEqual(self.ablation("--out", str(out), "--only", "plain").returncode, 0)
        before = json.loads(out.read_text())
        self.assertEqual([row["variant"] for row in before["rows"]], ["plain"])
        shutil.rmtree(self.runs)
        self.runs.mkdir()
        finished = self.ablation("--out", str(out))
        self.assertEqual(finished.returncode, 0, finished.stderr)
        self.assertEqual(len(self.started()), 2)
        table = json.loads(out.read_text())
        self.assertEqual(table["rows"][0], before["rows"][0])
        smooth = table["rows"][1]
        self.assertAlmostEqual(smooth["exits"][0]["difference"]["mean"], 0.1)
        shutil.rmtree(self.runs)
        self.runs.mkdir()
        # Another base would be another experiment.
        changed = json.loads(json.dumps(SPEC))
        changed["base"]["epochs"] = 4
        self.write(changed)
        self.expect_failure(self.ablation("--out", str(out), "--dry-run"), "another base")
        # A changed variant is trained.
        changed = json.loads(json.dumps(SPEC))
        changed["variants"]["smooth"]["label-smoothing"] = 0.2
        self.write(changed)
        self.assertEqual(len(self.ablation("--out", str(out), "--dry-run").stdout.splitlines()), 2)

    def test_measures_by_turns(self):
        out = self.root / "table.json"
        finished = self.ablation("--out", str(out), "--time", "2")
        self.assertEqual(finished.returncode, 0, finished.stderr)
        self.assertEqual((self.runs / "benches").read_text().split(), ["plain", "smooth", "plain", "smooth"])
        rows = json.loads(out.read_text())["rows"]
        self.assertEqual([exit["time_us"] for row in rows for exit in row["exits"]], [11, 12, 21, 22])

    def test_a_dry_run_starts_nothing(self):
        finished = self.ablation("--dry-run", "--only", "smooth")
        self.assertEqual(finished.returncode, 0)
        self.assertEqual(len(finished.stdout.splitlines()), 2)
        self.assertIn("--label-smoothing 0.1", finished.stdout)
        self.assertEqual(self.started(), [])
        self.assertFalse((self.runs / "smooth").exists())

    def test_a_changed_variant_is_not_mistaken_for_the_old_one(self):
        self.assertEqual(self.ablation().returncode, 0)
        changed = json.loads(json.dumps(SPEC))
        changed["variants"]["smooth"]["label-smoothing"] = 0.2
        self.write(changed)
        self.expect_failure(self.ablation("--collect"), "smooth/seed-0: was trained with other options")

    def test_refuses_a_spec_that_is_none(self):
        for change, message in [({"seeds": []}, "seeds"), ({"seeds": [1, 1]}, "seeds"), ({"variants": {}}, "variants"),
                                ({"variants": {"../x": {}}}, "'../x'"), ({"variants": {"a": {"out": "x"}}}, "'out'"),
                                ({"base": {}}, "epochs"), ({"more": 1}, "base, seeds and variants")]:
            self.write({**SPEC, **change})
            self.expect_failure(self.ablation(), message)
        (self.root / "spec.json").write_text("{")
        self.expect_failure(self.ablation(), "no JSON")
        self.write(SPEC)
        self.expect_failure(self.ablation("--only", "smoth"), "smoth")


if __name__ == "__main__":
    unittest.main()
