"""From a model and options to a callable kernel: found in this process, on disk, or emitted and compiled.

A kernel is never pickled: other processes build or load their own from the same model and options.
"""

import functools
import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path

from remission.models.expressions import model_kernel

from .cache import cached, discard, key_of

__all__ = ["Options", "available", "kernel", "unsupported"]

logger = logging.getLogger("remission")
MOST_CARRIED = 30  # states, above which sensitivities are left to SciPy: their stages are unrolled


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
    """

    method: str = "Rodas5P"
    lanes: int = 1
    infused: tuple = ()
    guarded: tuple = ()
    columns: tuple = ()
    steered: bool = False
    width: int = 8


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
    from .formulas import Unsupported, check_operations

    try:
        check_operations((*model.equations.values(), *model.observables.values()))
    except Unsupported as reason:
        return str(reason)
    return ""


@functools.lru_cache(maxsize=128)
def kernel(model, options):
    """The compiled kernel of a model; `kernel(...).run(record.address, first, last)`."""
    from .jit import Loaded, compiler_key

    source = model_kernel(model)
    names = (*source.states, "", *source.parameters, "", *source.inputs, "", *source.observables)
    key = key_of(source.source, repr(names), repr(options), *compiler_key(), own_sources())
    try:
        return Loaded(cached(key, lambda: emit(model, options)))
    except RuntimeError as fault:  # whole, but not loadable here
        logger.info("kernels: stored code of %s cannot be loaded (%s); building again", model.name, fault)
        discard(key)
        return Loaded(emit(model, options))


def emit(model, options) -> bytes:
    """Object code of a kernel."""
    from llvmlite import ir

    from .carried import Carried
    from .emit import Writer
    from .jit import compile_module
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
    return compile_module(module)


@functools.cache
def own_sources() -> bytes:
    """The files of this package: a change in any of them is another kernel."""
    return b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
