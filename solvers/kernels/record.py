"""The call record: what the caller hands to a kernel, as one table of integers and addresses.

A compiled kernel is `run(record, first, last)`: members first..last-1 of the problem that the record describes. A new
argument is a new name in `FIELDS`; both sides look it up here.
"""

import ctypes

import numpy as np

__all__ = ["FIELDS", "STATUS", "Record"]

# name: what stands behind it. n states, n_u inputs, v infused states; N = n + n_u + v is the extended state.
FIELDS = {
    "parameters": "double (members, n_p)",
    "start": "double (members, N)",
    "change_times": "double (changes + 1), increasing, the last infinite",
    "change_rows": "whole (changes): row of the extended state",
    "change_kept": "double (members or 1, changes): it becomes kept * itself + amount",
    "change_amount": "double (members or 1, changes)",
    "change_stride": "changes, or 0 where all members share one row",
    "times": "double (n_times + 1), increasing, the last infinite",
    "n_times": "how many",
    "wanted": "whole (n_wanted): positions among states and observables",
    "n_wanted": "how many",
    "span": "double (4): first time, last time, smallest step, largest step",
    "tolerances": "double (1 + 2 n): rtol, then atol and lowest value of each state",
    "most_steps": "budget of a lane group",
    "values": "double (members, n_times, n_wanted), written",
    "status": "whole (members), written: index into STATUS",
    "reached": "double (members, 1 + n), written: time and states at the end or at the failure",
    "counters": "whole (3), written: steps tried, steps kept, steps logged",
    "step": "double (1), read and written: size of the next step, 0 to choose",
    "log": "double (capacity, ...), written: one kept step a row",
    "log_capacity": "rows of the log, 0 for none",
    "start_gradient": "double (members, N, k), by k carried parameters",
    "shift": "double (members or 1, changes, k): derivative of the change's time",
    "shifts": "whole (members or 1, changes): whether it has one",
    "kept_gradient": "double (members or 1, changes, k)",
    "amount_gradient": "double (members or 1, changes, k)",
    "sizes": "double (k): 1 / what counts as a sizeable change of a parameter",
    "gradients": "double (members, n_times, n_wanted, k), written",
}
PLACE = {name: place for place, name in enumerate(FIELDS)}
STATUS = ("done", "not finite", "negative", "step too small", "too many steps", "regrown", "stiff")
DONE, NOT_FINITE, NEGATIVE, TOO_SMALL, TOO_MANY, REGROWN, STIFF = range(len(STATUS))


class Record:
    """Arrays of one call, kept alive, and the table of their addresses."""

    def __init__(self, **given):
        self.arrays = given
        self._table = np.zeros(len(FIELDS), dtype=np.int64)
        for place, name in enumerate(FIELDS):
            value = given.get(name, 0)
            if isinstance(value, np.ndarray):
                if not value.flags.c_contiguous or value.dtype not in (np.float64, np.int64):
                    raise TypeError(f"kernel argument {name} is not a plain array of doubles or whole numbers")
                value = value.ctypes.data
            self._table[place] = value
        self.address = ctypes.c_void_p(self._table.ctypes.data)

    def __getitem__(self, name):
        return self.arrays[name]

    def point(self, name, row):
        """Let a name stand for another array of the same kind: a row of a table that the caller keeps alive."""
        self._table[PLACE[name]] = row.ctypes.data
