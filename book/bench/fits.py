"""One fit: how long it takes with each package, and how many of its digits are right."""

import json
import warnings
from pathlib import Path

import pandas as pd

from helpers import classrooms, partial_pooling, radon

from . import exact, peers
from .clock import race
from .page import milliseconds, paragraphs, significant, table

REFERENCE = Path(__file__).parents[2] / "tests" / "reference"


def cases():
    """The classrooms and the three radon models; log_radon ~ 1 + x because linearmodels adds no constant."""
    score, homes = classrooms()[["score", "classroom"]], radon()
    homes = homes[["county", "log_radon", "floor", "log_uranium"]]
    return [
        peers.Case("Classrooms", "score ~ 1", score, "classroom"),
        peers.Case("Radon M0", "log_radon ~ 1", homes, "county"),
        peers.Case("Radon M1", "log_radon ~ 1 + floor", homes, "county"),
        peers.Case("Radon M2", "log_radon ~ 1 + floor + log_uranium", homes, "county"),
    ]


def truth(case):
    """The exact answer: in closed form for the classrooms."""
    if case.title == "Classrooms":
        return exact.balanced(case.columns[:, -1], case.codes)
    return exact.reml(case.columns, case.codes)


def singular():
    """The classrooms with their means moved to 1628 and 1630 in turn: psi is 0 (tests/conftest.py)."""
    data = classrooms()[["score", "classroom"]]
    means = data.groupby("classroom", observed=True)["score"].transform("mean")
    turns = data["classroom"].astype(int).map(lambda j: -1 if j % 2 else 1)
    data["score"] = data["score"] - means + 1629 + turns
    return peers.Case("Singular classrooms", "score ~ 1", data, "classroom")


# ---- times ----------------------------------------------------------------------------------------


def speed(r, rounds):
    """The section on single fits."""
    parts = [
        "## One fit",
        "The clock runs from the call until psi and the standard error of the intercept are in hand. "
        "Degrees of freedom are outside it: `helpers` works out Kenward and Roger's when they are asked "
        "for, and of the others only some have any. "
        "R keeps its own time, its data loaded before. What is made ready before the clock starts is a "
        "GroupSummary for `helpers`, a prepared design for lme-python, arrays for the others. "
        "Digits are -log10 of the relative error of psi and of that standard error against the exact "
        "answer: the closed form for the classrooms, 50-digit arithmetic for radon. "
        "linearmodels fits another estimator (Swamy and Arora's moments), which is REML only where the "
        "groups are of one size; its digits say how far that is from REML, not that it is wrong. "
        "Its PanelOLS has fixed effects only, no psi, and is left out.",
    ]
    for case in cases():
        parts += [f"### {case.title}: `{case.formula}`", times(case, r, rounds)]
    return paragraphs(*parts)


def times(case, r, rounds):
    """Both tables of a case, from one race."""
    answer = truth(case)
    kinds = {"formula and data frame": peers.by_formula(r), "made ready before": peers.by_arrays()}
    prepared = {(kind, name): call for kind in kinds for name, call in peers.calls(kinds[kind], case).items()}
    outcomes = race(prepared, rounds)
    tables = []
    for kind in kinds:
        found = {name: outcome for (k, name), outcome in outcomes.items() if k == kind}
        ours = next(iter(found.values()))
        header = [kind, "ms", "times helpers", "digits, psi", "digits, SE"]
        tables.append(table(header, [row(name, o, ours, answer) for name, o in found.items()]))
    return paragraphs(*tables)


def row(name, outcome, ours, answer):
    """A contender's line: time, ratio to ours, digits of psi and of the SE."""
    right = ["–", "–"]
    if not outcome.error:
        pairs = zip(outcome.value, (answer.psi, answer.se), strict=True)
        right = [f"{exact.digits(value, of):.1f}" for value, of in pairs]
    return [name, milliseconds(outcome), significant(outcome.over(ours)), *right]


# ---- who is right ---------------------------------------------------------------------------------

KEYS = ("psi", "theta", "se", "criterion")


def of_helpers(case):
    fit = partial_pooling(case.formula, case.data, case.group)
    return dict(zip(KEYS, (fit.psi, fit.theta, fit.bse.iloc[0], fit.criterion), strict=True))


def of_statsmodels(case, **options):
    """statsmodels' answer, with what it warned of and whether it says it has converged."""
    from statsmodels.formula.api import mixedlm

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = mixedlm(case.formula, case.data, groups=case.group).fit(**options)
    said = list(dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught))
    values = (fit.cov_re.iloc[0, 0], fit.scale, fit.bse_fe.iloc[0], -2 * fit.llf)
    return dict(zip(KEYS, map(float, values), strict=True)) | {"said": said, "converged": fit.converged}


def of_lme4(case):
    """R's stored answer (tests/reference)."""
    if case.title == "Radon M2":
        values = json.loads((REFERENCE / "radon.json").read_text(encoding="utf-8"))["values"]
        names = ("M2.var_county", "M2.var_resid", "M2.se", "M2.REMLcrit")
        found = [values[name]["value"] for name in names]
        return dict(zip(KEYS, [pd.Series(value).iloc[0] for value in found], strict=True))
    return json.loads((REFERENCE / "classrooms.json").read_text(encoding="utf-8"))["singular"]


def who_is_right():
    """The section on radon M2 and the singular design."""
    return paragraphs(
        "## Who is right",
        "Two fits where the default of statsmodels stops short. Errors are against the exact answer, and "
        "so is the last column: how far the REML criterion lies above its minimum (0 at the right answer, "
        "up to the rounding of the criterion itself). SE is that of the intercept: here and in lme4 of "
        "generalised least squares at the estimated variances, in statsmodels from the Hessian of all "
        "parameters together, which is another number where groups differ in size.",
        *(verdict(case) for case in (cases()[3], singular())),
    )


def verdict(case):
    """Table, warnings and sentences for a case."""
    answer = truth(case)
    found = {"helpers": of_helpers(case), "lme4 (stored)": of_lme4(case)}
    try:
        found["statsmodels, default"] = of_statsmodels(case)
        found["statsmodels, powell"] = of_statsmodels(case, method="powell")
    except ImportError:
        found["statsmodels"] = None
    header = ["fit", "psi", "theta", "SE", "error of SE", "criterion above"]
    rows = [["exact", *(f"{float(getattr(answer, key)):.8g}" for key in KEYS[:3]), "0", "0"]]
    rows += [compared(name, values, answer) for name, values in found.items()]
    return paragraphs(f"### {case.title}: `{case.formula}`", table(header, rows), *sentences(found, answer))


def compared(name, values, answer):
    """A line of the table: values to eight figures, then how far they are off."""
    if values is None:
        return [name, "not installed", *["–"] * 4]
    above = f"{float(values['criterion'] - answer.criterion):.1e}" if "criterion" in values else "–"
    shown = [f"{values[key]:.8g}" for key in KEYS[:3]]
    return [name, *shown, f"{relative(values['se'], answer.se):+.1e}", above]


def relative(value, of):
    """Relative error, as a float."""
    return float(exact.mpf(float(value)) / of - 1)


def sentences(found, answer):
    """What the table says, in words whose figures come from it."""
    ours = agreement(found["helpers"], answer)
    yield (
        f"`helpers` has {ours['psi']:.0f} digits of psi and {ours['se']:.0f} of the standard error right, "
        f"lme4 {agreement(found['lme4 (stored)'], answer)['psi']:.0f} and "
        f"{agreement(found['lme4 (stored)'], answer)['se']:.0f}."
    )
    for name, values in found.items():
        if values and "said" in values:
            yield judged(name, values, answer)


def agreement(values, answer):
    """Digits of psi (against theta where psi is 0) and of the SE."""
    psi = exact.digits(values["psi"], answer.psi, answer.psi or answer.theta)
    return {"psi": psi, "se": exact.digits(values["se"], answer.se)}


def judged(name, values, answer):
    """A sentence on one fit of statsmodels, and its warnings."""
    if answer.psi:
        off = f"its psi is {off_by(values['psi'], answer.psi)}"
    else:
        off = f"its psi is {values['psi']:.2g} where the maximum is at 0"
    error = off_by(values["se"], answer.se)
    claim = "says that it converged" if values["converged"] else "says that it did not converge"
    warned = "".join(f"\n- `{' '.join(text.split())}`" for text in values["said"])
    return f"**{name}** {claim}; {off}, its standard error is {error}. " + (
        f"It warns:\n{warned}" if warned else "It warns of nothing."
    )


def off_by(value, of):
    """How far a value is off, in words."""
    if exact.digits(value, of) >= 4:
        return f"right to {exact.digits(value, of):.0f} digits"
    return f"{abs(relative(value, of)):.2%} too {'large' if relative(value, of) > 0 else 'small'}"
