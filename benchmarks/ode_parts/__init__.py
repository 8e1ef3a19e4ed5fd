"""Parts of `benchmarks/ode.py`: what is solved, who solves it, against what, and how it is timed and drawn.

* `cases` the problems; `sources` their equations as text for the peers; `reference` independent reference values;
* `ours` and `peers/` one way each to solve a case; `measure` clocks, errors, ratios at equal error;
* `tasks` one solve, many parameter sets, gradients, cold start; `report` tables; `figure` work-precision.
"""
