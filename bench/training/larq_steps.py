#!/usr/bin/env python3
"""larq_steps.py NETWORK [--batch N] [--threads N] [--steps N]: times Larq's own training step in TensorFlow.

The network as larq_zoo builds it with five exits on blocks (global average pool, dense layer with a one-bit kernel, batch
norm), Bop for the one-bit kernels and Adam for the rest, Keras' train_on_batch on one batch of random features. Prints
one line of JSON, as bittern_training_bench --json does. Its packages: requirements.txt.
"""
import argparse
import json
import os
import resource
import statistics
import sys
import time

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SHAPE = (98, 64, 1)
CLASSES = 12
WARM_UP = 3
# How layers that end a block are called, and the blocks (from 1) that exits read.
NETWORKS = {"quicknet": ("add", (4, 8, 12, 14, 16)), "binarydensenet-28": ("concatenate", (6, 12, 18, 21, 23))}


def network(name):
    import larq as lq
    import larq_zoo as lqz
    import tensorflow as tf

    block_end, blocks = NETWORKS[name]
    build = {"quicknet": lqz.sota.QuickNet, "binarydensenet-28": lqz.literature.BinaryDenseNet28}[name]
    whole = build(input_shape=SHAPE, weights=None, include_top=False)
    ends = [layer for layer in whole.layers if block_end in layer.name]
    if len(ends) != blocks[-1]:
        sys.exit(f"larq_steps.py: {name} has {len(ends)} blocks, {blocks[-1]} expected")
    outputs = []
    for block in blocks:
        x = tf.keras.layers.GlobalAveragePooling2D()(ends[block - 1].output)
        x = lq.layers.QuantDense(CLASSES, kernel_quantizer="ste_sign", use_bias=False)(x)
        outputs.append(tf.keras.layers.BatchNormalization()(x))
    model = tf.keras.Model(whole.input, outputs)
    optimizer = lq.optimizers.CaseOptimizer(
        (lq.optimizers.Bop.is_binary_variable, lq.optimizers.Bop(threshold=1e-8, gamma=1e-4)),
        default_optimizer=tf.keras.optimizers.legacy.Adam(1e-3))
    model.compile(optimizer, [tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)] * len(blocks))
    return model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=12)
    options = parser.parse_args()

    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    random = np.random.default_rng(1)
    x = random.uniform(-13, 4, (options.batch, *SHAPE)).astype("float32")
    labels = [np.arange(options.batch) % CLASSES] * 5
    model = network(options.network)
    x, labels = tf.constant(x), [tf.constant(label) for label in labels]
    seconds = []
    for step in range(WARM_UP + options.steps):
        start = time.perf_counter()
        model.train_on_batch(x, labels)
        if step >= WARM_UP:
            seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(json.dumps({
        "architecture": options.network, "kind": "larq", "batch": options.batch, "threads": options.threads,
        "steps": options.steps, "samples_per_s": options.batch / median,
        "step_ms": {"min": min(seconds) * 1e3, "median": median * 1e3, "max": max(seconds) * 1e3},
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
