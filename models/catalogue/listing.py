"""Which model answers which question."""

__all__ = ["BY_QUESTION", "list_models"]

BY_QUESTION = {
    "growth law": (
        "exponential_growth",
        "logistic_growth",
        "gompertz_growth",
        "von_bertalanffy_growth",
        "power_law_growth",
        "linear_growth",
        "surface_growth",
    ),
    "resistance": (
        "sensitive_resistant",
        "two_clone_competition",
        "selective_kill",
        "clonal_relapse",
        "greene",
        "monro_gaffney",
        "dose_window",
        "resistance_mechanisms",
    ),
    "aneuploidy": ("oncogene_withdrawal", "clonal_inflammation", "karyotype_ladder", "rescue_by_aneuploidy"),
    "inflammation": ("paracrine_loop", "inflammation_signals", "metastasis"),
    "immune control": (
        "kuznetsov",
        "kirschner_panetta",
        "de_pillis_radunskaya",
        "glioma_mdsc",
        "mdsc_expansion",
        "cml_immune_window",
    ),
    "treatment response": ("claret", "ribba", "hahnfeldt"),
    "space": ("paracrine_invasion", "glioma_invasion", "bistable_invasion"),
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
    ['paracrine_loop', 'inflammation_signals', 'metastasis']
    """
    from .. import catalogue  # this module is part of it

    rows = []
    for question, names in BY_QUESTION.items():
        for name in names:
            model = getattr(catalogue, name)()
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
