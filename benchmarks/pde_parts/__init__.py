"""Parts of `benchmarks/pde.py`."""
