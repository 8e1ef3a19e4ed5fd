"""Published model families, one file each, and the question that each answers."""

from .angiogenesis import hahnfeldt
from .clonal import clonal_relapse
from .clonal_inflammation import clonal_inflammation
from .competition import selective_kill, sensitive_resistant, two_clone_competition
from .containment import dose_window
from .growth import exponential_growth, gompertz_growth, logistic_growth, von_bertalanffy_growth
from .growth_inhibition import claret, ribba
from .immunotherapy import kirschner_panetta
from .induced_resistance import greene
from .inflammation import paracrine_loop
from .listing import BY_QUESTION, list_models
from .metastasis import metastasis
from .myeloid import glioma_mdsc, mdsc_expansion
from .oncogene import oncogene_withdrawal
from .palliation import monro_gaffney
from .pharmacokinetics import bolus_1cpt, kpd, oral_1cpt, two_cpt
from .signals import inflammation_signals
from .spatial import paracrine_invasion
from .tumour_immune import de_pillis_radunskaya, kuznetsov

__all__ = [
    "BY_QUESTION",
    "bolus_1cpt",
    "claret",
    "clonal_inflammation",
    "clonal_relapse",
    "de_pillis_radunskaya",
    "dose_window",
    "exponential_growth",
    "glioma_mdsc",
    "gompertz_growth",
    "greene",
    "hahnfeldt",
    "inflammation_signals",
    "kirschner_panetta",
    "kpd",
    "kuznetsov",
    "list_models",
    "logistic_growth",
    "mdsc_expansion",
    "metastasis",
    "monro_gaffney",
    "oncogene_withdrawal",
    "oral_1cpt",
    "paracrine_invasion",
    "paracrine_loop",
    "ribba",
    "selective_kill",
    "sensitive_resistant",
    "two_clone_competition",
    "two_cpt",
    "von_bertalanffy_growth",
]
