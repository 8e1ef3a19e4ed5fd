"""The compiled path: Rosenbrock kernels written for one model at a time, in LLVM's language, through llvmlite.

Rooms, in the order in which a step passes through them:

* `lists` model -> expression lists; `formulas` expressions -> emitted values; `elementary` exp, log and the like;
* `linear` sparse LU; `tables` coefficients; `rosenbrock` the step; `carried` sensitivities in the same step,
  `slopes` their right-hand sides, `shapes` which parameter in which lane, `blocks` their memory;
* `guards` error test and lanes that fail; `loop` the time loop; `record` what caller and kernel share;
* `values`, `emit`, `vectors` writing code; `jit` compiling and loading; `cache` object code on disk; `build` all of it;
* `itinerary` a problem's schedule as changes, `itineraries` those of many members;
* `members`, `single`, `ensemble`, `gradients`, `logs`, `drive` the callers.

Nothing here imports llvmlite until a kernel is wanted: without it SciPy's methods give the same answers, slower.
"""

from .build import available
from .ensemble import LANES, Ensemble, ensemble
from .logs import StepLogs, step_logs
from .single import reason_not

__all__ = ["LANES", "Ensemble", "StepLogs", "available", "ensemble", "reason_not", "step_logs"]
