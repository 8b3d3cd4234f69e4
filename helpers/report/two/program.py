"""The fit of the sentence as a program, with two groupings: in Python, and in R where that can be asked."""

from __future__ import annotations

from ..program import has_r, in_r, right_sides, rows_in_r


def code(found) -> tuple:
    """The fit of the sentence in Python, and in R; None for R where a predictor is no column."""
    data, names = found.fit.data, found.names
    outcome, (right, right_in_r) = data.formula.split(" ~ ")[0], right_sides(found)
    groups = "/".join(names) if found.slash else list(names)
    dropped = ', missing="drop"' if data.dropped else ""
    errors = found.fit.df_method
    python = (
        f'partial_pooling({f"{outcome} ~ {right}"!r}, data, groups={groups!r}{dropped}).with_df("{errors}")'
    )
    if not has_r(found, names) or errors != "kenward-roger":
        return python, None
    first, second = map(in_r, names)
    by = f"(1 | {first}/{second})" if found.slash else f"(1 | {first}) + (1 | {second})"
    kept = rows_in_r(found, [data.outcome, *found.predictors, *names])
    return python, f'summary(lmer({outcome} ~ {right_in_r} + {by}, {kept}), ddf = "Kenward-Roger")'


def program(found) -> str:
    """The code as the page has it, whole, with the level where it was asked for."""
    python, of_r = code(found)
    lines = ["from helpers import partial_pooling", f"fit = {python}", "print(fit)"]
    if found.level != 0.95:
        lines.append(f"print(fit.conf_int({1 - found.level:.10g}))")
    return "\n".join([*lines, *(["", f"# R, lmerTest: {of_r}"] if of_r else [])])
