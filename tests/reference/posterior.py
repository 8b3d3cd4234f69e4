"""What Bambi and PyMC draw for the posteriors that chapter 16 works out by quadrature.

Writes posterior.json beside this script: posterior means and standard deviations, with the Monte Carlo error
of each as ArviZ estimates it.

Needs an environment of its own (pip install bambi==0.17.2 "matplotlib<3.11" "numpy<2.4"), a few minutes:
python tests/reference/posterior.py
"""

import json
import logging
import warnings
from importlib.metadata import version
from pathlib import Path

import arviz as az
import bambi as bmb
import numpy as np
import pandas as pd
import pymc as pm

HERE = Path(__file__).parent
HOW = {"draws": 2_500, "tune": 1_000, "chains": 4, "cores": 1, "target_accept": 0.9, "progressbar": False}
warnings.simplefilter("ignore")
logging.getLogger("pymc").setLevel(logging.ERROR)
values = {}


def add(name, trace, said, seed, renamed):
    """Keep mean, sd and their Monte Carlo errors of the drawn quantities, and what was asked; write all."""
    kept = {}
    for ours, theirs in renamed.items():
        draws = theirs(trace.posterior) if callable(theirs) else trace.posterior[theirs]
        x = draws.to_numpy()
        x = x.reshape(*x.shape[:2], -1)
        kept[ours] = {
            "mean": x.mean(axis=(0, 1)).tolist(),
            "sd": x.std(axis=(0, 1), ddof=1).tolist(),
            "mcse_mean": [np.asarray(az.mcse(x[..., k], method="mean")).item() for k in range(x.shape[2])],
            "mcse_sd": [np.asarray(az.mcse(x[..., k], method="sd")).item() for k in range(x.shape[2])],
            "rhat": [np.asarray(az.rhat(x[..., k])).item() for k in range(x.shape[2])],
        }
    diverging = int(trace.sample_stats["diverging"].sum())
    values[name] = {"asked": said, "seed": seed, "diverging": diverging, "value": kept}
    meta = {package: version(package) for package in ("bambi", "pymc", "pytensor", "arviz", "numpy")}
    meta |= {"script": Path(__file__).name, "sampled": HOW}
    text = json.dumps({"meta": meta, "values": values}, indent=1)
    (HERE / "posterior.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    print(name, diverging, {k: [round(v[s][0], 4) for s in v] for k, v in kept.items()}, flush=True)


def bambi(name, data, outcome, group, seed, **how):
    """`outcome ~ 1 + (1|group)` with the priors that Bambi sets itself."""
    formula = f"{outcome} ~ 1 + (1|{group})"
    model = bmb.Model(formula, data)
    trace = model.fit(random_seed=seed, **HOW | how)
    priors = {
        "mean": model.components["mu"].intercept_term.prior.args,
        "between": model.components["mu"].group_specific_terms[f"1|{group}"].prior.args["sigma"].args,
        "within": model.constant_components["sigma"].prior.args,
    }
    said = {k: {a: float(b) for a, b in args.items()} for k, args in priors.items()}
    add(name, trace, {"formula": formula, "priors": said, "printed": str(model)} | how, seed, {
        "beta": "Intercept",
        "between": f"1|{group}_sigma",
        "within": "sigma",
        "groups": lambda p: p["Intercept"] + p[f"1|{group}"],
    })  # fmt: skip


def flat(name, data, outcome, group, seed):
    """The same model in PyMC, flat on the mean and on both standard deviations."""
    code, _ = pd.factorize(data[group])
    y = data[outcome].to_numpy()
    with pm.Model():
        beta = pm.Flat("beta", initval=y.mean())
        between, within = (pm.HalfFlat(k, initval=y.std()) for k in ("between", "within"))
        groups = pm.Deterministic("groups", beta + between * pm.Normal("z", shape=int(code.max()) + 1))
        pm.Normal("y", groups[code], within, observed=y)
        trace = pm.sample(random_seed=seed, **HOW)
    names = {k: k for k in ("beta", "between", "within", "groups")}
    add(name, trace, {"priors": "Flat, HalfFlat, HalfFlat"}, seed, names)


def schools(name, seed):
    """Rubin's eight schools, flat on the mean and on the standard deviation between them."""
    y = np.array([28, 8, -3, 7, -1, 1, 18, 12.0])
    se = np.array([15, 10, 16, 11, 9, 11, 10, 18.0])
    with pm.Model():
        beta, between = pm.Flat("beta", initval=8.0), pm.HalfFlat("between", initval=5.0)
        groups = pm.Deterministic("groups", beta + between * pm.Normal("z", shape=8))
        pm.Normal("y", groups, se, observed=y)
        trace = pm.sample(random_seed=seed, **HOW)
    add(name, trace, {"priors": "Flat, HalfFlat"}, seed, {k: k for k in ("beta", "between", "groups")})


classrooms = pd.read_csv(HERE / "classrooms.csv")
five = classrooms[classrooms["classroom"] <= 5]
bambi("bambi.classrooms", classrooms, "score", "classroom", 161)
bambi("bambi.five", five, "score", "classroom", 162)
flat("pymc.classrooms", classrooms, "score", "classroom", 163)
schools("pymc.schools", 164)
bambi("bambi.five.careful", five, "score", "classroom", 165, target_accept=0.99, draws=5_000)
