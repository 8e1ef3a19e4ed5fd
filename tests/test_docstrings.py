"""Every public name has a numpydoc docstring, its examples run, and a misspelt keyword gets the nearest match."""

import ast
import difflib
import doctest
import functools
import importlib
import inspect
import re
import textwrap
from pathlib import Path

import pytest

import remission

ROOT = Path(__file__).parent.parent
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def module_names():
    """Importable names of all source files; pkgutil cannot see floors that an editable install maps elsewhere."""
    for floor in ("models", "solvers", "analysis", "remission"):
        for path in sorted((ROOT / floor).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            parts = parts if floor == "remission" else ("remission", *parts)
            if parts[-1] != "__main__":
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def public_names(module):
    """What a module offers of its own: the names in `__all__`, else those without underscore, defined in it."""
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    for name in names:
        value = vars(module).get(name)
        own = getattr(value, "__module__", None) == module.__name__
        if own and (inspect.isclass(value) or inspect.isroutine(value)):
            yield name, value


def bare(value):
    """The function behind a property, class method, static method or decorator."""
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, functools.cached_property):
        value = value.func
    elif isinstance(value, classmethod | staticmethod):
        value = value.__func__
    return inspect.unwrap(value)


def members(cls):
    """Methods and properties written in the body of a class, with the name each is called by."""
    for name, value in vars(cls).items():
        function = bare(value) if callable(value) or hasattr(value, "__get__") else None
        if inspect.isfunction(function) and function.__module__ == cls.__module__:
            yield name, value, function


def section(text, title):
    """Body of one numpydoc section, None where the docstring has no such section."""
    found = re.search(rf"^{title}\n-{{3,}}\n(.*?)(?=^\S[^\n]*\n-{{3,}}\n|\Z)", text, re.MULTILINE | re.DOTALL)
    return found and found.group(1)


def entries(body):
    """Names listed in a section: `a, b : type` and `*args` at the left margin."""
    heads = re.findall(r"^([*\w][*\w, ]*?)\s*(?::.*)?$", body or "", re.MULTILINE)
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def parameters_of(function):
    try:
        listed = inspect.signature(function).parameters.values()
    except ValueError:
        return []
    return [p for p in listed if p.name not in ("self", "cls") and not p.name.startswith("_")]


def returns_something(function):
    """Whether the body returns or yields a value, functions inside it aside."""
    todo = list(ast.parse(textwrap.dedent(inspect.getsource(function))).body[0].body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
            return True
        todo.extend(ast.iter_child_nodes(node))
    return False


def missing_parameters(label, text, parameters, titles=("Parameters",)):
    """Sentences about parameters that no section lists."""
    listed = set().union(*(entries(section(text, title)) for title in titles))
    missing = [p.name for p in parameters if p.name not in listed]
    return [f"{label}: no entry in {' or '.join(titles)} for {', '.join(missing)}"] if missing else []


def function_faults(label, function, text):
    faults = missing_parameters(label, text, parameters_of(function))
    if returns_something(function) and section(text, "Returns") is None and section(text, "Yields") is None:
        faults.append(f"{label}: returns something and has no Returns section")
    return faults


def class_faults(label, cls, text, in_full):
    """A class lists its parameters (or attributes); its methods have docstrings, in full where users call them."""
    if issubclass(cls, Exception):
        return []
    faults = missing_parameters(label, text, parameters_of(cls), ("Parameters", "Attributes"))
    for name, value, function in members(cls):
        if name.startswith("_"):
            continue
        inner = inspect.cleandoc(function.__doc__ or "")
        if not inner:
            faults.append(f"{label}.{name}: no docstring")
        elif in_full and not isinstance(value, property | functools.cached_property):
            faults += missing_parameters(f"{label}.{name}", inner, parameters_of(function))
    return faults


def documentation_faults(label, value, front=False, in_full=True):
    """What the docstring of one public name lacks, one sentence each."""
    text = inspect.cleandoc(bare(value).__doc__ or "")
    if not text or (
        text.startswith(f"{value.__name__}(") and "\n" not in text
    ):  # written by dataclass, not by a person
        return [f"{label}: no docstring"]
    if not in_full:
        return []
    if inspect.isclass(value):
        faults = class_faults(label, value, text, in_full=front)
    else:
        faults = function_faults(label, bare(value), text)
    if front and ">>>" not in (section(text, "Examples") or ""):
        faults.append(f"{label}: no example that runs in an Examples section")
    return faults


def examples_of(module):
    """Doctests of a module and all that is defined in it, decorated or not (doctest itself misses the decorated)."""
    texts = {module.__name__: module}
    for name, value in vars(module).items():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            texts[f"{module.__name__}.{name}"] = value
            texts |= {f"{module.__name__}.{name}.{inner}": function for inner, _, function in members(value)}
        elif inspect.isroutine(value):
            texts[f"{module.__name__}.{name}"] = bare(value)
    parse = doctest.DocTestParser().get_doctest
    for name, value in texts.items():
        found = parse(value.__doc__ or "", dict(vars(module)), name, module.__file__, None)
        if found.examples:
            yield found


def front_door_value(name):
    """A class or function that a user calls, else None; that the name exists at all is asked in test_front_door."""
    value = getattr(remission, name, None)
    if not str(getattr(value, "__module__", "")).startswith("remission"):
        return None  # the symbols t, x and grad are SymPy's, and grad happens to be a class
    if inspect.isclass(value):
        return None if issubclass(value, Exception) else value
    return value if inspect.isroutine(value) else None


def callables_of(name, value):
    """A front-door name and, for a class, the constructors it offers (`Treatment.adaptive`)."""
    if value is not None:
        yield name, value
    if inspect.isclass(value):
        for inner, kind, _ in members(value):
            if isinstance(kind, classmethod | staticmethod) and not inner.startswith("_"):
                yield f"{name}.{inner}", getattr(value, inner)


def misspell(names):
    """A keyword with one letter dropped, that is no keyword and is nearest to the one it came from."""
    for name in sorted(names, key=lambda name: (len(name) < 4, -names.index(name))):
        for i in range(len(name) - 1, -1, -1):
            wrong = name[:i] + name[i + 1 :]
            near = difflib.get_close_matches(wrong, sorted(names), n=1, cutoff=0.6)
            if wrong not in names and wrong.isidentifier() and near == [name]:
                return wrong, name
    return None


MODULES = list(module_names())
PACKAGES = [n for n in MODULES if hasattr(importlib.import_module(n), "__path__")] + ["remission.models.units"]


@functools.cache
def offered():
    """What the packages offer their users; other names serve the files beside them and need only be explained."""
    found = []
    for package in map(importlib.import_module, PACKAGES):
        names = getattr(package, "__all__", ())
        found += [getattr(package, name, None) for name in names]
    return {id(bare(value)) for value in found if inspect.isclass(value) or inspect.isroutine(value)}


FRONT_DOOR = [name for name in remission.__all__ if name not in remission._ROOMS]


@pytest.mark.parametrize("name", [name for name in MODULES if "._" not in name])  # a file named _like_this is private
def test_public_names_are_documented(name):
    module = importlib.import_module(name)
    faults = []
    for label, value in public_names(module):
        faults += documentation_faults(f"{name}.{label}", value, in_full=id(bare(value)) in offered())
    if not (module.__doc__ or "").strip() and Path(module.__file__).read_text(encoding="utf-8").strip():
        faults.append(f"{name}: the module has no docstring")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example may write files
    report = []
    for example in examples_of(importlib.import_module(name)):
        doctest.DocTestRunner(optionflags=FLAGS).run(example, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("name", FRONT_DOOR)
def test_front_door_names_have_examples(name):
    value = front_door_value(name)
    if value is not None:
        faults = documentation_faults(name, value, front=True)
        assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", FRONT_DOOR)
def test_misspelt_keyword_gets_the_nearest_match(name):
    for label, function in callables_of(name, front_door_value(name)):
        listed = parameters_of(function)
        if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in listed):
            continue  # passes keywords on: what receives them has its own test
        wrong = misspell([p.name for p in listed if p.kind not in (*VARIABLE, inspect.Parameter.POSITIONAL_ONLY)])
        if wrong:
            with pytest.raises(remission.KeywordError) as caught:
                function(**{wrong[0]: None})
            assert f"did you mean '{wrong[1]}'" in str(caught.value), label


def bad_verb(problem, /, *values, workers=None):
    """Does something.

    Parameters
    ----------
    *values : float
        Numbers.

    Notes
    -----
    workers : this is not the place for it
    """
    return problem, values, workers


def good_verb(problem, factor, other):
    """Does something.

    Parameters
    ----------
    problem : Problem
        With `t` of shape (n_t,).
    factor, other : float
        Dimensionless.

    Returns
    -------
    float

    Examples
    --------
    >>> 1 + 1
    3
    """
    return factor * other


def test_the_reader_of_docstrings_finds_what_is_missing():
    assert documentation_faults("good", good_verb, front=True) == []
    faults = documentation_faults("bad", bad_verb, front=True)
    assert faults[0] == "bad: no entry in Parameters for problem, workers"
    assert [fault.split(": ")[1].split()[0] for fault in faults[1:]] == ["returns", "no"]
    assert documentation_faults("none", lambda: None) == ["none: no docstring"]


def test_examples_of_a_decorated_function_are_run():
    module = type(pytest)("synthetic")
    module.__file__ = __file__
    module.decorated = remission.models.errors.refuse_unknown_keywords(good_verb)
    module.decorated.__module__ = "synthetic"
    (example,) = examples_of(module)
    report = []
    doctest.DocTestRunner(optionflags=FLAGS).run(example, out=report.append)
    assert "Expected:\n    3\nGot:\n    2" in "".join(report)


def test_misspelling_is_unambiguous():
    assert misspell(["problem", "rtol", "atol"]) == ("ato", "atol")
    assert misspell(["t", "x"]) is None
