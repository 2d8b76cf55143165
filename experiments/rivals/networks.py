#!/usr/bin/env python3
"""The rivals in PyTorch, written from the papers and checked against the authors' published code.

Run as a program it prints parameters and multiply-accumulates of each network. README.md says what differs from
the papers, and why.
"""
import argparse

import torch
import torch.nn.functional as F
from torch import nn

import front_end


def same_padding(size, kernel, stride):
    """(before, after) that TensorFlow's SAME pads."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class SameConv(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding, which is not symmetric where a stride meets an even size."""

    def forward(self, x):
        (top, bottom), (left, right) = (same_padding(size, kernel, stride) for size, kernel, stride in
                                        zip(x.shape[2:], self.kernel_size, self.stride))
        return super().forward(F.pad(x, (left, right, top, bottom)))


class DsCnn(nn.Module):
    """Zhang et al. 2017, arXiv 1711.07128. A convolution, then pairs of depthwise and pointwise ones."""

    def __init__(self, classes, shape, channels, stem_stride, strides):
        super().__init__()
        layers = [SameConv(1, channels, (10, 4), stem_stride, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
        for stride in strides:
            layers += [SameConv(channels, channels, 3, stride, groups=channels, bias=False),
                       nn.BatchNorm2d(channels), nn.ReLU(),
                       nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(channels, classes)

    def forward(self, x):
        return self.head(self.body(x[:, None]).mean((2, 3)))


class SubSpectralNorm(nn.Module):
    """Batch norm of each band of frequencies for itself; x [clips, channels, frequency, time]."""

    def __init__(self, channels, bands):
        super().__init__()
        self.bands = bands
        self.norm = nn.BatchNorm2d(channels * bands)

    def forward(self, x):
        clips, channels, height, width = x.shape
        split = x.reshape(clips, channels * self.bands, height // self.bands, width)
        return self.norm(split).reshape(x.shape)


class BroadcastBlock(nn.Module):
    """y = x + f2(x) + broadcast(f1(mean over frequency of f2(x))); a transition changes channels and has no x."""

    def __init__(self, channels_in, channels, stride, dilation, bands):
        super().__init__()
        self.transition = channels_in != channels
        self.widen = nn.Sequential(nn.Conv2d(channels_in, channels, 1, bias=False), nn.BatchNorm2d(channels),
                                   nn.ReLU()) if self.transition else nn.Identity()
        self.frequency = nn.Conv2d(channels, channels, (3, 1), (stride, 1), (1, 0), groups=channels, bias=False)
        self.frequency_norm = SubSpectralNorm(channels, bands)
        self.time = nn.Conv2d(channels, channels, (1, 3), 1, (0, dilation), (1, dilation), groups=channels, bias=False)
        self.time_norm = nn.BatchNorm2d(channels)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.dropout = nn.Dropout2d(0.1)

    def forward(self, x):
        wide = self.frequency_norm(self.frequency(self.widen(x)))
        over_time = F.silu(self.time_norm(self.time(wide.mean(2, keepdim=True))))
        y = wide + self.dropout(self.pointwise(over_time))
        return F.relu(y if self.transition else x + y)


class BcResNet(nn.Module):
    """Kim et al. 2021, arXiv 2106.04140."""

    STAGES = ((2, 1, 1), (2, 2, 2), (4, 2, 4), (4, 1, 8))  # blocks, stride in frequency, dilation in time

    def __init__(self, classes, shape, scale):
        super().__init__()
        bins = shape[1]
        bands = next(bands for bands in (5, 4) if bins // 2 % bands == 0 and bins // 8 % bands == 0)
        stem, *widths, last = [int(width * scale) for width in (16, 8, 12, 16, 20, 32)]
        self.stem = nn.Sequential(nn.Conv2d(1, stem, 5, (2, 1), 2, bias=False), nn.BatchNorm2d(stem), nn.ReLU())
        blocks, before = [], stem
        for width, (count, stride, dilation) in zip(widths, self.STAGES):
            for block in range(count):
                blocks.append(BroadcastBlock(before, width, 1 if block else stride, dilation, bands))
                before = width
        self.blocks = nn.Sequential(*blocks)
        self.depthwise = nn.Conv2d(before, before, 5, padding=(0, 2), groups=before, bias=False)
        self.pointwise = nn.Sequential(nn.Conv2d(before, last, 1, bias=False), nn.BatchNorm2d(last), nn.ReLU())
        self.head = nn.Conv2d(last, classes, 1)

    def forward(self, x):
        x = self.blocks(self.stem(x[:, None].transpose(2, 3)))
        x = self.pointwise(self.depthwise(x)).mean((2, 3), keepdim=True)
        return self.head(x).flatten(1)


def binary(x, scale=1.0):
    """sign(x) times `scale`; the gradient is that of x clipped to [-1, 1]. sign(0) is +1."""
    soft = x.clamp(-1, 1)
    return soft + (torch.where(x < 0, -1.0, 1.0) * scale - soft).detach()


class DualScale(nn.Module):
    """Activations as the sum of two binary terms: signs, and signs of what the first leaves times its mean size."""

    def __init__(self, shape, mean_over):
        super().__init__()
        self.mean_over = mean_over
        self.thresholds = nn.ParameterList([nn.Parameter(torch.rand(shape) * 0.001) for _ in range(3)])
        self.alphas = nn.ParameterList([nn.Parameter(torch.ones(())) for _ in range(2)])

    def forward(self, x):
        first = binary((x - self.thresholds[0]) * self.alphas[0])
        rest = x - first - self.thresholds[1]
        size = rest.abs().mean(self.mean_over, keepdim=True).detach()
        return first + binary(rest * self.alphas[1], size) - self.thresholds[2]


class BinaryMixin:
    """Makes a convolution or a linear layer binary: dual-scale activations, weights with a scale per output."""

    def make_binary(self, shape, mean_over):
        self.activation = DualScale(shape, mean_over)
        self.alpha = nn.Parameter(torch.ones(()))
        self.binary_terms = 2

    def binary_weight(self):
        size = self.weight.abs().flatten(1).mean(1).detach()
        return binary(self.weight * self.alpha, size.view(-1, *[1] * (self.weight.dim() - 1)))


class BinaryConv1d(BinaryMixin, nn.Conv1d):
    def __init__(self, *shape, **options):
        super().__init__(*shape, **options)
        self.make_binary((1, self.in_channels, 1), 2)

    def forward(self, x):
        return F.conv1d(self.activation(x), self.binary_weight(), self.bias, groups=self.groups)


class BinaryConv2d(BinaryMixin, nn.Conv2d):
    def __init__(self, *shape, **options):
        super().__init__(*shape, **options)
        self.make_binary((1, self.in_channels, 1, 1), 3)

    def forward(self, x):
        return F.conv2d(self.activation(x), self.binary_weight(), self.bias, self.stride, self.padding)


class BinaryLinear(BinaryMixin, nn.Linear):
    def __init__(self, *shape):
        super().__init__(*shape)
        self.make_binary((1, self.in_features), -1)

    def forward(self, x):
        return F.linear(self.activation(x), self.binary_weight(), self.bias)


class MemoryLayer(nn.Module):
    """x + a depthwise convolution over time, then + two pointwise ones; x [clips, channels, time]."""

    REACH = 2

    def __init__(self, conv, channels, hidden, dropout):
        super().__init__()
        self.memory = conv(channels, channels, 2 * self.REACH + 1, groups=channels)
        self.memory_after = nn.Sequential(nn.BatchNorm1d(channels), nn.PReLU())
        self.widen = conv(channels, hidden, 1)
        self.widen_after = nn.Sequential(nn.BatchNorm1d(hidden), nn.PReLU(), nn.Dropout(dropout))
        self.narrow = conv(hidden, channels, 1)
        self.narrow_after = nn.Sequential(nn.BatchNorm1d(channels), nn.PReLU())

    def forward(self, x):
        x = x + self.memory_after(self.memory(F.pad(x, (self.REACH, self.REACH))))
        return x + self.narrow_after(self.narrow(self.widen_after(self.widen(x))))


class Bifsmn(nn.Module):
    """Qin et al. 2022, arXiv 2211.06987, at full depth. Not binary: the network that the binary one learns from."""

    def __init__(self, classes, shape, is_binary):
        super().__init__()
        channels, hidden, layers, dropout = 128, 256, 8, 0.0 if is_binary else 0.2
        conv1d, conv2d, linear = (BinaryConv1d, BinaryConv2d, BinaryLinear) if is_binary else \
            (nn.Conv1d, nn.Conv2d, nn.Linear)
        frames, bins = (-(-(-(-size // 2)) // 2) for size in shape)
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 5, 2, 2), nn.BatchNorm2d(16), nn.PReLU(),
                                  conv2d(16, 32, 5, stride=2, padding=2), nn.BatchNorm2d(32), nn.PReLU())
        self.project = linear(32 * bins, channels)
        self.project_after = nn.PReLU()
        self.layers = nn.ModuleList(MemoryLayer(conv1d, channels, hidden, dropout) for _ in range(layers))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels * frames, classes))

    def features(self, x):
        """What each layer gives, for distillation."""
        x = self.stem(x[:, None].transpose(2, 3)).flatten(1, 2).transpose(1, 2)
        x = self.project_after(self.project(x)).transpose(1, 2)
        outputs = []
        for layer in self.layers:
            x = layer(x)
            outputs.append(x)
        return outputs

    def classify(self, outputs):
        return self.head(outputs[-1].flatten(1))

    def forward(self, x):
        return self.classify(self.features(x))


class Rival(nn.Module):
    """A network with its way from log-mel features [clips, 98, 64] to what it reads.

    `mean` and `deviation` [columns] are of the training clips; the network's own part is `core`.
    """

    def __init__(self, core, input_name):
        super().__init__()
        rows, columns = map(torch.from_numpy, front_end.input_matrices(input_name))
        self.register_buffer("rows", rows)
        self.register_buffer("columns", columns)
        self.register_buffer("mean", torch.zeros(columns.shape[1]))
        self.register_buffer("deviation", torch.ones(columns.shape[1]))
        self.core = core

    def reduced(self, features):
        return self.rows @ features @ self.columns

    def read(self, features):
        return (self.reduced(features) - self.mean) / self.deviation

    def forward(self, features):
        return self.core(self.read(features))


# Name: (what makes it of classes and input shape, the input that the paper has).
NETWORKS = {
    "ds-cnn-s": (lambda n, shape: DsCnn(n, shape, 64, (2, 2), (1, 1, 1, 1)), "49x10"),
    "ds-cnn-l": (lambda n, shape: DsCnn(n, shape, 276, (2, 1), (2, 1, 1, 1, 1)), "49x10"),
    "bc-resnet-1": (lambda n, shape: BcResNet(n, shape, 1), "98x40"),
    "bc-resnet-3": (lambda n, shape: BcResNet(n, shape, 3), "98x40"),
    "bifsmnv2": (lambda n, shape: Bifsmn(n, shape, True), "32x32"),
    "bifsmnv2-float": (lambda n, shape: Bifsmn(n, shape, False), "32x32"),
}


def make(name, classes, input_name="98x64"):
    shape = tuple(map(int, input_name.split("x")))
    return Rival(NETWORKS[name][0](classes, shape), input_name)


def counts(rival):
    """Trained parameters and multiply-accumulates of a clip; of a binary layer each of its binary terms counts."""
    macs = {"binary": 0, "float": 0}

    def count(layer, _, output):
        terms = getattr(layer, "binary_terms", 0)
        of_one = layer.weight[0].numel()
        macs["binary" if terms else "float"] += output.numel() * of_one * max(terms, 1)

    layers = [layer for layer in rival.core.modules() if isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    was_training = rival.training
    with torch.no_grad():
        rival.eval()(torch.zeros(1, front_end.FRAMES, front_end.BINS))
    rival.train(was_training)
    for hook in hooks:
        hook.remove()
    return {"parameters": sum(p.numel() for p in rival.core.parameters()),
            "parameters_binary": sum(layer.weight.numel() for layer in layers if hasattr(layer, "binary_terms")),
            "macs_float": macs["float"], "macs_binary": macs["binary"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=12)
    arguments = parser.parse_args()
    print("| network | input | parameters | of them binary | MACs, float | MACs, binary |\n|---|---|---|---|---|---|")
    for name, (_, published) in NETWORKS.items():
        for input_name in (published, "98x64"):
            told = counts(make(name, arguments.classes, input_name))
            print(f"| {name} | {input_name} | " + " | ".join(f"{value:,}" for value in told.values()) + " |")


if __name__ == "__main__":
    main()
