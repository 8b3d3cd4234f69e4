"""The ledger and the exercises: what they let through, what they refuse, what they never tell."""

import json
import math
import re
from decimal import Decimal
from importlib.resources import files

import numpy as np
import pytest
from scipy import stats

from helpers import check_exercise, check_stated
from helpers.course import stated
from helpers.course.exercises import exercises
from helpers.course.rrandom import RRandom

LEDGER = stated.ledger()
EXERCISES = exercises()


# ---- rounding ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4.716021856, "4.716"),
        (4.7155000001, "4.716"),
        (4.7164999999, "4.716"),
        (-0.76205, "-0.7621"),
        (-73.90257708, "-73.903"),
        (33.6977, "33.7"),
        (7.173628778e-11, "7.2e-11"),
        (1.2345e6, "1.2e6"),
        (3, "3"),
        (2.9, "3"),
        (0.0004, "0.00"),
        (-0.004, "0.00"),
        (0.30000000000000004, "0.3"),
        (np.float64(4.716), "4.716"),
        (np.int64(20), "20"),
        (0.125, "0.13"),  # half way exactly: up
        (0.125, "0.12"),  # and to even
        (-2.5, "-3"),
        (-2.5, "-2"),
    ],
)
def test_a_value_that_rounds_to_the_printed_digits_passes(value, text):
    assert stated.rounds_to(value, text) is True


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4.7149, "4.716"),
        (4.7166, "4.716"),
        (4.71549999, "4.716"),
        (4.716, "4.7161"),
        (4.716, "4.71"),
        (-4.716, "4.716"),
        (0.7621, "-0.7621"),
        (7.26e-11, "7.2e-11"),
        (7.2e-10, "7.2e-11"),
        (33.7, "33.70001"),
        (2.4, "3"),
        (math.nan, "4.716"),
        (math.inf, "4.716"),
        (-math.inf, "4.716"),
    ],
)
def test_a_value_that_rounds_to_other_digits_does_not(value, text):
    assert stated.rounds_to(value, text) is False


@pytest.mark.parametrize(
    ("value", "text"), [("four", "4"), (None, "4"), (4.0, "four"), (4.0, ""), ([1, 2], "4")]
)
def test_what_is_no_number_is_refused_with_both_shown(value, text):
    with pytest.raises(ValueError, match=f"cannot compare {re.escape(repr(value))} with {text!r}"):
        stated.rounds_to(value, text)


def test_a_statement_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="cannot compare"):
        stated.rounds_to(1.0, "nan")


# ---- the ledger ----------------------------------------------------------------------------------


def unit(text):
    """One unit in the last printed digit."""
    return Decimal(1).scaleb(Decimal(text).as_tuple().exponent)


def test_every_row_of_the_ledger_is_complete_and_a_number():
    assert list(LEDGER) == ["quantity", "value", "source"]
    assert LEDGER.index.is_unique
    for key, row in LEDGER.iterrows():
        assert re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", key)
        assert all(row), f"{key} has an empty cell"
        assert Decimal(row["value"]).is_finite(), key
        assert row["value"] == row["value"].strip(), key


@pytest.mark.parametrize("key", LEDGER.index)
def test_each_row_takes_the_value_it_states_and_says_so_in_one_line(key, capsys):
    check_stated(key, float(LEDGER.loc[key, "value"]))
    line = capsys.readouterr().out
    assert line.startswith(f"✓ {key}: stated {LEDGER.loc[key, 'value']}, computed ")
    assert line.count("\n") == 1
    assert line.endswith("\n")


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("key", LEDGER.index)
def test_each_row_shifted_by_one_in_its_last_digit_is_refused(key, step, monkeypatch, capsys):
    text = LEDGER.loc[key, "value"]
    shifted = LEDGER.copy()
    shifted.loc[key, "value"] = str(Decimal(text) + step * unit(text))
    monkeypatch.setattr(stated, "ledger", lambda: shifted)
    with pytest.raises(stated.StatedValueError, match=re.escape(key)):
        check_stated(key, float(text))
    assert not capsys.readouterr().out


@pytest.mark.parametrize("key", LEDGER.index)
def test_each_row_refuses_a_value_just_beyond_half_a_unit(key):
    text = LEDGER.loc[key, "value"]
    beyond = float(Decimal(text) + unit(text) * Decimal("0.51"))
    with pytest.raises(stated.StatedValueError):
        check_stated(key, beyond)


def test_the_refusal_names_row_source_statement_and_value():
    with pytest.raises(
        stated.StatedValueError, match=r"answer\.complete\.se: answer states 2\.383, computed is 2\.5"
    ):
        check_stated("answer.complete.se", 2.5)


def test_the_refusal_is_an_assertion_error_so_that_any_runner_sees_a_failed_check():
    assert issubclass(stated.StatedValueError, AssertionError)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_not_finite_is_refused(value):
    with pytest.raises(stated.StatedValueError):
        check_stated("answer.complete.se", value)


def test_a_row_that_is_not_there_is_named():
    with pytest.raises(KeyError, match=r"no row 'answer\.nothing' in the ledger"):
        check_stated("answer.nothing", 1.0)


# Where R has the full value, the statement is held against it: ledger row to id in classrooms.json.
FROM_R = {
    "question.no_pooling.se": "np.se_class_mean",
    "answer.mean": "data.grand_mean",
    "answer.complete.se": "cp.se",
    "answer.complete.t": "cp.t",
    "answer.complete.sigma": "cp.sigma",
    "answer.mixed.se": "pp.se",
    "answer.mixed.t": "pp.t",
    "answer.mixed.reml": "pp.REMLcrit",
    "answer.mixed.psi": "pp.psi_lme4",
    "answer.mixed.theta": "pp.theta_lme4",
    "answer.mixed.sd_between": "pp.sd_psi_lme4",
    "answer.mixed.sd_within": "pp.sd_theta_lme4",
    "r.bound": "claim.lower_bound",
    "question.mixed.se": "claim.hsb_se",
}


@pytest.mark.parametrize(("key", "by_r"), FROM_R.items())
def test_what_is_stated_is_what_r_computes(reference, key, by_r):
    check_stated(key, reference("classrooms")[by_r])


# The schools: ledger row to id in hsb.json and the place in its vector (None where it is one number).
FROM_HSB = {
    "within.ols_se": ("wb.se", 1), "between.ols_se": ("wb.se", 2), "between.ols_slope": ("wb.coef", 2),
    "within.slope": ("H2.fixef", 1), "within.se": ("H2.se", 1),
    "between.slope": ("H2.fixef", 2), "between.se": ("H2.se", 2),
    "slopes.se": ("S2.se", 1), "slopes.q": ("S2.Q", None),
    "plain.slope": ("H1.fixef", 1), "plain.se": ("H1.se", 1), "plain.weight": ("H1.weights", None),
    "no_pooling.slope": ("fe.ses", 0), "no_pooling.se": ("fe.ses", 1),
    "complete.slope": ("ols_ses.coef", 1), "complete.se": ("ols_ses.se", 1),
    "mundlak.within": ("H3.fixef", 1), "mundlak.within_se": ("H3.se", 1),
    "mundlak.context": ("H3.fixef", 2), "mundlak.context_se": ("H3.se", 2),
}  # fmt: skip


@pytest.mark.parametrize(("key", "by_r"), FROM_HSB.items())
def test_what_is_stated_of_the_schools_is_what_r_computes(reference, key, by_r):
    name, at = by_r
    value = reference("hsb")[name]
    check_stated(f"r.hsb.{key}", value if at is None else value[at])


@pytest.mark.parametrize(("level", "at"), [("within", 1), ("between", 2)])
def test_the_stated_ratios_of_the_schools_are_those_of_rs_standard_errors(reference, level, at):
    r = reference("hsb")
    check_stated(f"r.hsb.{level}.ratio", r["H2.se"][at] / r["wb.se"][at])


def test_what_notebook_08_says_of_slopes_that_vary_is_what_r_computes(reference):
    r = reference("hsb")
    assert round(r["S2.df_satt"][1]) == 155
    assert round(1000 * r["S2.Q_p"]) == 3
    assert r["S2.se"][1] > r["wb.se"][1] > r["H2.se"][1]  # least squares reports too little here


VARY = {
    "hsb.one.se": "hsb.one", "hsb.one.df": "hsb.one_df",
    "hsb.vary.se": "hsb.vary", "hsb.vary.df": "hsb.vary_df",
    "hsb.cr2.se": "hsb.lm_CR2", "hsb.cr2.df": "hsb.lm_CR2_df", "hsb.sd": "hsb.vary_sd",
    "hsb.correlation": "hsb.vary_correlation", "hsb.own_mean": ("hsb.own", 0), "hsb.own_se": ("hsb.own", 1),
    "hsb.sd_lower": ("hsb.profile_sd", 0), "hsb.sd_upper": ("hsb.profile_sd", 1),
    "radon.sd_upper": ("radon.profile_sd", 1),
    "hsb.lr": "hsb.lr", "hsb.lr_p": "hsb.lr_p", "radon.lr": "radon.lr", "radon.lr_p": "radon.lr_p",
    "clubs.together": "clubs.together", "clubs.apart": "clubs.apart", "clubs.one": "clubs.one",
    "few.together": "few.together", "few.by_own": "few.by_own",
    "ses.intercept_se": ("h_ses.se", 0), "ses.slope_se": ("h_ses.se", 1),
    "ses.correlation": "h_ses.correlation",
    "higher.intercept_se": ("h_higher.se", 0), "higher.slope_se": ("h_higher.se", 1),
    "higher.correlation": "h_higher.correlation",
}  # fmt: skip
VARY_BEFORE = {  # in slopes.json, with the place in the vector
    "radon.kr_se": ("radon1.kr_se", 1), "radon.kr_df": ("radon1.kr_df", 1),
    "rb.cses": ("hsb.rb.fixef", 3), "rb.cses_se": ("hsb.rb.se", 3),
    "rb.mean_ses": ("hsb.rb.fixef", 4), "rb.mean_ses_se": ("hsb.rb.se", 4),
    "rb.public": ("hsb.rb.fixef", 5), "rb.public_se": ("hsb.rb.se", 5),
}  # fmt: skip


@pytest.mark.parametrize("key", [key for key in LEDGER.index if key.startswith("r.vary.")])
def test_what_is_stated_of_slopes_that_vary_is_what_r_computes(reference, key):
    of = key.removeprefix("r.vary.")
    r = reference("slopes" if of in VARY_BEFORE else "varying_slopes")
    if of.startswith("beside."):
        value = r[f"{of}.CR2"] / r[f"{of}.one"]
    else:
        name = (VARY | VARY_BEFORE)[of]
        value = r[name] if isinstance(name, str) else r[name[0]][name[1]]
    check_stated(key, value)


GROUPINGS = {  # in more_groupings.json, with the place in the vector
    "nested.mean": "nested.mean.three", "nested.by_class": "nested.mean.class_of_school.CR1",
    "nested.numbers": "nested.mean.numbers", "nested.sector": ("nested.terms.three", 1),
    "nested.treated": ("nested.treated", 1), "nested.treated_df": ("nested.treated_df", 1),
    "nested.version": ("nested.terms.three", 3), "nested.school.treated": ("nested.terms.school", 2),
    "nested.room.treated": ("nested.terms.class", 2), "nested.cr2.treated": ("nested.terms.school.CR2", 2),
    "nested.around_school": ("nested.terms.around_school", 2),
    "crossed.mean": "crossed.mean", "crossed.df": "crossed.mean_kr_df",
    "crossed.reader": "crossed.mean.reader", "crossed.text": "crossed.mean.text",
    "crossed.two_way": "crossed.cr1.reader_text", "crossed.long": ("crossed.long", 1),
    "crossed.long_reader": ("crossed.long.reader", 1),
    "panel.lm": ("panel.lm", 1), "panel.firm": ("panel.cr1.firm", 1), "panel.year": ("panel.cr1.year", 1),
    "panel.two_way": ("panel.cr1.firm_year", 1), "panel.both": ("panel.both", 1),
}  # fmt: skip


@pytest.mark.parametrize(
    "key", [key for key in LEDGER.index if key.startswith(("r.nested.", "r.crossed.", "r.panel."))]
)
def test_what_is_stated_of_more_than_one_grouping_is_what_r_computes(reference, key):
    name = GROUPINGS[key.removeprefix("r.")]
    r = reference("more_groupings")
    check_stated(key, r[name] if isinstance(name, str) else r[name[0]][name[1]])


def test_the_tables_of_notebook_15_are_rs(reference):
    """What R's set.seed(15) and set.seed(16) give, as the notebook draws it: readers first, then texts."""
    r, ours = reference("more_groupings"), RRandom(15)
    of_reader, of_text, noise = ours.rnorm(12, 0, 2), ours.rnorm(8, 0, 3), ours.rnorm(96, 0, 4)
    score = (50 + of_reader[:, None] + of_text).ravel() + noise
    assert [*score[:3], *score[-3:]] == pytest.approx(r["crossed.score"], rel=1e-14)


def test_the_solutions_of_notebook_15_are_rs(reference):
    r = reference("more_groupings")
    classes, schools, within = r["nested.variances"]
    se = ((schools + (classes + within / 10) / 2) / 24) ** 0.5
    assert right("15.1") == pytest.approx([schools, classes, se], rel=1e-6)  # lme4's optimiser
    by_class = r["nested.mean.class"] / r["nested.mean.three"]
    by_school = r["nested.terms.school"][2] / r["nested.terms.three"][2]
    assert right("15.2") == pytest.approx([by_class, by_school], rel=1e-6)


@pytest.mark.parametrize(("model", "by_r"), [("m3", "radon1"), ("m4", "radon2")])
def test_what_chapter_13_of_the_book_prints_is_what_r_computes(reference, model, by_r):
    r, terms = reference("slopes"), ["intercept", "floor", "uranium", "product"]
    found = {}
    for name, estimate, se in zip(terms, r[f"{by_r}.fixef"], r[f"{by_r}.se"], strict=False):
        found |= {name: estimate, f"{name}_se": se}
    level, both, _, slope = r[f"{by_r}.psi"]
    found |= {
        "sd_intercept": level**0.5,
        "sd_floor": slope**0.5,
        "correlation": both / (level * slope) ** 0.5,
    }
    found["sd_within"] = r[f"{by_r}.sigma"]
    rows = {key.rsplit(".", 1)[1] for key in LEDGER.index if key.startswith(f"book.radon.{model}.")}
    assert rows == set(found)
    for name, value in found.items():
        check_stated(f"book.radon.{model}.{name}", value)


def test_the_solutions_of_notebook_14_are_rs(reference):
    r = reference("varying_slopes")
    assert EXERCISES["14.2"]["answer"] == pytest.approx(r["hsb.own"], rel=1e-9)
    (level, slope), between = r["h_ses.sds"], r["h_ses.correlation"]
    place = -between * level / slope
    spread = level * (1 - between**2) ** 0.5
    assert EXERCISES["14.3"]["answer"][:2] == pytest.approx([place, spread], rel=1e-4)  # lme4 stops short


SUBSET = {
    "se": "lmer_se", "mean": "formula_with_mean_n", "harmonic": "formula_with_harmonic_n",
    "complete": "cp_se", "cr1": "cr_CR1", "kr_se": "kr_se", "kr_df": "kr_df",
}  # fmt: skip


@pytest.mark.parametrize("key", [key for key in LEDGER.index if key.startswith("r.subset.")])
def test_what_is_stated_of_the_unbalanced_subsets_is_what_r_computes(reference, key):
    _, _, design, quantity = key.split(".")
    check_stated(key, reference("classrooms").whole["unbalanced"][design][SUBSET[quantity]])


FEW_FROM_R = {
    "r.few.t.lower": ("classrooms", "ci.t19", 0), "r.few.t.upper": ("classrooms", "ci.t19", 1),
    "r.few.wald.lower": ("classrooms", "ci.wald_z", 0), "r.few.wald.upper": ("classrooms", "ci.wald_z", 1),
    "r.df.nlme": ("classrooms", "pp.nlme_df", None),
    "r.df.satterthwaite": ("classrooms", "df.satterthwaite", None),
    "r.df.kenward_roger": ("classrooms", "df.kenward_roger", None),
    "r.df.hsb.intercept": ("hsb", "H4.df_satt", 0), "r.df.hsb.cses": ("hsb", "H4.df_satt", 1),
    "r.df.hsb.mean_ses": ("hsb", "H4.df_satt", 2), "r.df.hsb.catholic": ("hsb", "H4.df_satt", 3),
    "r.df.radon.se": ("radon", "M2.se", 2), "r.df.radon.kr_se": ("radon", "M2.kr_se", 2),
    "r.df.radon.satterthwaite": ("radon", "M2.satterthwaite_df", 2),
    "r.df.radon.kenward_roger": ("radon", "M2.kr_df", 2),
}  # fmt: skip


@pytest.mark.parametrize(("key", "by_r"), FEW_FROM_R.items())
def test_what_is_stated_of_few_groups_is_what_r_computes(reference, key, by_r):
    name, value, k = by_r
    found = reference(name)[value]
    check_stated(key, found if k is None else found[k])


def test_what_is_stated_of_the_five_classes_is_what_r_computes(reference):
    designs = reference("classrooms").whole["unbalanced"]
    five = designs["few_clusters5"]
    half = stats.t.ppf(0.975, five["kr_df"]) * five["kr_se"]
    ends = {"lower": five["lmer_estimate"] - half, "upper": five["lmer_estimate"] + half}
    for name, value in {
        "se": five["lmer_se"],
        "kr_se": five["kr_se"],
        "kr_df": five["kr_df"],
        **ends,
    }.items():
        check_stated(f"r.few.five.{name}", value)
    for name in ("sizes_1to10_twice", "half_small", "one_big", "few_clusters5"):
        check_stated(f"r.df.{name}.satterthwaite", designs[name]["satterthwaite_df"])


ROBUST = {
    "r.cr.cr0": "cr.CR0", "r.cr.cr1": "cr.CR1", "r.cr.cr1s": "cr.CR1S", "r.cr.cr2": "cr.CR2",
    "r.cr.cr3": "cr.CR3", "r.cr.cr2_df": "cr.CR2_df",
    "r.cr.mixed_cr0": "cr.mixed_CR0", "r.cr.mixed_cr2": "cr.mixed_CR2",
    "r.cr.half_small.cr0": "unbalanced.half_small.CR0", "r.cr.half_small.cr2": "unbalanced.half_small.CR2",
    "r.cr.half_small.cr3": "unbalanced.half_small.CR3",
    "r.cr.half_small.cr2_df": "unbalanced.half_small.CR2_df",
    "r.cr.sizes_1to10_twice.cr2": "unbalanced.sizes_1to10_twice.CR2",
    "r.cr.sizes_1to10_twice.cr2_df": "unbalanced.sizes_1to10_twice.CR2_df",
    "r.boot.rows": "boot.iid_exact", "r.boot.classes": "boot.cluster_exact",
    "r.boot.within": "boot.stratified_exact", "r.boot.two_stage": "boot.twostage_exact",
}  # fmt: skip


LONE = {"r.cr.lone.cr2": "lone_level.CR2", "r.cr.lone.lmer": "lone_level.lmer_plain"}


@pytest.mark.parametrize("key", [key for key in LEDGER.index if key.startswith(("r.cr.", "r.boot."))])
def test_what_is_stated_of_robust_and_resampled_errors_is_what_r_computes(reference, key):
    r = reference("classrooms")
    if key == "r.cr.sizes_1to10_twice.model":
        by_model = r.whole["unbalanced"]["sizes_1to10_twice"]["true_se_of_grand_mean_under_model"]
        check_stated(key, by_model)
    elif key.startswith("r.cr.lone."):  # of the constant, arm b and arm c
        check_stated(key, reference("cases")[LONE[key]][2])
    else:
        check_stated(key, r[ROBUST[key]])


@pytest.mark.parametrize(("key", "by_r"), [("residual", "cp.resid_quantiles"),
                                           ("scaled_residual", "pp.scaled_resid_quantiles")])  # fmt: skip
def test_the_quantiles_of_the_residuals_are_rs(reference, key, by_r):
    for name, value in zip(["min", "q1", "median", "q3", "max"], reference("classrooms")[by_r], strict=True):
        check_stated(f"answer.{key}.{name}", value)


# ---- exercises -----------------------------------------------------------------------------------


def reply(capsys, key, answer):
    check_exercise(key, answer)
    line = capsys.readouterr().out
    assert line.startswith(f"{key}: ")
    assert line.count("\n") == 1
    return line.removeprefix(f"{key}: ").strip()


def right(key):
    return EXERCISES[key]["answer"]


def wrong_answers():
    """Every documented wrong answer: exercise, the numbers (the right one for null), its hint."""
    return [
        pytest.param(
            key,
            [r if w is None else w for r, w in zip(exercise["answer"], hint["wrong"], strict=True)],
            hint["hint"],
            id=f"{key}-{k}",
        )
        for key, exercise in EXERCISES.items()
        for k, hint in enumerate(exercise["hints"], 1)
    ]


@pytest.mark.parametrize("key", EXERCISES)
def test_every_exercise_is_complete(key):
    exercise = EXERCISES[key]
    assert re.fullmatch(r"\d\d\.\d[a-z]?", key)
    assert len(exercise["what"]) == len(exercise["answer"]) > 0
    assert all(math.isfinite(number) for number in exercise["answer"])
    assert exercise["start"].endswith((".", "?"))
    assert exercise["hints"], "at least one wrong answer is foreseen"
    texts = [hint["hint"] for hint in exercise["hints"]]
    assert len(set(texts)) == len(texts)
    for hint in exercise["hints"]:
        assert len(hint["wrong"]) == len(exercise["answer"])
        assert any(number is not None for number in hint["wrong"])


@pytest.mark.parametrize("key", EXERCISES)
def test_the_solution_is_right(key, capsys):
    assert reply(capsys, key, right(key)) == "right."
    assert reply(capsys, key, tuple(right(key))) == "right."
    assert reply(capsys, key, np.array(right(key))) == "right."


@pytest.mark.parametrize("key", EXERCISES)
def test_the_solution_rounded_to_four_digits_is_right(key, capsys):
    assert reply(capsys, key, [float(f"{number:.4g}") for number in right(key)]) == "right."


@pytest.mark.parametrize("key", [key for key in EXERCISES if len(EXERCISES[key]["answer"]) == 1])
def test_one_number_needs_no_list(key, capsys):
    assert reply(capsys, key, right(key)[0]) == "right."
    assert reply(capsys, key, np.float64(right(key)[0])) == "right."


@pytest.mark.parametrize(("key", "answer", "hint"), wrong_answers())
def test_each_documented_wrong_answer_gets_its_own_hint_and_no_other(key, answer, hint, capsys):
    assert reply(capsys, key, answer) == f"not yet. {hint}"


@pytest.mark.parametrize(("key", "answer", "hint"), wrong_answers())
def test_each_documented_wrong_answer_rounded_to_four_digits_gets_its_hint(key, answer, hint, capsys):
    assert reply(capsys, key, [float(f"{number:.4g}") for number in answer]) == f"not yet. {hint}"


@pytest.mark.parametrize("key", EXERCISES)
def test_an_answer_off_in_the_third_digit_is_not_right(key, capsys):
    for k in range(len(right(key))):
        answer = list(right(key))
        answer[k] *= 1.004
        assert reply(capsys, key, answer) != "right."


@pytest.mark.parametrize("key", EXERCISES)
def test_an_answer_rounded_too_soon_is_asked_for_four_digits(key, capsys):
    rounded = [float(f"{number:.2g}") for number in right(key)]
    if any(abs(r - number) < 1e-4 * abs(number) for r, number in zip(rounded, right(key), strict=True)):
        pytest.skip("two digits are the number, or as good as")
    assert reply(capsys, key, rounded) == "nearly: give four digits, and round only at the end."


@pytest.mark.parametrize("key", EXERCISES)
def test_an_answer_far_off_gets_the_start(key, capsys):
    assert reply(capsys, key, [12345.678] * len(right(key))) == f"not yet. {EXERCISES[key]['start']}"


@pytest.mark.parametrize("key", [key for key in EXERCISES if len(EXERCISES[key]["answer"]) > 1])
def test_an_answer_right_in_part_hears_which_part(key, capsys):
    answer = [right(key)[0], *(12345.678 for _ in right(key)[1:])]
    text = reply(capsys, key, answer)
    assert EXERCISES[key]["what"][0] in text
    assert not any(name in text for name in EXERCISES[key]["what"][1:])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("key", EXERCISES)
@pytest.mark.parametrize(
    "answer", [[], [1.0] * 7, np.ones((3, 4)), "four", ["a"], object(), {"a": 1}, [[1], [2, 3]]]
)
def test_an_answer_of_the_wrong_shape_or_kind_hears_how_many_numbers_are_asked_for(key, answer, capsys):
    count = len(right(key))
    assert ("one number" if count == 1 else f"{count} numbers") in reply(capsys, key, answer)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("key", EXERCISES)
@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_an_answer_that_is_not_finite_hears_so(key, value, capsys):
    assert reply(capsys, key, [value] * len(right(key))) == "the answer must be finite."


@pytest.mark.parametrize("key", ["99.9", "", "1.1", None])
def test_an_exercise_that_is_not_there_is_named_with_those_that_are(key):
    with pytest.raises(KeyError, match=f"no exercise {re.escape(repr(key))}; there are .*01.1"):
        check_exercise(key, 1.0)


@pytest.mark.parametrize("key", EXERCISES)
def test_no_reply_holds_the_digits_of_the_solution(key, capsys):
    """Nor do the texts that a reply is made of: the digits, without point and leading zeros."""
    answers = [answer for _, answer, _ in (case.values for case in wrong_answers() if case.values[0] == key)]
    answers += [right(key), [12345.678] * len(right(key)), [math.nan] * len(right(key)), []]
    answers += [[number * 1.004 for number in right(key)], [float(f"{number:.2g}") for number in right(key)]]
    texts = [reply(capsys, key, answer) for answer in answers]
    texts += [EXERCISES[key]["start"], *EXERCISES[key]["what"], *(h["hint"] for h in EXERCISES[key]["hints"])]
    for number in right(key):
        for digits in (3, 4, 7):
            shown = f"{abs(number):.{digits}g}"
            for text in texts:
                numbers = re.findall(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", text)
                assert not any(n.startswith(shown) for n in numbers), (key, shown, text)


def test_the_file_of_the_exercises_has_every_id_once():
    text = files("helpers").joinpath("data", "exercises.json").read_text(encoding="utf-8")
    keys = [key for key, _ in json.loads(text, object_pairs_hook=lambda pairs: pairs)]
    assert len(keys) == len(set(keys)) == len(EXERCISES)


EXERCISES_FROM_R = {
    "01.1": [("classrooms", "claim.lower_bound")],
    "01.2": [("classrooms", "np.se_class_mean"), ("classrooms", "np.se_difference")],
    "01.3": [("hsb", "H0.formula_mean_n"), ("hsb", "H0.se"), ("hsb", "H0.formula_harm_n")],
    "07.1": [
        ("classrooms", "re.se_cond_formula"), ("classrooms", "re.se_classmean_pred_error"),
        ("classrooms", "re.naive_sum_se"),
    ],
    "08.3": [("hsb", "H1.weights")],
    "10.1": [("classrooms", "cr.CR1_formula"), ("classrooms", "cr.CR3"), ("classrooms", "cr.CR0")],
    "10.2": [("classrooms", f"boot.{key}_exact") for key in ("iid", "cluster", "stratified", "twostage")],
}  # fmt: skip


@pytest.mark.parametrize(("key", "ids"), EXERCISES_FROM_R.items())
def test_the_solutions_are_rs_values(reference, key, ids):
    by_r = [reference(name)[value] for name, value in ids]
    assert right(key) == pytest.approx(by_r, rel=1e-8)  # lme4's optimiser


# ---- the radon models ----------------------------------------------------------------------------

RADON_TERMS = {"intercept": 0, "floor": 1, "uranium": 2}


RADON_FROM_R = {
    "r.radon.m1.aic": ("M1.AIC", None), "r.radon.m1.deviance": ("M1.deviance_ML", None),
    "r.radon.figure.mean_sd": ("fig12_1.gh_mean_sd", None), "r.radon.figure.pooled_sd": ("np0.sigma", None),
    "r.radon.equation.off": ("M0.gh_eq12_1_maxdiff", None),
    "r.radon.slope.lower": ("book.slope_ci", 0), "r.radon.slope.upper": ("book.slope_ci", 1),
    "r.radon.equivalent.m1": ("book.equiv_n", None), "r.radon.equivalent.m2": ("book.equiv_n_M2", None),
    "r.radon.drop.m1.floor": ("dropzeros.M1.fixef", 1),
    "r.radon.county36.mean": ("np0.est", 35), "r.radon.county36.bar_book": ("fig12_1.gh_se", 35),
    "r.radon.county36.bar_pooled": ("np0.se", 35), "r.radon.county36.partial": ("M0.coef_intercept", 35),
    "r.radon.county36.se_full": ("M0.se_county_mean_full", 35),
    "r.radon.code.coef": ("M1.coef_intercept", 0), "r.radon.code.ranef": ("M1.ranef", 0),
    "r.radon.code.se_ranef": ("M1.se_ranef", 0), "r.radon.code.unpooled": ("np1.est", 0),
    "r.radon.code.house.mean": ("pred12_8.county26_point", None),
    "r.radon.code.house.sd": ("pred12_8.newhouse_sd", None),
    "r.radon.code.county.mean": ("pred12_8.newcounty_point", None),
    "r.radon.code.county.sd": ("pred12_8.newcounty_sd", None),
}  # fmt: skip


def radon_by_r(r, key):
    """R's value of a row of the ledger that starts with book.radon. or r.radon."""
    if key in RADON_FROM_R:
        by_r, k = RADON_FROM_R[key]
        return r[by_r] if k is None else r[by_r][k]
    *_, model, quantity = key.split(".")
    if quantity.startswith("sd_"):
        if ".plus." in key:
            return r[f"plus01.A{model[1]}.sds"][quantity == "sd_within"]
        return r[f"M{model[1]}." + {"sd_between": "sd_county", "sd_within": "sigma"}[quantity]]
    term, is_se = quantity.removesuffix("_se"), quantity.endswith("_se")
    start = f"plus01.A{model[1]}" if ".plus." in key else model.upper()
    start, estimates = ("lm1", "coef") if model == "lm1" else (start, "fixef")
    values = np.atleast_1d(r[f"{start}.{'se' if is_se else estimates}"])
    return values[RADON_TERMS[term]]


OF_RADON = re.compile(r"(book|r)\.radon\.(?!overall\.|short\.|m1\.dic|m[34]\.)")


@pytest.mark.parametrize("key", [key for key in LEDGER.index if OF_RADON.match(key)])
def test_what_is_stated_of_radon_is_what_r_computes(reference, key):
    check_stated(key, radon_by_r(reference("radon"), key))


def test_what_is_derived_of_radon_follows_from_rs_values(reference):
    r = reference("radon")
    check_stated("r.radon.m1.dic", 2 * r["M1.deviance_ML"] - r["M1.REMLcrit"])
    for m in "12":
        more = np.divide(r[f"M{m}.se_county_intercept_full"], r[f"M{m}.se_ranef"]) - 1
        check_stated(f"r.radon.short.m{m}", more.max())


def test_the_solutions_of_the_radon_exercises_are_rs_values(reference):
    r = reference("radon")
    assert right("11.1") == pytest.approx([*r["plus01.A1.fixef"], *r["plus01.A1.se"]], rel=1e-8)
    assert right("11.2") == pytest.approx([r["book.equiv_n"], r["book.equiv_n_M2"]], rel=1e-7)
    keys = ("data.nj", "np0.est", "fig12_1.gh_se", "np0.se", "M0.coef_intercept", "M0.se_county_mean_full")
    assert right("11.3") == pytest.approx([r[key][35] for key in keys], rel=1e-7)
