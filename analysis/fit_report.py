"""A fit as text and as JSON."""

import math

import numpy as np

__all__ = ["as_dict", "as_text"]

MOST_SUBJECTS = 60
DIGITS = 4


def as_text(fit) -> str:
    """What `print(fit)` shows.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    str
    """
    models = ", ".join(dict.fromkeys(e.problem.model.name for e in fit.experiments))
    count = len(fit.subjects)
    lines = [
        f"Fit of {models} to {fit.n_data} values of {count} subject{'s' if count > 1 else ''}, {fit.noise} noise",
        f"  {'succeeded' if fit.success else 'NOT a success'}: {fit.message}",
        "",
        *_shared(fit),
        *_subjects(fit),
        *_quality(fit),
    ]
    return "\n".join(lines)


def _unit(fit, name):
    for experiment in fit.experiments:
        for symbol in next(iter(experiment._problems.values())).system.parameter_symbols:
            if symbol.name == name and symbol.info.unit not in ("", "1"):
                return symbol.info.unit
    return ""


def _number(value):
    return "-" if not math.isfinite(value) else f"{value:.{DIGITS}g}"


def _mark(reason):
    return {"at its lower bound": " [low]", "at its upper bound": " [high]"}.get(reason, "")


def _table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        first, *rest = zip(row, widths, strict=True)
        yield ("  " + "  ".join([first[0].ljust(first[1]), *(c.rjust(w) for c, w in rest)])).rstrip()


def _shared(fit):
    """One line for each shared value, estimated centre and sigma."""
    rows = [("parameter", "estimate", "std. error", "unit", "")]
    for name, value in fit.estimates.items():
        if isinstance(value, dict):
            if name in fit.centres:
                rows.append((f"{name} (centre)", _number(fit.centres[name]), "", _unit(fit, name), "of own values"))
            continue
        reason = fit.reasons.get((name, None), "")
        rows.append((name, _number(value), _number(fit.standard_errors[name]), _unit(fit, name), reason))
    for name, value in fit.sigma.items():
        if fit.sd != "column":
            rows.append((f"noise of {name}", _number(value), "", "", "estimated" if fit.sd is None else "given"))
    return [*_table(rows), ""] if len(rows) > 1 else []


def _subjects(fit):
    """One line for each subject: own values, standard errors, scale factors, error."""
    own = [name for name, value in fit.estimates.items() if isinstance(value, dict)]
    scaled = list(dict.fromkeys(o for of in fit.scales.values() for o in of))
    head = ["subject", "values"]
    for name in own:
        unit = _unit(fit, name)
        head += [f"{name} ({unit})" if unit else name, "+-"]
    rows = [(*head, *(f"scale of {o}" for o in scaled), "RMSE")]
    errors = fit.rmse_by_subject
    for subject in fit.subjects[:MOST_SUBJECTS]:
        cells = [subject, str(sum(len(r) for r in fit.residuals[subject].values()))]
        for name in own:
            value = fit.estimates[name].get(subject, math.nan)
            error = fit.standard_errors[name].get(subject, math.nan)
            cells += [_number(value) + _mark(fit.reasons.get((name, subject))), _number(error)]
        cells += [_number(fit.scales[subject].get(o, math.nan)) for o in scaled]
        rows.append((*cells, _number(errors[subject])))
    lines = list(_table(rows))
    if len(fit.subjects) > MOST_SUBJECTS:
        lines.append(f"  and {len(fit.subjects) - MOST_SUBJECTS} more subjects")
    return lines


def _quality(fit):
    bounds = sum(reason.endswith("bound") for reason in fit.reasons.values())
    loose = sum(reason.startswith("not determined") for reason in fit.reasons.values())
    aicc = _number(fit.aicc)
    if not math.isfinite(fit.aicc) and fit.n_data <= fit.n_parameters + 1:
        aicc = f"undefined ({fit.n_data} values for {fit.n_parameters} parameters)"
    what = {"normal": "in the unit of the values", "relative": "parts of each subject's largest value"}
    lines = ["", f"  RMSE {_number(fit.rmse)} ({what.get(fit.noise, 'natural logarithms')})"]
    lines.append(
        f"  log-likelihood {fit.log_likelihood:.2f}, {fit.n_parameters} parameters, AICc {aicc}, BIC {_number(fit.bic)}"
    )
    if bounds:
        lines.append(f"  {bounds} value{'s' if bounds > 1 else ''} at a bound [low] or [high]: no standard error")
    if loose:
        lines.append(f"  {loose} value{'s' if loose > 1 else ''} not determined by the data alone")
    failed = sum(not math.isfinite(s.cost) for s in fit.starts)
    lines.append(f"  {len(fit.starts)} searches" + (f", {failed} could not start" if failed else ""))
    return lines


def as_dict(fit) -> dict:
    """What a JSON file can hold.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    dict
    """
    names = ("noise", "estimates", "standard_errors", "centres", "sigma", "scales", "rmse", "rmse_by_subject", "aicc")
    names += ("bic", "log_likelihood", "n_data", "n_parameters", "success", "message", "seed")
    found = {name: _plain(getattr(fit, name)) for name in names}
    found["model"] = [e.problem.model.name for e in fit.experiments]
    found["sd"] = _plain(fit.sd)
    found["vary"] = {name: type(value).__name__ for name, value in fit.vary.items()}
    found["units"] = {name: _unit(fit, name) for name in fit.vary}
    found["no_standard_error"] = [
        {"parameter": name, "subject": subject, "reason": reason} for (name, subject), reason in fit.reasons.items()
    ]
    found["residuals"] = _plain(fit.residuals)
    found["starts"] = [
        {"subject": s.subject, "number": s.number, "cost": _plain(s.cost), "status": s.status} for s in fit.starts
    ]
    return found


def _plain(value):
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(v) for v in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
