"""Which model answers which question."""

from . import competition, growth, inflammation, oncogene, pharmacokinetics

__all__ = ["BY_QUESTION", "list_models"]

BY_QUESTION = {
    "growth law": ("exponential_growth", "logistic_growth", "gompertz_growth", "von_bertalanffy_growth"),
    "resistance": ("sensitive_resistant", "two_clone_competition", "selective_kill"),
    "aneuploidy": ("oncogene_withdrawal",),
    "inflammation": ("paracrine_loop",),
    "pharmacokinetics": ("bolus_1cpt", "oral_1cpt", "two_cpt", "kpd"),
}


def list_models() -> list[dict]:
    """Rows that describe the catalogue, in the order of the questions.

    Returns
    -------
    list of dict
        Keys `name`, `question`, `states` (names joined by a space), `inputs`, `about`, `source`; all text.

    Examples
    --------
    >>> [row["name"] for row in list_models() if row["question"] == "inflammation"]
    ['paracrine_loop']
    """
    homes = (growth, competition, oncogene, inflammation, pharmacokinetics)
    functions = {name: getattr(home, name) for home in homes for name in home.__all__}
    rows = []
    for question, names in BY_QUESTION.items():
        for name in names:
            model = functions[name]()
            rows.append(
                {
                    "name": name,
                    "question": question,
                    "states": " ".join(s.name for s in model.states),
                    "inputs": " ".join(s.name for s in model.inputs),
                    "about": model.about,
                    "source": model.source,
                }
            )
    return rows
