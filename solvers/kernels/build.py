"""From a model and options to a callable kernel: found in this process, on disk, or emitted and compiled.

A kernel is never pickled: other processes build or load their own from the same model and options.
"""

import contextvars
import functools
import importlib.util
import logging
from dataclasses import dataclass, replace
from pathlib import Path

from .cache import cached, discard, key_of

__all__ = ["Options", "available", "kernel", "unsupported"]

logger = logging.getLogger("remission")
MOST_STATES = 256  # above, emitting and compiling take longer than LSODA takes for a whole sweep


@dataclass(frozen=True)
class Options:
    """What is decided when a kernel is compiled.

    Parameters
    ----------
    method : str
        Name of a table in `tables.METHODS`.
    lanes : int
        Members a group.
    infused : tuple of int
        Rows of the states that infusions run into.
    guarded : tuple of int
        Rows of the populations that must not grow from noise.
    columns : tuple
        For each carried parameter its position in `model.parameters`, None for one that the model does not have.
    steered : bool
        Whether an input's level depends on a carried parameter.
    width : int
        Parameters a vector.
    seeds : tuple, optional
        For each carried parameter the rows of the extended state that its derivative enters by initial values and
        changes, None for any row; None or nothing where any may enter any.
    controlled : bool
        Whether the error test looks at the sensitivities too.
    """

    method: str = "Rodas5P"
    lanes: int = 1
    infused: tuple = ()
    guarded: tuple = ()
    columns: tuple = ()
    steered: bool = False
    width: int = 8
    seeds: tuple | None = ()
    controlled: bool = False

    def portable(self) -> "Options":
        """The same without what depends on the processor and decides nothing."""
        return self if self.columns else replace(self, width=0)


@functools.cache
def available() -> bool:
    """Whether llvmlite is there, new enough for this package.

    Returns
    -------
    bool
    """
    if importlib.util.find_spec("llvmlite") is None:
        return False
    import llvmlite.binding as llvm

    return all(hasattr(llvm, name) for name in ("create_pass_builder", "create_lljit_compiler", "JITLibraryBuilder"))


@functools.lru_cache(maxsize=256)
def unsupported(model) -> str:
    """Why a model cannot be emitted, naming the operation; empty if it can."""
    if model_is_saved(model):
        return ""
    from .formulas import Unsupported, check_operations

    try:
        check_operations((*model.equations.values(), *model.observables.values()))
    except Unsupported as reason:
        return str(reason)
    return ""


class Asked(Exception):
    """Carries the options of the kernel that a call would have used."""


ASKING = contextvars.ContextVar("ASKING", default=False)


def asked_by(call):
    """Options of the kernel that a call asks for; the call ends there, before anything is compiled or run."""
    token = ASKING.set(True)
    try:
        call()
    except Asked as answer:
        return answer.args[0]
    finally:
        ASKING.reset(token)
    raise RuntimeError(f"{call} needs no kernel")


def kernel(model, options):
    """The compiled kernel of a model; `kernel(...).run(record.address, first, last)`."""
    if ASKING.get():
        raise Asked(options)
    return _kernel(model, options)


@functools.lru_cache(maxsize=128)
def _kernel(model, options):
    if model_is_saved(model):
        digest, text = model.stored_kernel(options.portable())
        return _loaded((digest,), model.name, text)
    from remission.models.spelling import spelled

    parts = (spelled(model), repr(options), sympy_version(), own_sources())
    return _loaded(parts, model.name, lambda: emitted(model, options))


kernel.cache_clear = _kernel.cache_clear


def _loaded(parts, name, write):
    """Code that is stored under a hash of `parts`, the compiler and the processor, or made from the text of `write`."""
    from .jit import Loaded, compile_text, compiler_key

    key = key_of(*parts, *compiler_key())
    try:
        return Loaded(cached(key, lambda: compile_text(write())))
    except RuntimeError as fault:  # whole, but not loadable here
        logger.info("kernels: stored code of %s cannot be loaded (%s); building again", name, fault)
        discard(key)
        return Loaded(compile_text(write()))


def emit(model, options) -> bytes:
    """Object code of a kernel."""
    from .jit import compile_text

    return compile_text(emitted(model, options))


def emitted(model, options) -> str:
    """A kernel in LLVM's language, for any processor."""
    from llvmlite import ir

    from .carried import Carried
    from .emit import Writer
    from .lists import model_lists
    from .loop import TimeLoop
    from .tables import METHODS
    from .values import INTEGER, POINTER

    lists = model_lists(model)
    carried = Carried(lists, options) if options.columns else None
    module = ir.Module("kernel")
    writer = Writer(module, "run", options.lanes, (POINTER, INTEGER, INTEGER))
    TimeLoop(writer, lists, options, METHODS[options.method], carried)
    writer.finish()
    return str(module)


def model_is_saved(model) -> bool:
    """Whether a model came from a file, which holds emitted texts instead of equations."""
    return hasattr(model, "stored_kernel")


def sympy_version() -> str:
    """What derives the expressions decides their form."""
    import sympy

    return sympy.__version__


@functools.cache
def own_sources() -> bytes:
    """The files of this package: a change in any of them is another kernel."""
    return b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
