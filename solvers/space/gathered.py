"""Blow-up on a grid: cells that climb what they make gather in a few cells of the grid, whatever its size.

On a grid nothing becomes infinite: amounts are kept, and what would be a point of infinite density fills a cell. The
numbers after that are those of the grid, so the run ends when half of a state that is carried along a gradient lies in
the fewest cells that can hold a peak.
"""

import numpy as np

__all__ = ["Gathered"]

PEAK = {"line": 2, "disc": 1, "ball": 1, "rectangle": 4}  # cells of a peak, wherever it lies between middles of cells
LEAST = 16  # times as many cells have to be there
HALF, BEFORE = 0.5, 0.25  # of the amount, now and at most at the start


class Gathered:
    """Looks whether a state gathers in a few cells.

    Parameters
    ----------
    spatial : SpatialSystem
    start : (n, N) array
    """

    def __init__(self, spatial, start):
        self.names, self.volumes = spatial.problem.system.states, spatial.volumes
        self.few = PEAK[spatial.grid.geometry]
        carried = {term.state for term in spatial.written.terms if term.carried}
        enough = spatial.size >= LEAST * self.few
        self.rows = [i for i in sorted(carried) if enough and self._share(start[i]) < BEFORE]

    def _share(self, values):
        """Part of the amount that the fullest cells hold."""
        amounts = np.maximum(values, 0.0) * self.volumes
        total = amounts.sum()
        if not total > 0 or self.few * amounts.max() < BEFORE * total:
            return 0.0
        return float(np.partition(amounts, -self.few)[-self.few :].sum() / total)

    def reason(self, values, time) -> str:
        """Why a run has to end, or nothing.

        Parameters
        ----------
        values : (n, N) array
        time : float

        Returns
        -------
        str
        """
        for row in self.rows:
            share = self._share(values[row])
            if share > HALF:
                where = int(np.argmax(values[row]))
                return (
                    f"{self.names[row]} gathers: {100 * share:.0f} % of it in {self.few} of {len(self.volumes)} cells, "
                    f"about cell {where}, at t = {time:g}; the solution blows up, or needs more cells: with twice as "
                    "many a peak that is real keeps its width, a blow-up does not"
                )
        return ""
