"""LLVM at work: a module becomes object code, object code becomes a function. The only file that knows the compiler.

An object file is the only thing that is ever loaded, fresh or from the cache, so both ways are one way.
"""

import ctypes
import functools

import llvmlite
import llvmlite.binding as llvm

__all__ = ["Loaded", "compile_module", "compile_text", "compiler_key", "host_lanes"]

STRAIGHT, LOOPS = 2, 1  # levels of optimisation: loops over memory run no faster at 2, and take half as long again
SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)  # releases the interpreter's lock


@functools.cache
def _host():
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def compiler_key() -> tuple:
    """Texts that decide what a module becomes: compiler, processor, level of optimisation."""
    return (llvmlite.__version__, repr(llvm.llvm_version_info), *_host(), f"{STRAIGHT} {LOOPS}")


@functools.cache
def host_lanes() -> int:
    """Doubles in the widest vector of this processor."""
    features = _host()[1].split(",")
    return 8 if "+avx512f" in features else 4 if "+avx2" in features else 2


def _machine(level=STRAIGHT):
    name, features = _host()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=name, features=features, opt=level, reloc="pic", codemodel="default", jit=True
    )


def compile_module(module) -> bytes:
    """Object code of an `llvmlite.ir.Module`."""
    return compile_text(str(module))


def compile_text(text) -> bytes:
    """Object code of a module in LLVM's language that names no processor."""
    parsed = llvm.parse_assembly(text)
    machine = prepared(parsed, text)
    run_passes(parsed, machine)
    return machine.emit_object(parsed)


def prepared(parsed, text):
    """The machine that a parsed module is to run on; the module learns of it."""
    machine = _machine(LOOPS if '@"rates"' in text else STRAIGHT)  # large systems have a function of that name
    parsed.triple, parsed.data_layout = machine.triple, str(machine.target_data)
    parsed.verify()
    return machine


def run_passes(parsed, machine):
    """Variables become registers and blocks join; the code comes unrolled and free of common terms already."""
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    passes = llvm.create_new_function_pass_manager()
    passes.add_sroa_pass()
    passes.add_simplify_cfg_pass()
    for function in parsed.functions:
        if not function.is_declaration:
            passes.run(function, builder)


class Loaded:
    """Object code in memory with its function `run`; the code lives as long as this does."""

    def __init__(self, content):
        self._compiler = llvm.create_lljit_compiler(_machine())
        library = llvm.JITLibraryBuilder().add_object_img(content).add_current_process().export_symbol("run")
        self._library = library.link(self._compiler, "kernel")
        self.run = SIGNATURE(self._library["run"])
