"""Studies: a declarative file becomes a run folder; the default study ships here."""

from .chapter import Chapter, Figure, Number, TableOut
from .folder import RunFolder
from .study import StudyResult, read_study, run_study

__all__ = ["Chapter", "Figure", "Number", "RunFolder", "StudyResult", "TableOut", "read_study", "run_study"]
