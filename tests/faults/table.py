"""The fault matrix as a table."""

from dataclasses import dataclass, field

from tests.faults.components import COMPONENTS
from tests.faults.moments import MOMENTS


@dataclass
class Matrix:
    """The cells that were seen."""

    cells: list = field(default_factory=list)

    @property
    def whole(self):
        """Whether each cell was seen."""
        return len(self.cells) == len(COMPONENTS) * len(MOMENTS)

    def updated(self, other):
        """Return these cells, with those of another matrix instead where it has seen them."""
        seen = {(cell.component, cell.moment): cell for cell in [*self.cells, *other.cells]}
        return Matrix(list(seen.values()))

    def table(self):
        """Markdown; a cell that was not run says so."""
        seen = {(cell.component, cell.moment): cell for cell in self.cells}
        usual = {moment: seen.get(("nothing", moment)) for moment in MOMENTS}
        rows = [["killed", *MOMENTS], ["---"] * (len(MOMENTS) + 1)]
        for component in COMPONENTS:
            found = [_text(seen.get((component, moment)), usual[moment]) for moment in MOMENTS]
            rows.append([component, *found])
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _text(cell, usual):
    if cell is None:
        return "not run"
    if not cell.graded:
        return "**not graded**"
    later = max(0, cell.seconds - usual.seconds) if usual and cell.component != "nothing" else None
    took = f"{cell.seconds:.0f} s" if later is None else f"+{later:.0f} s"
    wrong = [f"{count} of {stage}" for stage, count in sorted(cell.containers.items()) if count != 1]
    wrong += [] if cell.log_whole else ["log not whole"]
    return f"**{', '.join(wrong)}**, {took}" if wrong else took
