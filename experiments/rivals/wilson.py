"""Wilson's score interval, the same numbers as src/evaluation/interval.cc. Needs nothing but Python."""
import math

Z = 1.959963984540054


def wilson(right, clips):
    """The 95 % interval of `right` of `clips`; of several trainings on the same clips `right` is their mean."""
    centre = (right + Z * Z / 2) / (clips + Z * Z)
    half = Z / (clips + Z * Z) * math.sqrt(right * (clips - right) / clips + Z * Z / 4)
    value = right / clips
    return min(max(centre - half, 0.0), value), max(min(centre + half, 1.0), value)
