"""Bittern's random numbers (src/core/random.h): SplitMix64 streams that are named by whole numbers."""
import numpy as np

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15
# Second parts of a training's streams (src/training/streams.h).
SHUFFLE, AUGMENT = 2, 3


def _mixed(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


class Random:
    def __init__(self, *name):
        self.state = 0
        for part in name:
            self.state = _mixed((self.state + STEP + part * 0xD1342543DE82EF95) & MASK)

    def next(self):
        self.state = (self.state + STEP) & MASK
        return _mixed(self.state)

    def below(self, bound):
        return self.next() % bound

    def between(self, low, high):
        """A whole number in [low, high]."""
        return low + self.below(high - low + 1)

    def uniform(self):
        """In [0, 1), a float32 as in C++, where comparisons see its rounding."""
        return np.float32(self.next() >> 40) * np.float32(2.0 ** -24)

    def below_many(self, bound, count):
        """`count` draws at once."""
        with np.errstate(over="ignore"):
            x = np.uint64(self.state) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(STEP)
            x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            x ^= x >> np.uint64(31)
        self.state = (self.state + count * STEP) & MASK
        return (x % np.uint64(bound)).astype(np.int64)


def shuffled(clips, seed, epoch):
    """The order of clips in an epoch, that of `bittern train`."""
    order = list(range(clips))
    random = Random(seed, SHUFFLE, epoch)
    for i in range(clips, 1, -1):
        other = random.below(i)
        order[i - 1], order[other] = order[other], order[i - 1]
    return order
