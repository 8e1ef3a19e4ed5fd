"""Settings that have to be in the environment before numpy or matplotlib are first imported."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # the matrices are small and the test processes already fill the cores
