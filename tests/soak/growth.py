"""What has grown: samples of a long run, their table, and the bounds that each quantity must keep."""

from dataclasses import dataclass
from statistics import median

ENOUGH = 12  # samples of a half, so that each of its thirds has four
# how much more the last third may have than the first: a part, and what may come and go whatever there is
SLACK = {
    "memory": (0.10, 10),
    "threads": (0.10, 5),
    "file descriptors": (0.10, 20),
    "connections": (0.10, 5),
    "disk": (0.10, 8),
    "rows": (0.10, 50),
}
# what is a record, and grows with each batch for good: its rate may not grow
RECORDS = {
    "rows, asset_event": "the joins and the lists of batches are made of events",
    "disk, data": "published versions are kept",
    "disk, logs": "logs of the components, until they are rotated at 10 MB",
}


@dataclass(frozen=True)
class Growth:
    """A quantity in the first and the last third of what is judged, and whether it has a bound."""

    name: str
    early: float
    late: float
    bounded: bool

    @property
    def row(self):
        """A line of the table."""
        change = self.late - self.early
        kind = ("a record" if self.name in RECORDS else "bounded") if self.bounded else "GROWS"
        return f"| {self.name} | {self.early:.6g} | {self.late:.6g} | {change:+.3g} | {kind} |"


def judged(samples):
    """Compare the last third with the first of the later half of the samples, in which nothing is killed."""
    half = samples[len(samples) // 2 :]
    third = max(1, len(half) // 3)
    names = sorted({name for sample in half for name in sample})
    return [_growth(name, [sample.get(name, 0) for sample in half], third) for name in names]


def _growth(name, values, third):
    early, late = median(values[:third]), median(values[-third:])
    if name in RECORDS:
        bounded = values[-1] - values[-third] <= 1.5 * (values[third - 1] - values[0]) + 1
    else:
        part, some = SLACK[name.partition(",")[0]]
        bounded = late <= early * (1 + part) + some
    return Growth(name, early, late, bounded)


def table(growths):
    """Return the table of all quantities."""
    head = "| | first third | last third | change | |\n| --- | --- | --- | --- | --- |"
    return "\n".join([head, *(growth.row for growth in growths)])
