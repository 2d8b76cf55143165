"""The rivals once more in Keras, in evaluation, with weights that PyTorch trained: what LiteRT's converter reads.

The input is [frames, columns, 1], reduced and normalised (networks.Rival.read), time down, frequency across. Batch norms
are folded into the convolutions before them, as every converter does it.
"""
import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

layers = tf.keras.layers
EPSILON = 1e-5  # PyTorch's, of all batch norms


class Weights:
    """A state dictionary of PyTorch, below a prefix."""

    def __init__(self, state, prefix=""):
        self.state, self.prefix = state, prefix

    def at(self, name):
        return Weights(self.state, f"{self.prefix}{name}.")

    def __getitem__(self, name):
        return self.state[self.prefix + name]

    def has(self, name):
        return self.prefix + name in self.state

    def affine(self):
        """A batch norm as (scale, shift)."""
        scale = self["weight"] / np.sqrt(self["running_var"] + EPSILON)
        return scale, self["bias"] - self["running_mean"] * scale


def conv(x, kernel, bias, stride=(1, 1), padding="valid", dilation=(1, 1)):
    """kernel [height, width, in, out]; depthwise where `in` is 1 and x has more channels."""
    options = {"strides": stride, "padding": padding, "dilation_rate": dilation, "use_bias": bias is not None}
    if kernel.shape[2] == 1 and x.shape[-1] > 1:
        layer, kernel = layers.DepthwiseConv2D(kernel.shape[:2], **options), kernel.transpose(0, 1, 3, 2)
    else:
        layer = layers.Conv2D(kernel.shape[3], kernel.shape[:2], **options)
    y = layer(x)
    layer.set_weights([kernel] if bias is None else [kernel, bias])
    return y


def time_first(kernel):
    """PyTorch's [out, in, time, frequency] to Keras's [time, frequency, in, out]."""
    return kernel.transpose(2, 3, 1, 0)


def frequency_first(kernel):
    """The same of a network that has frequency before time."""
    return kernel.transpose(3, 2, 1, 0)


def ds_cnn(weights, x, stem_stride, strides):
    body, index = weights.at("body"), 0
    for stride in [stem_stride] + [part for stride in strides for part in (stride, 1)]:
        scale, shift = body.at(index + 1).affine()
        kernel = time_first(body.at(index)["weight"]) * scale
        x = tf.nn.relu(conv(x, kernel, shift, stride if isinstance(stride, tuple) else (stride, stride), "same"))
        index += 3
    return layers.Dense(weights["head.weight"].shape[0], weights=[weights["head.weight"].T, weights["head.bias"]])(
        tf.reduce_mean(x, (1, 2)))


def bands(scale_or_shift, channels, columns):
    """A sub-spectral norm's [channels * bands] to [1, 1, columns, channels]."""
    of_bands = scale_or_shift.reshape(channels, -1)
    return of_bands.T.repeat(columns // of_bands.shape[1], 0)[None, None].astype(np.float32)


def frequency_conv(x, kernel, stride):
    """A depthwise convolution over frequency alone, one column of padding at both ends.

    TensorFlow has no depthwise convolution with two different strides; with time as the batch, one will do.
    """
    if stride == 1:
        return conv(x, kernel, None, padding="same")
    _, frames, columns, channels = x.shape
    x = layers.ZeroPadding2D(((0, 0), (1, 1)))(tf.reshape(x, (frames, 1, columns, channels)))
    return tf.reshape(conv(x, kernel, None, (stride, stride)), (1, frames, columns // stride, channels))


def broadcast_block(weights, x, stride, dilation):
    before, transition = x, weights.has("widen.0.weight")
    if transition:
        scale, shift = weights.at("widen.1").affine()
        x = tf.nn.relu(conv(x, frequency_first(weights["widen.0.weight"]) * scale, shift))
    scale, shift = weights.at("frequency_norm.norm").affine()
    channels = x.shape[-1]
    # What a channel's bands have in common goes into its kernel: int8 has one scale for all that lies between.
    of_channel = np.abs(scale).reshape(channels, -1).mean(1)
    scale = scale / of_channel.repeat(len(scale) // channels)
    x = frequency_conv(x, frequency_first(weights["frequency.weight"]) * of_channel, stride)
    scale, shift = bands(scale, channels, x.shape[2]), bands(shift, channels, x.shape[2])
    wide = x * scale + shift
    scale, shift = weights.at("time_norm").affine()
    kernel = frequency_first(weights["time.weight"]) * scale
    y = conv(tf.reduce_mean(wide, 2, keepdims=True), kernel, shift, padding="same", dilation=(dilation, 1))
    y = wide + conv(y * tf.sigmoid(y), frequency_first(weights["pointwise.weight"]), None)
    return tf.nn.relu(y if transition else before + y)


def bc_resnet(weights, x):
    scale, shift = weights.at("stem.1").affine()
    x = layers.ZeroPadding2D(2)(x)
    x = tf.nn.relu(conv(x, frequency_first(weights["stem.0.weight"]) * scale, shift, (1, 2)))
    block = 0
    for count, stride, dilation in ((2, 1, 1), (2, 2, 2), (4, 2, 4), (4, 1, 8)):
        for turn in range(count):
            x = broadcast_block(weights.at(f"blocks.{block}"), x, 1 if turn else stride, dilation)
            block += 1
    x = conv(layers.ZeroPadding2D(((2, 2), (0, 0)))(x), frequency_first(weights["depthwise.weight"]), None)
    scale, shift = weights.at("pointwise.1").affine()
    x = tf.nn.relu(conv(x, frequency_first(weights["pointwise.0.weight"]) * scale, shift))
    x = tf.reduce_mean(x, (1, 2), keepdims=True)
    return layers.Flatten()(conv(x, frequency_first(weights["head.weight"]), weights["head.bias"]))


def prelu(weights, x):
    return tf.nn.leaky_relu(x, float(weights["weight"][0]))


class Binarised:
    """A layer of BiFSMN: its activations and its weights, binary where they were trained so.

    `arrange` takes an array of PyTorch's axes [1, inputs, ...] to those of x, `mean_over` is the axis of x over which the
    second scale is a mean.
    """

    def __init__(self, weights, arrange, mean_over):
        self.weights, self.arrange, self.mean_over = weights, arrange, mean_over

    def activation(self, x):
        if not self.weights.has("alpha"):
            return x
        inner = self.weights.at("activation")
        thresholds = [self.arrange(inner[f"thresholds.{index}"]) for index in range(3)]
        first = tf.sign((x - thresholds[0]) * inner["alphas.0"])
        rest = x - first - thresholds[1]
        size = tf.reduce_mean(tf.abs(rest), self.mean_over, keepdims=True)
        return first + tf.sign(rest * inner["alphas.1"]) * size - thresholds[2]

    def weight(self):
        kernel = self.weights["weight"]
        if not self.weights.has("alpha"):
            return kernel
        size = np.abs(kernel).reshape(len(kernel), -1).mean(1).reshape(-1, *[1] * (kernel.ndim - 1))
        return np.where(kernel * self.weights["alpha"] < 0, -size, size).astype(np.float32)


def over_time(weights, x, norm):
    """A one-dimensional convolution and its batch norm; x [1, time, 1, channels]."""
    layer = Binarised(weights, lambda array: array.transpose(0, 2, 1)[:, :, None], 1)
    scale, shift = norm.affine()
    kernel = layer.weight()[:, :, :, None].transpose(2, 3, 1, 0) * scale
    return conv(layer.activation(x), kernel, weights["bias"] * scale + shift)


def memory_layer(weights, x):
    reach = (weights["memory.weight"].shape[2] - 1) // 2
    padded = layers.ZeroPadding2D(((reach, reach), (0, 0)))(x)
    after = weights.at("memory_after")
    x = x + prelu(after.at("1"), over_time(weights.at("memory"), padded, after.at("0")))
    after = weights.at("widen_after")
    y = prelu(after.at("1"), over_time(weights.at("widen"), x, after.at("0")))
    after = weights.at("narrow_after")
    return x + prelu(after.at("1"), over_time(weights.at("narrow"), y, after.at("0")))


def bifsmn(weights, x):
    stem = weights.at("stem")
    scale, shift = stem.at("1").affine()
    x = conv(layers.ZeroPadding2D(2)(x), frequency_first(stem["0.weight"]) * scale, stem["0.bias"] * scale + shift, (2, 2))
    x = prelu(stem.at("2"), x)
    layer = Binarised(stem.at("3"), lambda array: array.transpose(0, 3, 2, 1), 1)
    scale, shift = stem.at("4").affine()
    x = conv(layers.ZeroPadding2D(2)(layer.activation(x)), frequency_first(layer.weight()) * scale,
             stem["3.bias"] * scale + shift, (2, 2))
    x = prelu(stem.at("5"), x)
    _, frames, columns, channels = x.shape

    def columns_first(array):
        """Inputs from PyTorch's order [channel][column] to that of x, [column][channel]; they are the last axis."""
        return array.reshape(*array.shape[:-1], channels, columns).swapaxes(-1, -2).reshape(array.shape)

    x = tf.reshape(x, (1, frames, 1, columns * channels))
    layer = Binarised(weights.at("project"), lambda array: columns_first(array)[:, None, None], -1)
    x = conv(layer.activation(x), columns_first(layer.weight()).T[None, None], weights["project.bias"])
    x = prelu(weights.at("project_after"), x)
    index = 0
    while weights.has(f"layers.{index}.memory.weight"):
        x = memory_layer(weights.at(f"layers.{index}"), x)
        index += 1
    head = weights["head.1.weight"]
    classes, features = head.shape
    # PyTorch flattens [channel][time], this [time][channel].
    kernel = head.reshape(classes, features // frames, frames).swapaxes(1, 2).reshape(classes, features).T
    return layers.Dense(classes, weights=[kernel, weights["head.1.bias"]])(layers.Flatten()(x))


FORMS = {
    "ds-cnn-s": lambda weights, x: ds_cnn(weights, x, (2, 2), (1, 1, 1, 1)),
    "ds-cnn-l": lambda weights, x: ds_cnn(weights, x, (2, 1), (2, 1, 1, 1, 1)),
    "bc-resnet-1": bc_resnet,
    "bc-resnet-3": bc_resnet,
    "bifsmnv2": bifsmn,
    "bifsmnv2-float": bifsmn,
}


def make(name, state):
    """A Keras model of a network and its PyTorch state dictionary as NumPy arrays."""
    x = tf.keras.Input((state["rows"].shape[0], state["columns"].shape[1], 1), batch_size=1)
    return tf.keras.Model(x, FORMS[name](Weights(state, "core."), x))
