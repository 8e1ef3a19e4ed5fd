"""One main figure a model: what its paper is known for. Recipes live in the `pictures_*` files, one for each family."""

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass

from remission import models
from remission.models.errors import RemissionError, did_you_mean

__all__ = ["Recipe", "draw", "recipe_of", "recipes"]

FAMILIES = ("core", "ours", "immune", "response", "resistance", "ladders", "space")
T_END = 365.0
WIDTH, HEIGHT = 92.0, 62.0  # mm; small, so that letters survive on a card


@dataclass(frozen=True)
class Recipe:
    """How to draw a model's main result.

    Parameters
    ----------
    caption : str
        What is seen, with the numbers that were put in; one or two sentences.
    draw : callable
        Takes an Axes and draws on it.
    """

    caption: str
    draw: Callable


@functools.cache
def recipes() -> dict:
    """The recipes of all families.

    Returns
    -------
    dict
        Name of a model -> Recipe.

    Examples
    --------
    >>> recipes()["kpd"].caption
    '100 mg every 12 hours at the default values.'
    """
    found = {}
    for family in FAMILIES:
        found |= importlib.import_module(f".pictures_{family}", __package__).RECIPES
    return found


def draw(name, ax=None):
    """Draw the main figure of a catalogue model.

    Parameters
    ----------
    name : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    RemissionError
        If the catalogue has no model of that name.

    Examples
    --------
    >>> draw("logistic_growth").get_xlabel()
    'time (days)'
    """
    from remission.analysis.plots import figure

    names = [row["name"] for row in models.list_models()]
    if name not in names:
        raise RemissionError(f"the catalogue has no model {name!r}; {did_you_mean(name, names)}")
    ax = figure(width=WIDTH, height=HEIGHT)[1] if ax is None else ax
    recipe_of(name).draw(ax)
    return ax


def recipe_of(name) -> Recipe:
    """The recipe of a model, or that of its baseline run where there is none.

    Parameters
    ----------
    name : str

    Returns
    -------
    Recipe
    """
    plain = Recipe("The run at default values, without treatment.", lambda ax: _baseline(name, ax))
    return recipes().get(name, plain)


def _baseline(name, ax):
    from remission.analysis import plot
    from remission.solvers import Problem, solve

    plot(solve(Problem(getattr(models, name)(), t_span=(0, T_END))), ax=ax)
