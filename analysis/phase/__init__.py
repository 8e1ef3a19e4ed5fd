"""Phase space: separatrices, basins of attraction and nullclines."""

__all__ = []
