"""AUTO-07p on the same problems: equations and derivatives written out as Fortran, compiled, run, timed.

AUTO is looked for in `AUTO_DIR` and in /usr/lib/auto-07p (Debian's package `auto-07p`): its folder `lib` holds the
compiled parts. Times are CPU seconds of its process, less those of the same process stopped after its first point.
"""

import os
import re
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path

import sympy as sp

FLAGS = ["-O3", "-march=native", "-fopenmp", "-std=legacy", "-w"]
PLACES = (os.environ.get("AUTO_DIR"), "/usr/lib/auto-07p")
CONSTANTS = """
IPS=1, ILP=1, ICP={icp}, IRS={irs}, ISW={isw}, ISP={isp}, NDIM={n}, NTST=20, NCOL=4, IAD=3, IPLT=0, NBC=0, NINT=0,
NMX={most}, NPR=1000000, MXBF=0, IID=0, ITMX=9, ITNW=7, NWTN=3, JAC=1, EPSL={eps}, EPSU={eps}, EPSS=1e-6,
DS={ds}, DSMIN=1e-8, DSMAX={dsmax}, IADS=1, RL0={low}, RL1={high}, A0=-1e9, A1=1e9, UZSTOP={stops}, THL={{}}, THU={{}}
"""


def folder():
    """AUTO's folder, or None."""
    found = [Path(p) for p in PLACES if p and (Path(p) / "lib" / "main.o").exists()]
    return found[0] if found and shutil.which("gfortran") else None


class Auto:
    """One model as a program of AUTO's, with the moved parameters as PAR(1), PAR(2).

    Parameters
    ----------
    problem : Problem
    over : tuple of str
    start : dict
        State -> value of a steady state.
    """

    def __init__(self, problem, over, start):
        self.room = tempfile.TemporaryDirectory()
        self.at, self.n, self.over = Path(self.room.name), len(problem.model.states), over
        (self.at / "model.f90").write_text(fortran(problem, over, start))
        objects = sorted(str(p) for p in (folder() / "lib").glob("*.o"))
        subprocess.run(["gfortran", *FLAGS, "model.f90", *objects, "-o", "model"], cwd=self.at, check=True)

    def run(self, spans, ds, dsmax, *, label=0, most=20000, eps=1e-7):
        """Points, CPU seconds and special points (type, parameters) of one run; with a label a curve of that point.

        Parameters
        ----------
        spans : ((low, high), ...)
            Of the parameters that are free.
        ds, dsmax : float
        label : int
            Of `self.labels`.
        """
        given = {"icp": list(range(1, len(spans) + 1)), "irs": label, "isw": 2 if label else 1, "isp": 2,
                 "n": self.n, "eps": eps, "ds": ds, "dsmax": dsmax, "low": spans[0][0], "high": spans[0][1],
                 "stops": "{" + ", ".join(f"{i}: [{a}, {b}]" for i, (a, b) in enumerate(spans, 1)) + "}"}  # fmt: skip
        first, _ = self._once(CONSTANTS.format(most=1, **given), label)
        seconds, text = self._once(CONSTANTS.format(most=most, **given), label)
        rows = [line.split() for line in (self.at / "fort.7").read_text().splitlines() if re.match(r"\s+[1-9]", line)]
        named = [r.split() for r in text.splitlines() if re.search(r"\b(LP|HB|BP|CP|BT|GH)\b", r)]
        special = [(r[2], [float(v) for v in [r[4], *r[6 + self.n :]]]) for r in named]
        return len(rows), max(seconds - first, 0.0), special, named

    def _once(self, constants, label):
        if label:
            constants = "s='first'\n" + constants
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(["./model"], cwd=self.at, input=constants, capture_output=True, text=True, check=True,
                              env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=300)  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout

    def keep(self):
        """Curves of special points start from those of the last run."""
        (self.at / "fort.8").rename(self.at / "s.first")


def fortran(problem, over, start):
    """Equations of a model as AUTO reads them, with first derivatives, common parts computed once."""
    model = problem.model
    moved = [model.symbol(name) for name in over]
    values = {s: sp.Float(problem.parameters[s.name]) for s in model.parameters if s not in moved}
    values |= {s: sp.Float(problem.inputs()[s.name]) for s in model.inputs if s not in moved}
    u = sp.symbols(f"u1:{len(model.states) + 1}")
    p = sp.symbols(f"p1:{len(moved) + 1}")
    names = dict(zip(model.states, u, strict=True)) | dict(zip(moved, p, strict=True))
    f = [sp.sympify(e).subs(values).subs(names) for e in model.equations.values()]
    by_u, by_p = [[sp.diff(e, x) for e in f for x in those] for those in (u, p)]
    rows, free, moving = (range(1, len(those) + 1) for those in (f, u, p))
    body = [_part(f, [f"F({i})" for i in rows], "a"), "IF (IJAC == 0) RETURN"]
    body += [_part(by_u, [f"DFDU({i},{j})" for i in rows for j in free], "b"), "IF (IJAC == 1) RETURN"]
    body += [_part(by_p, [f"DFDP({i},{j})" for i in rows for j in moving], "c")]
    known = [f"{x} = U({i})" for i, x in enumerate(u, 1)] + [f"{x} = PAR({i})" for i, x in enumerate(p, 1)]
    inputs = problem.inputs()
    given = [inputs[s.name] if s in model.inputs else problem.parameters[s.name] for s in moved]
    first = [f"U({i}) = {start[s.name]!r}D0" for i, s in enumerate(model.states, 1)]
    first += [f"PAR({i}) = {v!r}D0" for i, v in enumerate(given, 1)]
    nothing = "\n".join(f"SUBROUTINE {name}\nEND SUBROUTINE" for name in ("BCND", "ICND", "FOPT", "PVLS"))
    return "\n".join([
        "SUBROUTINE FUNC(NDIM,U,ICP,PAR,IJAC,F,DFDU,DFDP)", "IMPLICIT DOUBLE PRECISION (A-H,O-Z)",
        "DIMENSION U(NDIM),PAR(*),F(NDIM),DFDU(NDIM,NDIM),DFDP(NDIM,*),ICP(*)", *known, *body, "END SUBROUTINE",
        "SUBROUTINE STPNT(NDIM,U,PAR,T)", "IMPLICIT DOUBLE PRECISION (A-H,O-Z)", "DIMENSION U(NDIM),PAR(*)", *first,
        "END SUBROUTINE", nothing, "",
    ])  # fmt: skip


def _part(expressions, targets, letter):
    shared, found = sp.cse(expressions, symbols=sp.numbered_symbols(letter + "x"))
    lines = [sp.fcode(e, assign_to=s, source_format="free", standard=95) for s, e in shared]
    lines += [f"{t} = {sp.fcode(e, source_format='free', standard=95)}" for t, e in zip(targets, found, strict=True)]
    return "\n".join(lines)
