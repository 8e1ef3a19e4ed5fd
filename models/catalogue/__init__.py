"""Published model families, one file each, and the question that each answers."""

from .angiogenesis import hahnfeldt
from .clonal import clonal_relapse
from .clonal_inflammation import clonal_inflammation
from .competition import selective_kill, sensitive_resistant, two_clone_competition
from .containment import dose_window
from .growth import (
    exponential_growth,
    gompertz_growth,
    linear_growth,
    logistic_growth,
    power_law_growth,
    surface_growth,
    von_bertalanffy_growth,
)
from .growth_inhibition import claret, ribba
from .immunotherapy import kirschner_panetta
from .induced_resistance import greene
from .inflammation import paracrine_loop
from .invasion import bistable_invasion, glioma_invasion
from .karyotypes import karyotype_ladder
from .leukaemia import cml_immune_window
from .listing import BY_QUESTION, list_models
from .mechanisms import resistance_mechanisms
from .metastasis import metastasis
from .myeloid import glioma_mdsc, mdsc_expansion
from .oncogene import oncogene_withdrawal
from .palliation import monro_gaffney
from .pharmacokinetics import bolus_1cpt, kpd, oral_1cpt, two_cpt
from .rescue import rescue_by_aneuploidy
from .signals import inflammation_signals
from .spatial import paracrine_invasion
from .tumour_immune import de_pillis_radunskaya, kuznetsov

__all__ = [
    "BY_QUESTION",
    "bistable_invasion",
    "bolus_1cpt",
    "claret",
    "clonal_inflammation",
    "clonal_relapse",
    "cml_immune_window",
    "de_pillis_radunskaya",
    "dose_window",
    "exponential_growth",
    "glioma_invasion",
    "glioma_mdsc",
    "gompertz_growth",
    "greene",
    "hahnfeldt",
    "inflammation_signals",
    "karyotype_ladder",
    "kirschner_panetta",
    "kpd",
    "kuznetsov",
    "linear_growth",
    "list_models",
    "logistic_growth",
    "mdsc_expansion",
    "metastasis",
    "monro_gaffney",
    "oncogene_withdrawal",
    "oral_1cpt",
    "paracrine_invasion",
    "paracrine_loop",
    "power_law_growth",
    "rescue_by_aneuploidy",
    "resistance_mechanisms",
    "ribba",
    "selective_kill",
    "sensitive_resistant",
    "surface_growth",
    "two_clone_competition",
    "two_cpt",
    "von_bertalanffy_growth",
]
