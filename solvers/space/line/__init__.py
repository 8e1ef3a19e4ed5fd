"""Lines, discs and balls, compiled: a Rosenbrock method with block-banded elimination, read from a tape."""
