"""Larq Zoo's networks with one exit or five, random weights and random batch norm statistics."""
import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import larq as lq
import numpy as np
import tensorflow as tf
from larq_zoo.literature.birealnet import BiRealNetFactory
from larq_zoo.literature.densenet import BinaryDenseNet28Factory
from larq_zoo.literature.meliusnet import MeliusNet22Factory
from larq_zoo.sota.quicknet import QuickNetFactory
from zookeeper import Field, factory

layers = tf.keras.layers
NARROW_GROWTH = 4


@factory
class NarrowQuickNet(QuickNetFactory):
    section_filters = Field((4, 8, 12, 16))


@factory
class NarrowBiRealNet(BiRealNetFactory):
    filters = Field(4)


@factory
class NarrowDenseNet(BinaryDenseNet28Factory):
    initial_filters = Field(32)
    growth_rate = Field(3)


@factory
class NarrowMeliusNet(MeliusNet22Factory):
    """Its builder has 64 channels as a constant in three places."""

    transition_features = (16, 12, 16, None)

    def quant_conv(self, x, filters, kernel, strides=1, name=None):
        return super().quant_conv(x, NARROW_GROWTH, kernel, strides, name)

    def improvement_block(self, x, name=None):
        w = self.quant_conv(self.norm(x, name=f"{name}_bn"), 64, 3, name=f"{name}_binconv")
        pad = int(x.shape[-1]) - NARROW_GROWTH
        return layers.Lambda(lambda t: t[0] + tf.pad(t[1], [[0, 0], [0, 0], [0, 0], [pad, 0]]),
                             name=f"{name}_merge")([x, w])


# Builder, narrow builder, how layers that end a block are called, blocks before each exit.
NETWORKS = {
    "quicknet": (QuickNetFactory, NarrowQuickNet, "add", (4, 8, 12, 14, 16)),
    "birealnet-18": (BiRealNetFactory, NarrowBiRealNet, "add", (4, 8, 12, 14, 16)),
    "binarydensenet-28": (BinaryDenseNet28Factory, NarrowDenseNet, "concatenate", (6, 12, 18, 21, 23)),
    "meliusnet-22": (MeliusNet22Factory, NarrowMeliusNet, "_merge", (4, 9, 13, 15, 17)),
}
# How an exit is built: batch norm before the pool, between pool and dense, after dense; kernel quantizer.
EXITS = {
    "plain": (False, False, False, "ste_sign"),
    "norm-before": (True, False, False, "ste_sign"),
    "norm-between": (False, True, False, "magnitude_aware_sign"),
    "norm-after": (False, False, True, "ste_sign"),
    "float": (False, False, False, None),
}


def exit_of(x, kind, classes):
    before, between, after, quantizer = EXITS[kind]
    if before:
        x = layers.BatchNormalization()(x)
    x = layers.GlobalAveragePooling2D()(x)
    if between:
        x = layers.BatchNormalization()(x)
    options = {"kernel_quantizer": quantizer, "kernel_constraint": "weight_clip"} if quantizer else {}
    x = lq.layers.QuantDense(classes, **options)(x)
    return layers.BatchNormalization()(x) if after else x


def randomize(model, seed, coarse):
    """Statistics that are far from the identity, but keep values of a size that training leaves. coarse: kernels of few
    values, whose files are small."""
    random = np.random.default_rng(seed)
    for layer in model.layers:
        values = []
        for variable, value in zip(layer.weights, layer.get_weights()):
            name = variable.name.rsplit("/", 1)[-1].split(":")[0]
            if name in ("gamma", "moving_variance"):
                fans = layer.input_shape[-1] if name == "moving_variance" else 1
                value = random.uniform(0.5, 1.5, value.shape) * fans
            elif name in ("beta", "moving_mean", "bias"):
                value = random.uniform(-0.5, 0.5, value.shape)
            elif coarse and "kernel" in name:
                value = random.choice([-0.75, -0.25, 0.25, 0.75], value.shape)
            values.append(np.asarray(value, np.float32))
        layer.set_weights(values)


def build(name, kind="norm-after", exits=5, narrow=False, classes=12, seed=1):
    """kind "original": the network as published, its logits before softmax."""
    full, small, end, blocks = NETWORKS[name]
    tf.keras.utils.set_random_seed(seed)
    original = kind == "original"
    whole = (small if narrow else full)(input_shape=(98, 64, 1), include_top=original, num_classes=classes).build()
    if original:
        model = tf.keras.Model(whole.input, whole.layers[-2].output)
    else:
        ends = [layer.output for layer in whole.layers if end in layer.name]
        taps = [ends[i - 1] for i in blocks[:-1]] + [whole.output]
        model = tf.keras.Model(whole.input, [exit_of(x, kind, classes) for x in (taps if exits == 5 else taps[-1:])])
    randomize(model, seed, narrow)
    return model


def logits(model, features):
    """[clips, exits, classes]"""
    outputs = model(features[..., None], training=False)
    return np.stack([o.numpy() for o in (outputs if isinstance(outputs, list) else [outputs])], 1)


def nearest_to_zero(model, features):
    """Per clip the smallest |value| that a sign is taken of, as a share of its layer's largest: what rounding may flip."""
    inputs = [layer.input for layer in model.layers if getattr(layer, "input_quantizer", None) is not None]
    values = tf.keras.Model(model.input, inputs)(features[..., None], training=False)
    sizes = [np.abs(v.numpy()).reshape(len(features), -1) for v in values]
    return np.min([size.min(1) / size.max(1) for size in sizes], 0)
