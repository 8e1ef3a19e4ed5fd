"""Measured data that ships with the package: seven sets, each with source, licence and cleaning rules.

Nothing is read before it is asked for. `list_datasets()` says what there is, `load(name)` and the function of the
same name read a set, and `load(name).page` is its page.

Examples
--------
>>> import remission as rm
>>> print(rm.datasets.adaptive_abiraterone().table.select(subject="P1001", until=60)["value"])
[6.06 0.03 0.1 ]
"""

import functools

from .dataset import Dataset, facts, read_shipped

__all__ = [
    "Dataset",
    "adaptive_abiraterone",
    "atezolizumab_tumour_size",
    "cart_dex_killing",
    "egfr_tki_lung_pdx",
    "intermittent_adt",
    "list_datasets",
    "load",
    "ploidy_dose_response",
    "tetraploid_evolution",
]

NAMES = (
    "adaptive_abiraterone",
    "intermittent_adt",
    "egfr_tki_lung_pdx",
    "tetraploid_evolution",
    "ploidy_dose_response",
    "cart_dex_killing",
    "atezolizumab_tumour_size",
)


def list_datasets() -> dict:
    """Names of the shipped sets, each with one line about it.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> list_datasets()["egfr_tki_lung_pdx"]
    '36 mice, tumour volume and plasma drug level under daily erlotinib or gefitinib, every dose'
    """
    return {name: facts(name)["line"] for name in NAMES}


def _refuse_unknown_keywords(function):
    """The house's decorator, fetched at the first call: its floor loads sympy, and listing the sets needs none."""

    @functools.wraps(function)
    def checked(*args, **keywords):
        from remission.models.errors import refuse_unknown_keywords

        return refuse_unknown_keywords(function)(*args, **keywords)

    return checked


@_refuse_unknown_keywords
def load(name, *, time_unit=None) -> Dataset:
    """Read a shipped set by name.

    Parameters
    ----------
    name : str
        One of `list_datasets()`.
    time_unit : str, optional
        Unit of the times of measurements and doses; the set's own (hour for `cart_dex_killing`, day for the
        others) if not given.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If there is no set of that name (with the nearest match).

    Examples
    --------
    >>> print(load("cart_dex_killing", time_unit="day").table["time"].max().round(1))
    7.0
    """
    if name not in NAMES:
        from remission.models.errors import DataError, did_you_mean

        raise DataError(f"there is no shipped data set {name!r}; {did_you_mean(name, NAMES)}")
    return _read(name, time_unit)


@functools.lru_cache(maxsize=16)
def _read(name, time_unit) -> Dataset:
    return read_shipped(name, time_unit)


def adaptive_abiraterone() -> Dataset:
    """PSA of 21 patients under adaptive or continuous abiraterone, with the drug's recorded state [1]_.

    Returns
    -------
    Dataset
        Observable `PSA` (ng/mL, time in days); doses `on` = 1 or 0 into `abiraterone`; tables
        `published_parameters` and `progression_by_arm`.

    References
    ----------
    .. [1] Zhang et al. (2022), eLife 11, e76284. CC0.

    Examples
    --------
    >>> data = adaptive_abiraterone()
    >>> len(data.table.subjects), data.table.dose_rows("P1001")[0]["duration"]
    (21, 27.0)
    """
    return load("adaptive_abiraterone")


def intermittent_adt() -> Dataset:
    """PSA and testosterone of 44 patients over cycles of androgen suppression [1]_.

    Returns
    -------
    Dataset
        Observables `PSA` (ng/mL) and `testosterone` (nmol/L, time in days); doses `on` = 1 or 0 into
        `androgen suppression`; table `outcome`.

    References
    ----------
    .. [1] Bruchovsky et al. (2006), Cancer 107, 389-395. CC0.

    Examples
    --------
    >>> intermittent_adt().table.observables
    ('PSA', 'testosterone')
    """
    return load("intermittent_adt")


def egfr_tki_lung_pdx() -> Dataset:
    """Volumes and plasma levels of 36 mice under erlotinib or gefitinib, with every dose [1]_.

    Returns
    -------
    Dataset
        Observables `tumour volume` (mm^3) and `plasma concentration` (ng/mL, time in days); doses `amount` in ug
        into `erlotinib` or `gefitinib`.

    References
    ----------
    .. [1] Eigenmann et al. (2016), Molecular Cancer Therapeutics 15. BSD-3-Clause.

    Examples
    --------
    >>> egfr_tki_lung_pdx().units
    {'tumour volume': 'mm^3', 'plasma concentration': 'ng/mL'}
    """
    return load("egfr_tki_lung_pdx")


def tetraploid_evolution() -> Dataset:
    """Fractions of ploidy and centrosome classes in one culture and 11 tumours [1]_.

    Returns
    -------
    Dataset
        Fractions (time in days); each tumour was measured once.

    References
    ----------
    .. [1] Baudoin et al. (2020), eLife 9, e54565. MIT.

    Examples
    --------
    >>> tetraploid_evolution().table.select(subject="culture")["value"][:3]
    array([0.9004, 0.485 , 0.4079])
    """
    return load("tetraploid_evolution")


def ploidy_dose_response() -> Dataset:
    """Viability of haploid, diploid and tetraploid HAP1 cells at twelve concentrations of two drugs [1]_.

    Returns
    -------
    Dataset
        Observable `relative viability` (fraction); `time` 0 stands for the end point; columns `drug` and
        `concentration_nM`.

    References
    ----------
    .. [1] Yoshizawa et al. (2023), Molecular Oncology 17, 1148-1166. MIT.

    Examples
    --------
    >>> table = ploidy_dose_response().table
    >>> len(table.select(arm="HAP1 haploid", where=table["drug"] == "Doxorubicin"))
    96
    """
    return load("ploidy_dose_response")


def cart_dex_killing() -> Dataset:
    """Cell index and end counts of glioblastoma cells under CAR T-cells and dexamethasone [1]_.

    Returns
    -------
    Dataset
        Observables `cell index` (dimensionless), `residual tumour cells` and `residual effector cells` (cells in a
        well; time in hours); columns `car_t_per_well`, `dex_ug_per_mL`; table `published_fits`.

    References
    ----------
    .. [1] Brummer et al. (2022), PLoS Computational Biology 18, e1009504. MIT.

    Examples
    --------
    >>> cart_dex_killing().table.time_unit
    'hour'
    """
    return load("cart_dex_killing")


def atezolizumab_tumour_size() -> Dataset:
    """Diameter of a target lesion of 976 patients in five trials of atezolizumab [1]_.

    Returns
    -------
    Dataset
        Observable `target lesion diameter` (mm, time in days from the first visit); lesions too small to
        measure are left-censored at 5 mm; doses `on` = 0 before and 1 from the start of treatment; columns `study`
        and `day_of_treatment`.

    References
    ----------
    .. [1] Ghaffari Laleh et al. (2022), PLoS Computational Biology 18, e1009822. CC BY 4.0.

    Examples
    --------
    >>> table = atezolizumab_tumour_size().table
    >>> int((table["censoring"] == "left").sum())
    37
    """
    return load("atezolizumab_tumour_size")
