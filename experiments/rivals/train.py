#!/usr/bin/env python3
"""One training of one rival.

    experiments/rivals/train.py --network ds-cnn-s --input 49x10 --data DIR --noise NOISE --out RUN

RUN gets `metrics.jsonl` (a line per epoch), `checkpoint.pt`, `best.npz` (the weights of the epoch with the best
validation accuracy, the first of equals) and at last `result.json`, with what that epoch answered to each clip. The same
command goes on where it was; on a finished run it does nothing but add what is missing. The test split is read with --test
only, and only when the training is over.
"""
import argparse
import hashlib
import json
import math
import os
import pathlib
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # torch's own threads are --threads

import numpy as np
import torch
import torch.nn.functional as F

import batches
import data
import files
import front_end
import networks

# They do not decide what a training gives.
NOT_OF_THE_RECIPE = ("data", "noise", "out", "test", "quiet", "teacher")


def fail(message):
    sys.exit(f"train: {message}")


def make_optimizer(rival, options):
    """Thresholds and slopes of binarisation learn at a tenth of the rate, as in BiFSMNv2's published code."""
    slow = [p for name, p in rival.named_parameters() if "threshold" in name or "alpha" in name]
    rest = [p for name, p in rival.named_parameters() if "threshold" not in name and "alpha" not in name]
    groups = [{"params": rest, "share": 1.0}] + ([{"params": slow, "share": 0.1}] if slow else [])
    shared = {"lr": options["learning_rate"], "weight_decay": options["weight_decay"]}
    if options["optimizer"] == "sgd":
        return torch.optim.SGD(groups, momentum=0.9, **shared)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[options["optimizer"]](groups, **shared)


def rate(step, steps, warmup, options):
    """The learning rate of a step: a straight rise, then a cosine to 0 or thirds of 1, 1/5 and 1/25."""
    if step < warmup:
        return options["learning_rate"] * (step + 1) / (warmup + 1)
    done = (step - warmup) / max(steps - warmup, 1)
    fall = 0.5 * (1 + math.cos(math.pi * done)) if options["schedule"] == "cosine" else 0.2 ** int(3 * done)
    return options["learning_rate"] * fall


def low_pass(x):
    """The low half of one level of Haar wavelets over [channels, time]: means of 2 x 2, each over its four places."""
    padded = F.pad(x, (0, x.shape[2] % 2, 0, x.shape[1] % 2))
    means = F.avg_pool2d(padded, 2)
    return means.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, :x.shape[1], :x.shape[2]]


def attention_distance(own, other):
    own, other = own.square(), other.square()
    return (own / own.norm() - other / other.norm()).norm()


def distillation(own, others, logits, other_logits):
    """BiFSMNv2's: high and low frequencies of every layer's output apart, and the logits."""
    loss = F.mse_loss(logits, other_logits)
    for mine, theirs in zip(own, others):
        low, their_low = low_pass(mine), low_pass(theirs)
        loss = loss + attention_distance(low, their_low) + attention_distance(mine - low, theirs - their_low)
    return loss


def answers(rival, features):
    rival.eval()
    with torch.no_grad():
        logits = torch.cat([rival(part) for part in features.split(256)])
    rival.train()
    return logits


def load_weights(rival, path, strict=True):
    with np.load(path) as stored:
        state = {name: torch.from_numpy(stored[name]) for name in stored.files}
    return rival.load_state_dict(state, strict)


def load_teacher(folder, options, labels):
    """A finished run's network, in evaluation."""
    try:
        told = json.loads((folder / "result.json").read_text())
    except FileNotFoundError:
        fail(f"{folder}: no finished training to learn from")
    if told["labels"] != labels or told["options"]["input"] != options["input"]:
        fail(f"{folder}: was trained for other labels or another input")
    teacher = networks.make(told["options"]["network"], len(labels), told["options"]["input"])
    load_weights(teacher, folder / "best.npz")
    return teacher.eval()


class Training:
    def __init__(self, arguments, options):
        self.out, self.options, self.quiet = arguments.out, options, arguments.quiet
        torch.manual_seed(options["seed"])
        torch.set_num_threads(options["threads"])
        self.loaded = data.load(arguments.data, ("train", "validation"))
        self.labels = self.loaded.labels
        log_mel = front_end.LogMel()
        settings = batches.Augmentation(time_mask_frames=options["time_mask_frames"],
                                        frequency_mask_bins=options["frequency_mask_bins"])
        self.batches = batches.Batches(self.loaded.splits["train"], data.load_noise(arguments.noise), settings,
                                    options["batch"], options["seed"], log_mel)
        if not len(self.batches):
            fail("fewer training clips than a batch has")
        self.validation = batches.features_of(self.loaded.splits["validation"], log_mel)
        self.rival = networks.make(options["network"], len(self.labels), options["input"])
        self.set_statistics(log_mel)
        self.teacher = None
        if arguments.teacher:
            self.teacher = load_teacher(arguments.teacher, options, self.labels)
            load_weights(self.rival, arguments.teacher / "best.npz", strict=False)
        self.optimizer = make_optimizer(self.rival, options)
        self.epoch, self.best, self.best_epoch = 0, -1, None

    def set_statistics(self, log_mel):
        """Mean and deviation of each column that the network reads, over the training clips."""
        features = self.rival.reduced(batches.features_of(self.loaded.splits["train"], log_mel)).double()
        self.rival.mean.copy_(features.mean((0, 1)))
        self.rival.deviation.copy_(features.std((0, 1)))

    def resume(self):
        path = self.out / "checkpoint.pt"
        if not path.exists():
            return
        stored = torch.load(path)
        if stored["options"] != self.options:
            changed = [key for key in self.options if stored["options"].get(key) != self.options[key]]
            fail(f"{self.out}: was begun with another {', '.join(changed) or 'recipe'}; use another --out")
        self.rival.load_state_dict(stored["network"])
        self.optimizer.load_state_dict(stored["optimizer"])
        torch.set_rng_state(stored["random"])
        self.epoch, self.best, self.best_epoch = stored["epoch"], stored["best"], stored["best_epoch"]
        # Lines of an epoch that a checkpoint does not know are written again.
        metrics = self.out / "metrics.jsonl"
        lines = metrics.read_text().splitlines(True)[:self.epoch]
        files.replace(metrics, lambda temporary: temporary.write_text("".join(lines)))

    def loss_of(self, features, labels):
        read = self.rival.read(features)
        if self.teacher is None:
            return F.cross_entropy(self.rival.core(read), labels, label_smoothing=self.options["label_smoothing"])
        own = self.rival.core.features(read)
        logits = self.rival.core.classify(own)
        with torch.no_grad():
            others = self.teacher.core.features(self.teacher.read(features))
            other_logits = self.teacher.core.classify(others)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.options["label_smoothing"])
        return loss + self.options["distillation"] * distillation(own, others, logits, other_logits)

    def train_epoch(self):
        steps, warmup = (round(count * len(self.batches)) for count in
                         (self.options["epochs"], self.options["warmup_epochs"]))
        total = 0.0
        for index, (features, labels) in enumerate(self.batches.epoch(self.epoch)):
            now = rate(self.epoch * len(self.batches) + index, steps, warmup, self.options)
            for group in self.optimizer.param_groups:
                group["lr"] = now * group["share"]
            loss = self.loss_of(features, labels)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            total += float(loss.detach())
            if not math.isfinite(total):
                fail(f"epoch {self.epoch}: the loss is not finite")
        return total / len(self.batches), now

    def run(self):
        while self.epoch < self.options["epochs"]:
            start, cpu = time.monotonic(), time.process_time()
            loss, now = self.train_epoch()
            right = int((answers(self.rival, self.validation).argmax(1).numpy() ==
                         self.loaded.splits["validation"].labels).sum())
            if right > self.best:
                self.best, self.best_epoch = right, self.epoch
                files.replace(self.out / "best.npz", self.write_weights)
            line = {"epoch": self.epoch, "loss": loss, "validation": right / len(self.validation),
                    "learning_rate": now, "best": self.best_epoch == self.epoch,
                    "time_s": round(time.monotonic() - start, 2), "cpu_s": round(time.process_time() - cpu, 2)}
            with open(self.out / "metrics.jsonl", "a") as file:
                file.write(json.dumps(line) + "\n")
            self.epoch += 1
            files.replace(self.out / "checkpoint.pt", self.write_checkpoint)
            if not self.quiet:
                print(json.dumps(line), flush=True)

    def write_weights(self, path):
        state = {name: value.numpy() for name, value in self.rival.state_dict().items()}
        with open(path, "wb") as file:
            np.savez(file, **state)

    def write_checkpoint(self, path):
        torch.save({"options": self.options, "network": self.rival.state_dict(), "random": torch.get_rng_state(),
                    "optimizer": self.optimizer.state_dict(), "epoch": self.epoch, "best": self.best,
                    "best_epoch": self.best_epoch}, path)


def answered(root, split_name, out, options):
    """Of a split, what the best epoch's network says to each clip."""
    loaded = data.load(root, (split_name,))
    split = loaded.splits[split_name]
    rival = networks.make(options["network"], len(loaded.labels), options["input"])
    load_weights(rival, out / "best.npz")
    said = answers(rival, batches.features_of(split, front_end.LogMel())).argmax(1).numpy()
    return {"accuracy": float((said == split.labels).mean()), "files": split.files, "speakers": split.speakers,
            "truth": split.labels.tolist(), "answers": said.tolist()}


def arguments_of():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=networks.NETWORKS, required=True)
    parser.add_argument("--input", choices=front_end.INPUTS, default="98x64", help="what it reads; default 98x64")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--noise", type=pathlib.Path, help="folder of background recordings to mix in")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--optimizer", choices=("adamw", "adam", "sgd"), default="adamw")
    parser.add_argument("--learning-rate", type=float, default=0.003)
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--schedule", choices=("cosine", "thirds"), default="cosine")
    parser.add_argument("--warmup-epochs", type=float, default=3)
    parser.add_argument("--label-smoothing", type=float, default=0.0)
    parser.add_argument("--time-mask-frames", type=int, default=20)
    parser.add_argument("--frequency-mask-bins", type=int, default=10)
    parser.add_argument("--teacher", type=pathlib.Path, help="a finished run of bifsmnv2-float to start and learn from")
    parser.add_argument("--distillation", type=float, default=0.01, help="the teacher's share of the loss")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--test", action="store_true", help="also answer the test split, with the best epoch")
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args()
    for name in ("epochs", "batch", "threads"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name.replace('_', '-')}: must be 1 or more")
    if arguments.teacher and arguments.network != "bifsmnv2":
        parser.error("--teacher: only bifsmnv2 has one")
    return arguments


def main():
    arguments = arguments_of()
    options = {name: value for name, value in vars(arguments).items() if name not in NOT_OF_THE_RECIPE}
    options["distilled"] = arguments.teacher is not None
    if arguments.teacher:  # what it knows, wherever it lies
        options["teacher_sha256"] = hashlib.sha256((arguments.teacher / "best.npz").read_bytes()).hexdigest()
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "result.json"
    result = json.loads(path.read_text()) if path.exists() else None
    if result is None:
        training = Training(arguments, options)
        training.resume()
        training.run()
        result = {"options": options, "labels": training.labels, "epoch": training.best_epoch,
                  **networks.counts(training.rival),
                  "validation": answered(arguments.data, "validation", arguments.out, options)}
        files.write_json(path, result)
    elif result["options"] != options:
        fail(f"{arguments.out}: holds a training with other options; use another --out")
    if arguments.test and "test" not in result:
        result["test"] = answered(arguments.data, "test", arguments.out, options)
        files.write_json(path, result)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
