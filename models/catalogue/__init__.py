"""Published model families, one file each, and the question that each answers."""

from .clonal import clonal_relapse
from .clonal_inflammation import clonal_inflammation
from .competition import selective_kill, sensitive_resistant, two_clone_competition
from .growth import exponential_growth, gompertz_growth, logistic_growth, von_bertalanffy_growth
from .inflammation import paracrine_loop
from .listing import BY_QUESTION, list_models
from .metastasis import metastasis
from .oncogene import oncogene_withdrawal
from .pharmacokinetics import bolus_1cpt, kpd, oral_1cpt, two_cpt
from .signals import inflammation_signals
from .spatial import paracrine_invasion

__all__ = [
    "BY_QUESTION",
    "bolus_1cpt",
    "clonal_inflammation",
    "clonal_relapse",
    "exponential_growth",
    "gompertz_growth",
    "inflammation_signals",
    "kpd",
    "list_models",
    "logistic_growth",
    "metastasis",
    "oncogene_withdrawal",
    "oral_1cpt",
    "paracrine_invasion",
    "paracrine_loop",
    "selective_kill",
    "sensitive_resistant",
    "two_clone_competition",
    "two_cpt",
    "von_bertalanffy_growth",
]
