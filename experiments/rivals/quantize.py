#!/usr/bin/env python3
"""Finished runs as LiteRT models: float32, and int8 after training as LiteRT's users make it.

    build/rivals/venv/bin/python experiments/rivals/quantize.py --data DIR RUN...

RUN gets `float32.tflite`, `int8.tflite` and `litert.json` with what each answers to the validation split (and to the test
split, where the run's own result has it). Int8 is full-integer, weights per channel, ranges from training clips.
BiFSMNv2 has no int8 form: LiteRT has no binary operations, so its binary layers run in float32.
"""
import argparse
import json
import pathlib
import sys
from importlib.metadata import version

import keras_forms
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import data
import files
import front_end

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from log_mel import log_mel  # noqa: E402

RANGE_CLIPS = 200  # training clips, evenly spaced, that int8 ranges are taken of
WITHOUT_INT8 = {"bifsmnv2"}


def features_of(root, split, count=None):
    """[clips, frames, bins] of a split, or of `count` clips of it; decoded once for all runs."""
    found = data.find(root, (split,)).splits[split]
    chosen = range(len(found.files)) if count is None else \
        [i * len(found.files) // count for i in range(min(count, len(found.files)))]
    length = front_end.FRONT_END["clip_samples"]
    rows = []
    for index in chosen:
        samples = data.decode(root / found.files[index])
        rows.append(log_mel(data.window_at(samples, data.centre(len(samples), length), length), front_end.FRONT_END))
    return np.stack(rows), found.labels[list(chosen)]


def inputs_of(features, state):
    """What the network reads of log-mel features, one clip a row, [clips, rows, columns, 1]."""
    reduced = state["rows"] @ features @ state["columns"]
    return ((reduced - state["mean"]) / state["deviation"]).astype(np.float32)[..., None]


def convert(model, examples=None):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if examples is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([example[None]] for example in examples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


class Model:
    """A LiteRT model on one thread; XNNPACK runs what it can, as LiteRT does by default."""

    def __init__(self, content):
        self.interpreter = Interpreter(model_content=content, num_threads=1)
        self.interpreter.allocate_tensors()
        self.into, self.out = self.interpreter.get_input_details()[0], self.interpreter.get_output_details()[0]

    def quantized(self, x):
        if self.into["dtype"] != np.int8:
            return x
        scale, zero = self.into["quantization"]
        return np.clip(np.round(x / scale + zero), -128, 127).astype(np.int8)

    def logits(self, x):
        self.interpreter.set_tensor(self.into["index"], self.quantized(x))
        self.interpreter.invoke()
        y = self.interpreter.get_tensor(self.out["index"])[0]
        if self.out["dtype"] != np.int8:
            return y
        scale, zero = self.out["quantization"]
        return (y.astype(np.float32) - zero) * scale


def correlation(logits, others):
    """Of what clips differ in: each class's mean is taken away."""
    own, other = (values - values.mean(0) for values in (logits, others))
    return float((own * other).sum() / max(np.sqrt((own ** 2).sum() * (other ** 2).sum()), 1e-30))


def read_run(run):
    result = json.loads((run / "result.json").read_text())
    with np.load(run / "best.npz") as stored:
        return result, {name: stored[name] for name in stored.files}


def convert_run(run, examples, splits):
    """Writes a run's models and returns what litert.json gets."""
    result, state = read_run(run)
    name = result["options"]["network"]
    model = keras_forms.make(name, state)
    told = {"network": name, "input": result["options"]["input"], "forms": {},
            "versions": {package: version(package) for package in ("tensorflow", "ai-edge-litert", "numpy")}}
    forms = {"float32": None} if name in WITHOUT_INT8 else {"float32": None, "int8": inputs_of(examples, state)}
    exact = {}
    for form, ranges in forms.items():
        content = convert(model, ranges)
        files.replace(run / f"{form}.tflite", lambda temporary: temporary.write_bytes(content))
        told["forms"][form] = row = {"bytes": len(content)}
        litert = Model(content)
        for split, (features, labels) in splits.items():
            if split not in result:
                continue
            logits = np.stack([litert.logits(x[None]) for x in inputs_of(features, state)])
            said = logits.argmax(1)
            row[split] = {"accuracy": float((said == labels).mean()), "answers": said.tolist(),
                          "other_than_pytorch": int((said != np.array(result[split]["answers"])).sum()),
                          "correlation_with_float32": correlation(logits, exact.setdefault(split, logits))}
    return told


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("runs", type=pathlib.Path, nargs="+", metavar="RUN")
    arguments = parser.parse_args()
    examples, _ = features_of(arguments.data, "train", RANGE_CLIPS)
    splits = {"validation": features_of(arguments.data, "validation")}
    if any("test" in json.loads((run / "result.json").read_text()) for run in arguments.runs):
        splits["test"] = features_of(arguments.data, "test")
    for run in arguments.runs:
        told = convert_run(run, examples, splits)
        files.write_json(run / "litert.json", told)
        for form, row in told["forms"].items():
            print(f"{run}: {form}, {row['bytes']} bytes, " + ", ".join(
                f"{split} {100 * row[split]['accuracy']:.1f} %, {row[split]['other_than_pytorch']} answers other than PyTorch's, "
                f"correlation with float32 {row[split]['correlation_with_float32']:.4f}"
                for split in splits if split in row), flush=True)


if __name__ == "__main__":
    main()
