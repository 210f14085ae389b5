"""Figures out of many rounds: medians with quartiles, and ratios within a round."""

import statistics

# The client that the others are held against.
REFERENCE = "ours"


class Spread:
    """Median and quartiles."""

    def __init__(self, values):
        values = list(values)
        self.median = statistics.median(values)
        quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
        self.low, self.high = quartiles[0], quartiles[2]

    def show(self, digits):
        """As `median (low to high)`."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"

    def pairs(self, name, digits):
        """As `name=median name_quartiles=low..high`."""
        return f"{name}={self.median:.{digits}f} {name}_quartiles={self.low:.{digits}f}..{self.high:.{digits}f}"


def ratios(rounds, name):
    """A client's figure over that of the reference, round by round: what disturbs a round disturbs both."""
    return Spread(one[name] / one[REFERENCE] for one in rounds)


def of(rounds, name):
    """A client's own figure."""
    return Spread(one[name] for one in rounds)
