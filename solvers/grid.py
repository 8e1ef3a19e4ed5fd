"""Grid: the cells on which a model lives. One cell is the well-mixed tumour."""

from dataclasses import dataclass

from remission.models.errors import ProblemError, refuse_unknown_keywords

__all__ = ["Grid"]


@refuse_unknown_keywords
@dataclass(frozen=True)
class Grid:
    """One well-mixed cell; it has no inner face, so fluxes of the model do not act.

    Parameters
    ----------
    n_cells : int
        Number of cells. This version solves well-mixed models, so it is 1.

    Raises
    ------
    ProblemError
        If more than one cell is asked for.

    Examples
    --------
    >>> Grid().shape
    ()
    """

    n_cells: int = 1

    def __post_init__(self):
        if self.n_cells != 1:
            raise ProblemError(
                f"Grid: this version solves well-mixed models on one cell, got n_cells={self.n_cells!r}; "
                "the model's fluxes are kept and printed, but not yet solved in space"
            )

    @property
    def shape(self) -> tuple:
        """Shape of a field on the grid: empty for one cell."""
        return ()
