"""The command line: `remission study | models | show | solve | datasets`."""

import argparse
import logging
import sys

from remission import __version__

__all__ = ["main"]

EXAMPLES = """
examples:
  remission study                                  the default study, into runs/default-small
  remission models                                 what the catalogue holds, by question
  remission show paracrine_loop                    equations, parameters, units and source of a model
  remission solve sensitive_resistant --input u=1 --set turnover=0.3 --t-end 900 --out run/
  remission datasets adaptive_abiraterone          where measured values come from, and how they were cleaned
"""


def main(arguments=None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        Words after the program's name; those of the process if not given.

    Returns
    -------
    int
        0 when all went well, 1 when something asked for could not be done, 2 for unusable words,
        130 after Ctrl-C.

    Examples
    --------
    >>> main(["models", "--question", "inflammation"])
    inflammation
      paracrine_loop         T F X M P           ...
    0
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    _suggest_command(parser, words)
    options = parser.parse_args(words)
    logging.basicConfig(level=logging.WARNING, format="remission: %(message)s")
    if options.command is None:
        parser.print_help()
        return 0
    from remission.models.errors import RemissionError

    try:
        return options.run(options)
    except RemissionError as fault:
        sys.stderr.write(f"remission: {fault}\n")
        return 1
    except BrokenPipeError:  # the reader of a pipe, such as head, has what it wanted
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("remission: interrupted\n")
        return 130


def _parser():
    parser = argparse.ArgumentParser(
        prog="remission",
        description="Compartment models of tumour relapse: declare, solve, analyse, fit and draw.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"remission {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _add_study(commands)
    _add_models(commands)
    _add_show(commands)
    _add_solve(commands)
    _add_datasets(commands)
    return parser


def _command(commands, name, run, about, epilog=""):
    made = commands.add_parser(
        name, help=about, description=about, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.set_defaults(run=run)
    return made


def _suggest_command(parser, words):
    known = ("study", "models", "show", "solve", "datasets")
    if words and not words[0].startswith("-") and words[0] not in known:
        from remission.models.errors import did_you_mean

        parser.exit(2, f"remission: there is no command {words[0]!r}; {did_you_mean(words[0], known)}\n")


# --- study ------------------------------------------------------------------------------------------------------------


def _add_study(commands):
    study = _command(commands, "study", _study, "run a study into a folder with numbers, tables, figures and a report")
    study.add_argument("file", nargs="?", help="study file (TOML); the default study if not given")
    study.add_argument("--out", help="run folder; runs/NAME-BUDGET if not given")
    study.add_argument("--budget", default="small", choices=("small", "full"), help="small (default): under 5 minutes")
    study.add_argument("--fresh", action="store_true", help="do every chapter again, also those that are there")
    study.add_argument("--workers", type=int, help="processes; the number of processors if not given")
    study.add_argument("--quiet", action="store_true", help="no progress bars")


def _study(options) -> int:
    from remission.studies import run_study

    result = run_study(
        options.file, options.out, budget=options.budget, progress=not options.quiet, resume=not options.fresh,
        workers=options.workers,
    )  # fmt: skip
    for chapter in result.chapters:
        _say(f"{chapter.title}  ({chapter.seconds:.0f} s)")
        for number in chapter.numbers:
            if number.headline:
                _say(f"  {number.label or number.name}: {number}")
    for name, reason in result.failed.items():
        sys.stderr.write(f"remission: chapter {name} is not there: {reason}\n")
    _say(f"report: {result.report.resolve()}")
    if result.interrupted:
        sys.stderr.write("remission: interrupted; the same command goes on with what is missing\n")
        return 130
    return 1 if result.failed else 0


# --- models and show --------------------------------------------------------------------------------------------------


def _add_models(commands):
    models = _command(commands, "models", _models, "list the catalogue, by question")
    models.add_argument("--question", help="only models for this question")


def _models(options) -> int:
    from remission.models.catalogue import BY_QUESTION, list_models
    from remission.models.errors import RemissionError, did_you_mean

    if options.question and options.question not in BY_QUESTION:
        raise RemissionError(f"no question {options.question!r}; {did_you_mean(options.question, BY_QUESTION)}")
    rows = list_models()
    for question in [options.question] if options.question else BY_QUESTION:
        _say(question)
        for row in rows:
            if row["question"] == question:
                _say(f"  {row['name']:<23}{_few(row['states']):<25} {row['about']}")
    return 0


def _few(states):
    """Names of states; of many the first and the last."""
    names = states.split()
    return states if len(states) < 25 else f"{names[0]} ... {names[-1]}"


def _add_show(commands):
    show = _command(commands, "show", _show, "print a model's page: equations, letters, what follows, source")
    show.add_argument("model")
    show.add_argument("--latex", action="store_true", help="print LaTeX of the equations instead")
    show.add_argument("--diagram", metavar="FILE", help="draw the compartment diagram into a PNG or PDF file")
    show.add_argument("--figure", metavar="FILE", help="draw the model's main result into a PNG or PDF file")


def find_model(name):
    """The catalogue model of that name; a `RemissionError` with the nearest match otherwise.

    Parameters
    ----------
    name : str

    Returns
    -------
    Model

    Examples
    --------
    >>> find_model("sensitive_resistant").states
    (S, R)
    """
    from remission import models
    from remission.models.catalogue import list_models
    from remission.models.errors import RemissionError, did_you_mean

    names = [row["name"] for row in list_models()]
    if name not in names:
        raise RemissionError(f"the catalogue has no model {name!r}; {did_you_mean(name, names)}")
    return getattr(models, name)()


def _show(options) -> int:
    model = find_model(options.model)
    for file, drawn in ((options.diagram, _diagram), (options.figure, _main_figure)):
        if file:
            drawn(model).figure.savefig(file, dpi=200, bbox_inches="tight")
            _say(file)
    if options.latex:
        _say(model.latex())
    elif not (options.diagram or options.figure):
        from remission.gallery import page_text

        _say(page_text(options.model))
    return 0


def _diagram(model):
    from remission.analysis import plot

    return plot(model)


def _main_figure(model):
    from remission.gallery import draw

    return draw(model.name)


# --- solve ------------------------------------------------------------------------------------------------------------


def _add_solve(commands):
    solve = _command(commands, "solve", _solve, "solve a catalogue model and write table and figure")
    solve.add_argument("model")
    solve.add_argument("--set", nargs="+", action="extend", default=[], metavar="NAME=VALUE", help="parameters")
    solve.add_argument(
        "--initial", nargs="+", action="extend", default=[], metavar="STATE=VALUE", help="initial values"
    )
    solve.add_argument("--input", nargs="+", action="extend", default=[], metavar="INPUT=LEVEL", help="dose levels")
    solve.add_argument("--on", type=float, help="give the inputs for this long ...")
    solve.add_argument("--off", type=float, help="... then pause for this long, again and again")
    solve.add_argument("--t-start", type=float, default=0.0)
    solve.add_argument("--t-end", type=float, default=365.0, help="in the model's unit of time; 365 if not given")
    solve.add_argument("--points", type=int, default=401, help="number of output times")
    solve.add_argument(
        "--method", help="Tsit5, Rodas5P, Rodas3, LSODA, BDF, Radau, RK45, RK23, DOP853; chosen if not given"
    )
    solve.add_argument("--rtol", type=float, default=1e-6)
    solve.add_argument("--names", nargs="+", help="what the figure shows; the tumour's clones if not given")
    solve.add_argument("--log", action="store_true", help="logarithmic axis")
    solve.add_argument("--out", help="folder for solution.csv, solution.json and solution.png/.pdf")


def _solve(options) -> int:
    import numpy as np

    from remission.solvers import Problem, solve

    model = find_model(options.model)
    problem = Problem(
        model, (options.t_start, options.t_end), _pairs("--set", options.set), _pairs("--initial", options.initial),
        _treatment(options), rtol=options.rtol,
    )  # fmt: skip
    times = np.linspace(options.t_start, options.t_end, max(options.points, 2))
    solution = solve(problem, options.method, t_eval=times)
    _say(str(solution))
    if options.out:
        _write_solution(solution, options)
    return 0 if solution.success else 1


def _treatment(options):
    from remission.models.errors import RemissionError
    from remission.solvers import Treatment

    levels = _pairs("--input", options.input)
    if (options.on is None) != (options.off is None):
        raise RemissionError("--on and --off belong together: give both or none")
    if options.on is not None and not levels:
        raise RemissionError("--on and --off need --input, such as --input u=1")
    if not levels:
        return Treatment.none()
    return Treatment.constant(levels) if options.on is None else Treatment.intermittent(levels, options.on, options.off)


def _pairs(flag, words) -> dict:
    from remission.models.errors import RemissionError

    found = {}
    for word in words:
        name, sign, text = word.partition("=")
        try:
            if not sign:
                raise ValueError
            found[name.strip()] = float(text)
        except ValueError:
            raise RemissionError(f"{flag} {word}: write NAME=NUMBER, such as r=0.05") from None
    return found


def _write_solution(solution, options):
    from remission.analysis import plot
    from remission.studies import RunFolder, TableOut

    folder = RunFolder(options.out, parts=())
    problem, names = solution.problem, solution.names
    units = {s.name: s.info.unit for s in (*problem.model.states, *problem.model.inputs)}
    columns = (("t", problem.model.time_unit), *((n, units.get(n, "")) for n in names))
    rows = tuple(zip(solution.t.tolist(), *(solution[n].tolist() for n in names), strict=True))
    folder.write_table(TableOut("solution", "", columns, rows), "solution.csv")
    content = {
        "model": problem.model.name, "source": problem.model.source, "parameters": dict(problem.parameters),
        "initial": problem.initial_values(), "t_span": problem.t_span, "treatment": str(problem.treatment),
        "method": solution.method, "rtol": problem.rtol, "status": solution.status, "message": solution.message,
        "events": [str(e) for e in solution.events], "remission": __version__,
    }  # fmt: skip
    folder.write_json("solution.json", content)
    drawn = plot(solution, names=options.names, scale="log" if options.log else "linear")
    folder.write_figure(drawn.figure, "solution", into="")
    _say(f"written: {folder.path.resolve()}")


# --- datasets ---------------------------------------------------------------------------------------------------------


def _add_datasets(commands):
    datasets = _command(
        commands, "datasets", _datasets, "list the measured data that ship, or print the page of one set"
    )
    datasets.add_argument("name", nargs="?")
    datasets.add_argument("--csv", metavar="FILE", help="write the set's table to a CSV file")


def _datasets(options) -> int:
    from remission import datasets

    if options.name is None:
        for name, about in datasets.list_datasets().items():
            _say(f"  {name:<26}{about}")
        return 0
    chosen = datasets.load(options.name)
    if options.csv:
        from remission.analysis.tables import write_table

        write_table(chosen.table, options.csv)
        _say(options.csv)
        return 0
    _say(chosen.page)
    return 0


def _say(text):
    sys.stdout.write(text + "\n")
