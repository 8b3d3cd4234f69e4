"""The report: R's numbers on files nobody made for it, warnings, a safe page, and errors for bad files."""

import io
import os
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import jupytext
import numpy as np
import pandas as pd
import polars as pl
import pytest

from helpers import compare, high_school, partial_pooling, radon
from helpers.course.stated import exercises
from helpers.report import report

ROOT = Path(__file__).parents[1]
# What is asked of each file, and the warnings that belong to it.
ASKED = {
    "airquality": (
        {"outcome": "Ozone", "group": "Month", "predictors": ["Temp"], "missing": "drop"},
        ["Missing values", "Very few groups", "A predictor of both levels"],
    ),
    "iris": ({"outcome": "Sepal.Length", "group": "Species"}, ["Very few groups"]),
    "dyestuff2": ({"outcome": "Yield", "group": "Batch"}, ["Very few groups", "Singular fit"]),
    "orthodont": (
        {"outcome": "distance", "group": "Subject", "predictors": ["age", "Sex"]},
        ["Few groups", "A group-level predictor"],
    ),
    "flights": ({"outcome": "arr_delay", "group": "carrier"}, ["Few groups", "Very unequal sizes"]),
}


def flights():
    """Rows with R's counts, sums and sums of squares: the rule of report.R, written out again."""
    parts = []
    for row in pd.read_csv(ROOT / "tests" / "reference" / "flights.csv").itertuples():
        pairs, mean = row.rows // 2, row.sum / row.rows
        step = np.sqrt((row.sum_of_squares - row.sum**2 / row.rows) / (2 * pairs))
        delays = mean + np.append(np.tile([step, -step], pairs), np.zeros(row.rows % 2))
        parts.append(pd.DataFrame({"carrier": row.carrier, "arr_delay": delays}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="session")
def files(tmp_path_factory, reference):
    """The five files, by name."""
    folder = tmp_path_factory.mktemp("files")
    for name, text in reference("report").whole["files"].items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    flights().to_csv(folder / "flights.csv", index=False)
    return {name: folder / f"{name}.csv" for name in ASKED}


@pytest.fixture(scope="session")
def reports(files):
    return {name: report.describe(report.read_table(files[name]), **ASKED[name][0]) for name in ASKED}


@pytest.fixture(scope="session")
def schools():
    return report.describe(high_school(), "math", "school", ["ses", "sector"])


def number(found, start, method, column):
    """A number of the table, by the start of its estimand and its method."""
    rows = found.table[found.table["estimand"].str.startswith(start) & (found.table["method"] == method)]
    assert len(rows) == 1
    return rows[column].iloc[0]


def leads(found):
    return [warning.split(":")[0] for warning in found.warnings]


def small(**more):
    """Twenty-four rows, four groups."""
    rng = np.random.default_rng(1)
    y = rng.normal(size=24) + np.repeat([0, 1, 2, 3], 6)
    return pd.DataFrame({"y": y, "g": np.repeat(list("abcd"), 6)}).assign(**more)


# ---- five files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ASKED)
def test_its_numbers_are_those_of_r(name, reports, reference):
    found, r = reports[name], reference("report")
    assert found.fit.nobs == r[f"{name}.n"]
    # The criterion that lme4 makes small has five digits less for the many flights: see the next test.
    close = {"rtol": 1e-6 if name != "flights" else 1e-4}
    estimate, se = np.atleast_1d(r[f"{name}.fixef"]), np.atleast_1d(r[f"{name}.se"])
    psi, theta = r[f"{name}.psi_theta"]
    np.testing.assert_allclose([found.fit.psi, found.fit.theta], [psi, theta], rtol=10 * close["rtol"])
    lme4 = partial_pooling(None, found.fit.data).bse
    slopes = [t for t in found.fit.params.index if t != "Intercept"]
    for k, start in enumerate(["mean of all groups", *(f"slope of {t} " for t in slopes)]):
        if name == "orthodont" and k != 1:
            continue  # R counts from the boys, here from the girls: below
        np.testing.assert_allclose(number(found, start, "partial pooling", "estimate"), estimate[k], **close)
        np.testing.assert_allclose(lme4.iloc[k], se[k], **close)
        ols = number(found, "mean of all rows" if not k else start, "complete pooling, CR2", "estimate")
        np.testing.assert_allclose(ols, np.atleast_1d(r[f"{name}.cp.coef"])[k], **close)
        if f"{name}.df_KR" in r.whole["values"]:
            for column in ("df", "se"):
                value = np.atleast_1d(r[f"{name}.{column}_KR"])[k]
                np.testing.assert_allclose(number(found, start, "partial pooling", column), value, rtol=1e-5)
        if f"{name}.CR2.se" in r.whole["values"]:
            start = "mean of all rows" if not k else start
            for column, key in (("se", "CR2.se"), ("df", "CR2.df")):
                value = number(found, start, "complete pooling, CR2", column)
                np.testing.assert_allclose(value, np.atleast_1d(r[f"{name}.{key}"])[k], **close)
    for column, key in (("estimate", "np.mean"), ("se", "np.mean_se")):
        np.testing.assert_allclose(
            number(found, "mean of these", "no pooling", column), r[f"{name}.{key}"], **close
        )


def test_the_flights_are_those_of_r_where_it_solves_the_score(reports, reference):
    fit = partial_pooling(None, reports["flights"].fit.data)
    found = [fit.params["Intercept"], fit.bse["Intercept"], fit.psi, fit.theta]
    np.testing.assert_allclose(found, reference("report")["flights.exact"], rtol=1e-9)


def test_a_text_predictor_counts_from_its_first_level_by_name(reports, reference):
    r, found = reference("report"), reports["orthodont"]
    girls = r["orthodont.fixef"][0] + r["orthodont.fixef"][2]
    assert number(found, "mean of all groups", "partial pooling", "estimate") == pytest.approx(
        girls, rel=1e-6
    )
    assert number(found, "slope of Sex", "partial pooling", "estimate") == pytest.approx(
        -r["orthodont.fixef"][2], rel=1e-6
    )
    assert "What goes with Sex = Male in place of Female?" in set(found.table["question"])
    for column, key in (("se", "se"), ("df", "df_KR")):
        value = number(found, "slope of Sex", "partial pooling", column)
        assert value == pytest.approx(r[f"orthodont.{key}"][2], rel=1e-6)


@pytest.mark.parametrize("name", ASKED)
def test_its_warnings_are_the_right_ones(name, reports):
    assert leads(reports[name]) == ASKED[name][1]


@pytest.mark.parametrize("name", ASKED)
def test_the_command_writes_a_page_in_seconds(name, files, tmp_path):
    asked = ASKED[name][0]
    arguments = [files[name], "--outcome", asked["outcome"], "--group", asked["group"]]
    arguments += ["--predictors", *asked["predictors"]] if "predictors" in asked else []
    arguments += ["--missing", "drop"] if "missing" in asked else []
    before = os.times()
    run = command(*arguments, cwd=tmp_path)
    after = os.times()
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    used = after.children_user + after.children_system - before.children_user - before.children_system
    assert used < 5  # of the processor: what a clock says depends on who else is at work
    page = (tmp_path / f"{name}-report.html").read_text(encoding="utf-8")
    for lead in ASKED[name][1]:
        assert f"<strong>{lead}:</strong>" in page
    assert f"{name}-report.html" in run.stdout.splitlines()[-1]


# ---- the table and the words ---------------------------------------------------------------------


def test_the_table_holds_what_compare_says_and_what_the_fit_predicts(schools):
    data, formula = high_school(), "math ~ center(ses) + sector"
    expected = compare(formula, data, groups="school")
    numbers = ["estimate", "se", "df", "lower", "upper"]
    fit = partial_pooling(formula, data, groups="school").with_df("kenward-roger")
    adjusted = fit.conf_int().assign(estimate=fit.params, se=fit.bse, df=fit.df)[numbers]
    kenward_roger = dict(zip(expected.index[[5, 9, 12]], adjusted.to_numpy(), strict=True))
    for row in expected.itertuples():
        same = schools.table[schools.table["method"] == row.method]
        values = kenward_roger.get(row.Index, [getattr(row, name) for name in numbers])
        assert np.isclose(same[numbers], values, rtol=1e-9, atol=0).all(axis=1).any(), row
    for start, predicted in (("mean of a new", fit.new_group()), ("one row", fit.new_observation())):
        values = [number(schools, start, "partial pooling", c) for c in ("estimate", "se", "df")]
        assert values == pytest.approx(predicted)


def test_the_finite_population_is_r_s(reference):
    for K in (160, 200, 320, 1000):
        found = report.describe(high_school(), "math", "school", population=K)
        values = [number(found, f"mean of {K} groups", "partial pooling", c) for c in ("estimate", "se")]
        np.testing.assert_allclose(values, reference("report")[f"hsb.K{K}"], rtol=1e-6)
        assert ("A finite population" in leads(found)) is True
    found = report.describe(high_school(), "math", "school", population=10_000)
    assert "A finite population" not in leads(found)
    assert "10000 groups they were drawn from" in found.sentence


def test_levels_say_where_a_predictor_varies(schools):
    ses, sector = schools.levels
    data = high_school()
    between = ((data["mean_ses"] - data["ses"].mean()) ** 2).sum()
    assert ses == pytest.approx(between / ((data["ses"] - data["ses"].mean()) ** 2).sum())
    assert sector == 1
    inner = data.assign(within=data["ses"] - data["mean_ses"])
    found = report.describe(inner, "math", "school", ["within", "mean_ses"])
    # The slopes of ses do differ from school to school: 0.129 by CR2, 0.109 if they did not.
    assert leads(found) == ["A slope that differs", "A group-level predictor"]
    assert found.levels["within"] == 0
    assert "more than there are groups" not in found.warnings[1]
    assert "within groups only" in found.text


def test_a_predictor_whose_group_means_are_there_too_is_not_called_mixed():
    data = high_school()
    assert "A predictor of both levels" in leads(report.describe(data, "math", "school", "ses"))
    found = report.describe(data, "math", "school", ["ses", "mean_ses"])
    assert "A predictor of both levels" not in leads(found)


def test_a_predictor_without_a_group_part_is_not_called_mixed():
    x = np.random.default_rng(4).normal(size=24)
    assert "A predictor of both levels" not in leads(report.describe(small(x=x), "y", "g", "x"))


def test_the_sentence_holds_the_numbers(schools):
    fit = schools.fit
    for text in ("7185 rows", "160 groups of school", f"psi = {fit.psi:.3f}", f"theta = {fit.theta:.2f}",
                 f"{fit.icc:.3f}", "REML", "(Kenward-Roger SE ", "95% CI", "the slope of ses was",
                 "the difference of sector public from catholic was",
                 "where ses is at its mean (0.0001434) and sector is catholic"):  # fmt: skip
        assert text in schools.sentence
    assert f"{fit.params['ses']:.3f} (Kenward-Roger SE {fit.bse['ses']:.3f}" in schools.sentence


def test_a_singular_fit_says_what_is_not_excluded(reports):
    found = reports["dyestuff2"]
    high = np.sqrt(found.fit.profile_int().loc["psi", "upper"])
    assert f"profile interval of its root 0 to {high:.3f}" in found.sentence
    assert "(Kenward-Roger SE " in found.sentence
    assert ", df 5.0, " in found.sentence


def test_every_line_of_text_fits_the_page(reports, schools):
    for found in (*reports.values(), schools):
        assert max(map(len, repr(found).splitlines())) <= 79


def test_slopes_within_and_the_group_means_beside_them_may_have_more_df_than_groups():
    rng = np.random.default_rng(8)
    data = small(x=rng.normal(size=24) + np.repeat([0.0, 0.2, 0.1, 0.3], 6))
    data["mean_x"] = data.groupby("g")["x"].transform("mean")
    found = report.describe(data, "y", "g", ["x", "mean_x"])
    own = found.fit.df["mean_x"]
    assert ("more than there are groups" in repr(found).replace("\n", " ")) == (own > 4)


def unequal():
    """Ten unequal groups, with a psi above 0, and a predictor."""
    rng = np.random.default_rng(6)
    g = np.repeat(np.arange(10), [2, 3, 3, 5, 8, 2, 12, 4, 9, 3])
    hours = rng.gamma(4, 2, len(g))
    y = 10 + 2 * rng.normal(size=10)[g] + rng.normal(size=len(g)) + 0.3 * hours
    return pd.DataFrame({"score": y, "school": g, "hours": hours})


def test_the_table_the_sentence_and_the_warnings_have_one_standard_error():
    data = unequal()
    data["score"] -= 0.825 * data.groupby("school")["score"].transform("mean")  # a small psi: here they part
    found = report.describe(data, "score", "school", ["hours"])
    fit = partial_pooling("score ~ center(hours)", data, "school")
    adjusted = fit.with_df("kenward-roger")
    assert adjusted.bse["Intercept"] > 1.01 * fit.bse["Intercept"]
    for start, term in (("mean of all groups", "Intercept"), ("slope of hours", "center(hours)")):
        for column, values in (("se", adjusted.bse), ("df", adjusted.df)):
            assert number(found, start, "partial pooling", column) == pytest.approx(values[term], rel=1e-9)
        assert (
            f"Kenward-Roger SE {report._fixed([adjusted.bse[term]], adjusted.bse[term])[0]}" in found.sentence
        )
    assert "own SE" not in "".join(found.warnings)
    assert "lme4 prints the same standard error" in found.to_html()


def flat(**more):
    """Sixty rows of six groups, more alike than chance has them, if not by much."""
    y = np.random.default_rng(3).normal(size=60)
    g = np.repeat(list("abcdef"), 10)
    y -= 0.3 * pd.Series(y).groupby(g).transform("mean").to_numpy()
    return pd.DataFrame({"y": y, "g": g}).assign(**more)


def test_where_psi_is_0_df_count_what_the_question_is_of():
    data = flat(x=np.tile(np.arange(10.0) ** 2, 6), w=np.repeat([1.0, 5, 2, 8, 3, 4], 10))
    found = report.describe(data, "y", "g", ["x", "w"])
    assert found.fit.singular
    asked = ("mean of all groups", "slope of x", "slope of w", "mean of a new", "one row")
    df = [number(found, start, "partial pooling", "df") for start in asked]
    # Balanced, each predictor on one level: J - 2 and N - J - 1; a new row has a mean of 4 and 53 df.
    assert df[:4] == pytest.approx([4, 53, 4, 4], rel=1e-9)
    assert 4 < df[4] < 57
    assert found.sentence.count(", df 4.0, ") == 2
    assert ", df 53.0, " in found.sentence
    by = dict(zip(leads(found), found.warnings, strict=True))
    assert "use t on the df of the table" in by["Very few groups"]
    robust = number(found, "slope of w", "complete pooling, CR2", "se")
    told = by["A group-level predictor"]
    assert "on 4.0 df. As psi is 0, no variance between groups is in that SE; CR2 has" in told
    assert report._fixed([robust], number(found, "slope of w", "partial pooling", "se"))[0] in told
    assert "As if rows were independent" not in told
    two = flat(w=np.repeat([1.0, 2], 30), g=np.repeat(["a", "b"], 30))
    with pytest.raises(ValueError, match="2 groups and 2 terms"):
        report.describe(two, "y", "g", ["w"])


@pytest.mark.parametrize(
    ("outcome", "predictors", "message"),
    [
        ("y", ["x**2"], r"'x\*\*2' is in a formula nothing but 'x'; .* 'I\(x\*\*2\)'"),
        ("y", ["x ^ 2"], "nothing but 'x'"),
        ("y", ["x:x"], "nothing but 'x'"),
        ("y", ["np.sqrt(x)**2"], r"nothing but 'np.sqrt\(x\)'"),
        ("y", ["x", "x**2"], "nothing but 'x'"),
        ("y", ["x", "w", "x*w", "x:w"], "'x:w' brings nothing"),
        ("y", ["x + w**2"], "more than one term"),
        ("y**2", ["x"], "nothing but 'y'"),
        ("y", ["x,w"], "these are 2 columns, to be named one by one"),
        ("y", ["x w"], "these are 2 columns, to be named one by one"),
    ],
)
def test_a_term_that_is_another_to_a_formula_is_refused(outcome, predictors, message):
    data = small(x=np.arange(24.0) % 7, w=np.arange(24.0) % 5)
    with pytest.raises(ValueError, match=message):
        report.describe(data, outcome, "g", predictors)


def test_powers_and_products_are_taken_when_written_so():
    data = small(x=np.arange(24.0) % 7, w=np.arange(24.0) % 5)
    for predictors, terms in (
        (["x", "I(x**2)"], ["x", "I(x ** 2)"]), (["(x + w)**2"], ["x", "w", "x:w"]),
        (["x", "np.log(x + 1)"], ["x", "np.log(x + 1)"]), (["center( x )"], ["center(x)"]),
    ):  # fmt: skip
        found = report.describe(data, "y", "g", predictors)
        assert list(found.levels.index) == terms


def test_means_are_where_each_term_has_its_mean():
    data = unequal().assign(log=lambda d: np.log(d["hours"]))
    found = report.describe(data, "score", "school", ["np.log(hours)"])
    by_hand = partial_pooling("score ~ center(log)", data, "school").with_df("kenward-roger")
    for column, values in (("estimate", by_hand.params), ("se", by_hand.bse), ("df", by_hand.df)):
        value = number(found, "mean of all groups", "partial pooling", column)
        assert value == pytest.approx(values["Intercept"], rel=1e-9)
    assert f"where np.log(hours) is at its mean ({data['log'].mean():.4g})," in found.sentence
    plain, centred, far = (
        report.describe(unequal().assign(hours=lambda d, k=k: d["hours"] + k), "score", "school", [term])
        for k, term in ((0, "hours"), (0, "center(hours)"), (1000, "hours"))
    )
    numbers = ["estimate", "se", "df", "lower", "upper"]
    for other in (centred, far):
        np.testing.assert_allclose(other.table[numbers], plain.table[numbers], rtol=1e-6)
    assert "where hours is at its mean, was" in centred.sentence
    assert "the slope of hours was" in centred.sentence
    assert "center(" not in centred.sentence + centred.text


def test_products_with_a_text_column_leave_the_means_where_they_are():
    data = unequal().assign(kind=np.resize(["low", "high", "mid"], 51))
    found = report.describe(data, "score", "school", ["hours*kind"])
    by_hand = partial_pooling("score ~ center(hours)*kind", data, "school").with_df("kenward-roger")
    value = number(found, "mean of all groups", "partial pooling", "estimate")
    assert value == pytest.approx(by_hand.params["Intercept"], rel=1e-9)
    assert "hours is at its mean" in found.where
    assert "kind is at its first level" in found.where
    assert "the slope of hours:kind = low was" in found.sentence


def test_an_outcome_of_two_values_has_no_interval_for_one_row():
    found = report.describe(small(y=np.tile([0, 1, 1], 8)), "y", "g")
    assert not found.table["estimand"].str.startswith("one row").any()
    assert "Intervals may leave 0 to 1" in found.warnings[0]
    assert "shares are near 0 or 1" in found.warnings[0]
    # Every group has the mean 2/3: no spread to take an error from, and none is given.
    told = [w for w in found.warnings if w.startswith("Less alike than strangers")]
    assert "Every g has the same mean" in told[0]
    none = found.table.loc[found.table["se"].isna(), "estimand"].tolist()
    assert none == ["mean of a new group", "mean of all rows"]
    assert "no SE: every g has the same mean" in found.text
    assert "was 0.6667 (no standard error: see the warnings)" in found.sentence


def test_the_one_group_is_the_one_that_is_named():
    data = unequal()
    fit = partial_pooling("score ~ 1", data, "school")
    for one in (3, "3"):
        found = report.describe(data, "score", "school", one=one)
        pooled = number(found, "mean of one group", "partial pooling", "se")
        assert pooled == pytest.approx(fit.group_means["se_unconditional"][3], rel=1e-12)
        assert "mean of school 3 known (5 rows)?" in found.text
    assert "mean of school 6 known (12 rows, the largest group)?" in report.describe(
        data, "score", "school"
    ).text.replace("\n", " ")
    with pytest.raises(ValueError, match=r"no group 'S7' in 'school', which has 10"):
        report.describe(data, "score", "school", one="S7")
    with pytest.raises(ValueError, match=r"no group 'S07'.*did you mean 'S7'"):
        report.describe(data.assign(school="S" + data["school"].astype(str)), "score", "school", one="S07")


def test_the_one_group_keeps_its_own_group_level_predictors():
    data = high_school()
    found = report.describe(data, "math", "school", ["ses", "sector"], one=1224)
    assert data.loc[data["school"] == 1224, "sector"].iloc[0] == "public"  # the means of all are catholic
    public = data.assign(catholic=(data["sector"] == "catholic") * 1.0)
    own = partial_pooling("math ~ center(ses) + catholic", public, "school")
    values = [number(found, "mean of one group", "partial pooling", c) for c in ("estimate", "se", "lower")]
    expected = own.group_means.loc[1224, ["estimate", "se_unconditional"]]
    assert values == pytest.approx([*expected, own.group_means_int().loc[1224, "lower"]], rel=1e-9)
    row = found.table[found.table["estimand"].str.startswith("mean of one group")]
    assert not row["estimand"].str.contains("catholic").any()


def test_names_alike_are_told():
    data = small(g=["A"] * 6 + ["A "] * 6 + ["a"] * 6 + ["b"] * 6, sex=["M", "m", "f", "f"] * 6)
    found = [w for w in report.describe(data, "y", "g", ["sex"]).warnings if w.startswith("Names alike")]
    assert found[0].startswith("Names alike: 'A' and 'A ' and 'a' are 3 groups of g.")
    assert found[1].startswith("Names alike: 'M' and 'm' are 2 levels of sex.")


def test_values_far_off_are_told_and_others_not():
    data = unequal()
    data.loc[[3, 9], "score"] = -99
    found = report.describe(data, "score", "school")
    assert "Values far off: score has -99 in 2 rows; the nearest other value is" in found.warnings[0]
    assert f"score goes from -99 to {data['score'].max():.6g}." in found.grouping
    data["hours"] = data["hours"].where(np.arange(51) != 5, 999)
    assert (
        "Values far off: hours has 999 in 1 row;"
        in report.describe(data, "score", "school", "hours").warnings[1]
    )
    for rows in (np.arange(51.0), np.random.default_rng(1).normal(size=51), np.arange(51) % 2):
        assert "Values far off" not in leads(report.describe(unequal().assign(score=rows), "score", "school"))


def test_a_code_taken_for_a_number_is_questioned():
    data = unequal()
    for values, asked in (
        ((1, 2, 3), True),
        ((2000, 2001, 2002), True),
        ((8, 10, 12), False),
        ((0, 1), False),
    ):
        found = report.describe(data.assign(k=np.resize(values, 51)), "score", "school", ["k"])
        assert ("Perhaps a category" in leads(found)) is asked
    found = report.describe(data.assign(k=np.resize([1, 2, 3], 51)), "score", "school", ["C(k)"])
    assert "Perhaps a category" not in leads(found)
    assert "C(k) is at its first level" in found.where


def test_large_numbers_are_rounded_in_words():
    data = small()
    found = report.describe(data.assign(y=1e9 * data["y"]), "y", "g")
    assert re.search(r"psi = \d\.\d+e\+\d\d,", found.sentence)
    assert report._fixed([1234567.8, 1234.5], 1234.5) == ["1234568", "1234"]


@pytest.mark.parametrize("name", ["orthodont", "dyestuff2", "airquality"])
def test_the_code_gives_the_same_numbers(name, reports, files):
    found, asked = reports[name], ASKED[name][0]
    space = {"partial_pooling": partial_pooling, "data": report.read_table(files[name])}
    fit = eval(found.code[0], space)
    np.testing.assert_allclose(fit.params, found.fit.params, rtol=1e-9)
    np.testing.assert_allclose(fit.bse, found.fit.bse, rtol=1e-7)
    assert ("na.omit" in found.code[1]) is ("missing" in asked)


def test_more_warnings():
    two = small(y=np.tile([0, 1, 1], 8))
    assert "Two values" in leads(report.describe(two, "y", "g"))
    identity = pd.DataFrame({"y": [1.0, 2, 4, 3, 7, 5], "g": [1, 1, 2, 3, 4, 5]})
    assert "A group for each row, nearly" in leads(report.describe(identity, "y", "g"))
    ones = small(g=["a"] + ["b"] * 7 + ["c"] * 8 + ["d"] * 8)
    assert "Groups of one row" in leads(report.describe(ones, "y", "g"))
    assert "Very unequal sizes" in leads(report.describe(ones, "y", "g"))
    rng = np.random.default_rng(2)
    many = pd.DataFrame({"g": np.repeat(np.arange(60), 8)})
    many["y"] = rng.normal(size=480) + rng.normal(size=60)[many["g"]] + 12 * (many["g"] == 7)
    assert leads(report.describe(many, "y", "g")) == ["A group far out"]
    quiet = report.describe(many[many["g"] != 7], "y", "g")
    assert quiet.warnings == []
    assert "Nothing that this report looks for" in quiet.to_html()


def test_polars_gives_the_same():
    data = small()
    expected = report.describe(data, "y", "g").table
    pd.testing.assert_frame_equal(report.describe(pl.from_pandas(data), "y", "g").table, expected)


def test_a_term_may_be_the_outcome_and_a_predictor():
    found = report.describe(radon().query("radon > 0"), "np.log(radon)", "county", ["center(log_uranium)"])
    assert found.outcome == "np.log(radon)"
    assert "A group-level predictor" in leads(found)
    assert found.code[1] is None


def test_levels_of_the_intervals():
    wide, usual = (report.describe(small(), "y", "g", level=level) for level in (0.99, 0.95))
    assert (wide.table["upper"] > usual.table["upper"]).all()
    assert "99% CI" in wide.sentence


# ---- names from somebody's file ------------------------------------------------------------------

NASTY = [
    '<script>alert("x")</script>', "a & b", 'say "it"', "it's", "$x_1$", "=cmd()", "-1", "naïve ü", "{0}",
    "np.log(x)", "__import__('os').system('x')", "class", "my score", "%s", "\\alpha", "C", "0",
]  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_any_name_is_a_name_and_nothing_else(name):
    data = small().rename(columns={"y": name, "g": name + " g"})
    data[name + " x"] = np.random.default_rng(5).normal(size=24)
    data[name + " g"] = name + " " + data[name + " g"]
    if name == "C":
        data = data.rename(columns={"C": "y"})
    outcome = data.columns[0]
    found = report.describe(data, outcome, name + " g", [name + " x"])
    page = found.to_html(title=name)
    tags = Tags(page)
    assert tags.faults == []
    assert "script" not in tags.seen
    for line in pd.read_csv(io.StringIO(found.to_csv()), dtype=str)[
        ["question", "estimand", "method"]
    ].to_numpy():
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in line)
    reference = report.describe(small(x=data[name + " x"]), "y", "g", "x").table
    pd.testing.assert_frame_equal(found.table.iloc[:, 3:], reference.iloc[:, 3:])


@pytest.mark.parametrize("name", ["a`b", "a|b", "", "1", "two\nlines", "Intercept"])
def test_a_name_that_no_formula_can_hold_is_refused(name):
    with pytest.raises(ValueError, match="rename"):
        report.describe(small(**{name: 1.0}), "y", "g", [name])


def test_a_group_column_may_have_any_name():
    for name in ("a`b", "a|b", "", "1", "two\nlines", "Intercept"):
        found = report.describe(small().rename(columns={"g": name}), "y", name)
        assert Tags(found.to_html()).faults == []
        assert len(found.table) == 8


def test_a_field_that_looks_like_a_formula_is_made_text(monkeypatch):
    found = report.describe(small(), "y", "g")
    monkeypatch.setitem(found.__dict__, "table", found.table.assign(estimand="=HYPERLINK(1)"))
    assert "'=HYPERLINK(1)" in found.to_csv()


def test_no_term_runs_code():
    for term in ("__import__('os').getcwd()", "exec('1')", "y.__class__()"):
        with pytest.raises(ValueError, match=r"refused|cannot be read"):
            report.describe(small(x=1.0), "y", "g", [term])


# ---- the page ------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Reads a page; keeps its tags, what it links to, and what does not close."""

    VOID = frozenset({"meta", "img", "br", "source"})

    def __init__(self, page):
        super().__init__()
        self.seen, self.links, self.faults, self.open, self.attributes = [], [], [], [], []
        self.feed(page)
        self.close()
        self.faults += self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes.append((tag, dict(attrs)))
        self.links += [value for name, value in attrs if name in ("href", "src", "srcset", "action", "style")]
        self.faults += [name for name, _ in attrs if name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}>")


def test_the_page_is_whole_and_needs_nothing_else(schools):
    page = schools.to_html()
    tags = Tags(page)
    assert page.startswith("<!DOCTYPE html>")
    assert tags.faults == []
    assert len(tags.links) == 2  # the figure for a wide screen and for a phone
    assert all(link.startswith("data:image/png;base64,") for link in tags.links)
    assert not {"script", "link", "iframe", "object", "form", "a"} & set(tags.seen)
    assert "://" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert "@import" not in page
    assert "url(" not in page
    by = dict(tags.attributes)
    assert by["html"] == {"lang": "en"}
    assert len(by["img"]["alt"]) > 100
    assert {"title", "h1", "h2", "caption", "main"} <= set(tags.seen)
    assert all(attrs.get("scope") for tag, attrs in tags.attributes if tag == "th")
    assert tags.seen.count("h1") == 1


def test_the_page_has_the_same_bytes_each_time(schools):
    again = report.describe(high_school(), "math", "school", ["ses", "sector"])
    assert schools.to_html() == schools.to_html() == again.to_html()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_accessible(schools, tmp_path, browser, axe, scheme, width):
    path = tmp_path / "page.html"
    path.write_text(schools.to_html("hsb.csv"), encoding="utf-8")
    viewport = {"width": width, "height": 900}
    context = browser.new_context(color_scheme=scheme, viewport=viewport, bypass_csp=True)
    page = context.new_page()
    page.goto(path.as_uri())
    page.add_script_tag(path=axe)
    faults = page.evaluate(
        'async () => (await axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", '
        '"best-practice"] })).violations.map((fault) => fault.id)'
    )
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    context.close()
    assert faults == []
    assert overflow <= 0


# ---- files ---------------------------------------------------------------------------------------


def file(tmp_path, content, name="data.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


BODY = [("a", "1.5", "2"), ("a", "2.5", "1"), ("b", "3.5", "4"), ("b", "1.25", "3")]


def written(separator, decimal=".", names=("g", "y", "x")):
    lines = [names, *BODY]
    return "\n".join(separator.join(v.replace(".", decimal) for v in line) for line in lines) + "\n"


@pytest.mark.parametrize(
    "content",
    [
        written(","), written(";"), written("\t"), written("|"), written(";", ","), written("\t", ","),
        written(",").replace("\n", "\r\n"), "\ufeff" + written(","), written(";", ",").encode("utf-16"),
        written(", "), written(",").replace("g,y,x", '"g","y","x"'),
    ],
)  # fmt: skip
def test_every_kind_of_text_gives_the_same_table(tmp_path, content):
    frame = report.read_table(file(tmp_path, content))
    assert list(frame.columns) == ["g", "y", "x"]
    assert frame["y"].tolist() == [1.5, 2.5, 3.5, 1.25]
    assert frame["x"].tolist() == [2, 1, 4, 3]


def test_how_the_file_was_read_is_said(tmp_path):
    assert report.read_table(file(tmp_path, written(";", ","))).attrs["read"] == (
        "fields separated by semicolon, decimal comma"
    )


def test_commas_in_quotes_do_not_separate(tmp_path):
    text = 'g,y\n"a, b",1\n"a, b",2\n"c\nd",3\n"c\nd",4\n'
    frame = report.read_table(file(tmp_path, text))
    assert frame["g"].tolist() == ["a, b", "a, b", "c\nd", "c\nd"]
    assert frame.index.tolist() == [2, 3, 5, 7]


def test_parquet_is_read(tmp_path):
    small().to_parquet(tmp_path / "data.parquet")
    found = report.describe(report.read_table(tmp_path / "data.parquet"), "y", "g")
    assert found.fit.nobs == 24
    with pytest.raises(ValueError, match="cannot be read as Parquet"):
        report.read_table(file(tmp_path, b"PAR1 and nothing", "bad.parquet"))


BAD_FILES = {
    "empty": (b"", "is empty"),
    "blank": (b"\n \n", "is empty"),
    "binary": (bytes(range(256)) * 4, "is no text"),
    "workbook": (b"PK\x03\x04 and more", "is a workbook"),
    "latin": ("g,y\né,1\n".encode("latin-1"), "is not utf-8: line 2 has the byte 0xe9"),
    "one column": (b"y\n1\n2\n", "'y', is one field, whether"),
    "title": (
        b"My survey\ng,y\na,1\n",
        "'My survey', is one field, whether comma, semicolon, tab or bar "
        "separates; it must hold the names of the columns, two or more. Others have more: if line 1 is",
    ),
    "twice": (b"g,y,y\na,1,2\n", "two columns called 'y'"),
    "row names": (b"g,y\n1,a,2\n2,b,3\n", "one field more"),
    "long line": (b"g,y\na,1\na,2\na,1,2\n", "line 4 has 3 fields, the first 2"),
    "open quote": (b'g,y\n"a,1\na,2\n', "cannot be read"),
    "in doubt": (b"g;a,y;b\n1;2,3;4\n1;2,3;4\n", "may be separated by comma or semicolon"),
    "both marks": (b"g;y;x\na;1,5;1.25\nb;2,5;2.5\n", "decimal point and with a decimal comma"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_in_words(name, tmp_path):
    content, message = BAD_FILES[name]
    with pytest.raises(ValueError, match=re.escape(message)):
        report.read_table(file(tmp_path, content))


def test_a_file_that_is_not_there_is_refused_with_a_hint(tmp_path):
    file(tmp_path, "g,y\n", "scores.csv")
    with pytest.raises(ValueError, match=r"no file .*did you mean 'scores.csv'"):
        report.read_table(tmp_path / "score.csv")
    file(tmp_path, "g,y\n", "one.csv")
    with pytest.raises(
        ValueError, match=re.escape(f"no file 'nofile.csv' in {str(tmp_path.resolve())!r}") + "$"
    ):
        report.read_table(tmp_path / "nofile.csv")
    with pytest.raises(ValueError, match="is no file"):
        report.read_table(tmp_path)
    with pytest.raises(ValueError, match="the table has no rows"):
        report.describe(report.read_table(tmp_path / "scores.csv"), "y", "g")


def test_what_was_said_is_heeded(tmp_path):
    path = file(tmp_path, "g;y\né;1,5\né;2\nb;3\nb;4\n".encode("latin-1"))
    frame = report.read_table(path, separator=";", decimal=",", encoding="latin-1")
    assert frame["y"].tolist() == [1.5, 2, 3, 4]
    for wrong, message in (
        ({"separator": "x"}, "separator must be"),
        ({"decimal": ";"}, "decimal must be"),
        ({"encoding": "klingon"}, "no encoding 'klingon'"),
    ):
        with pytest.raises(ValueError, match=message):
            report.read_table(path, **wrong)


# ---- what describe refuses -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"outcome": "z"}, ValueError, "no column 'z' among y, g, x, t, n, m, id"),
        ({"group": "gg"}, ValueError, "no column 'gg'.*did you mean 'g'"),
        ({"predictors": ["zz"]}, ValueError, "no column 'zz'"),
        ({"outcome": "t"}, ValueError, "outcome 't' holds text, such as 'low' in row 0"),
        ({"outcome": "n"}, ValueError, "outcome 'n' holds numbers stored as text"),
        ({"predictors": ["n"]}, ValueError, "predictor 'n' holds numbers stored as text"),
        ({"outcome": "m"}, ValueError, r"outcome 'm' holds text, such as 'n/k' in row 3 \(1 of 24"),
        ({"predictors": ["m"]}, ValueError, "predictor 'm' holds text, such as 'n/k' in row 3"),
        ({"group": "y"}, ValueError, "outcome and group are the same column"),
        ({"predictors": ["y"]}, ValueError, "used already"),
        ({"predictors": ["x", "x"]}, ValueError, "used already"),
        ({"predictors": ["x - 1"]}, ValueError, "no column 'x - 1'"),
        ({"predictors": ["y ~ x"]}, ValueError, "whole formula"),
        ({"group": "id"}, ValueError, "every id has one row only"),
        ({"predictors": ["id:x", "np.nosuch(x)"]}, ValueError, "refused"),
        ({"population": 3}, ValueError, "must be at least 4"),
        ({"population": "3"}, TypeError, "population must be a number"),
        ({"level": 1.5}, ValueError, "level must lie between"),
        ({"level": 95}, ValueError, r"level must lie between 0 and 1; got 95: did you mean 0\.95"),
        ({"level": "x"}, TypeError, "level must be a number"),
        ({"outcome": 3}, TypeError, "outcome must be the name"),
        ({"predictors": [3]}, TypeError, "a predictor must be the name"),
        ({"missing": "skip"}, ValueError, "missing must be"),
        ({"data": 7}, TypeError, "data must be a data frame"),
    ],
)
def test_what_cannot_be_answered_is_refused(change, error, message):
    n = [str(k) for k in range(24)]
    data = small(x=np.arange(24.0) ** 2, t=["low", "high"] * 12, n=n, m=[*n[:3], "n/k", *n[4:]], id=range(24))
    with pytest.raises(error, match=message):
        report.describe(**({"data": data, "outcome": "y", "group": "g"} | change))


def test_missing_values_one_group_and_too_many_labels_are_refused():
    with pytest.raises(ValueError, match="lacks 1 of 24 values"):
        report.describe(small(y=[None, *range(23)]), "y", "g")
    with pytest.raises(ValueError, match="one group only"):
        report.describe(small(g="a"), "y", "g")
    many = pd.concat([small(t=[f"{k} kg {i}" for i in range(24)]) for k in range(3)])
    with pytest.raises(ValueError, match="text of 72 different values"):
        report.describe(many, "y", "g", ["t"])


def test_the_place_of_a_fault_is_its_line_in_the_file(tmp_path):
    gaps = "g,y,x\n\na,1,2\na,,3\nNA,3,1\nb,4,\n"
    with pytest.raises(
        ValueError, match=r"'x' lacks 1 of 4 .* in line 6; .*'y' lacks 1 .* line 4; .*'g' .* 5 \("
    ):
        report.describe(report.read_table(file(tmp_path, gaps)), "y", "g", ["x"])
    text = "g;y\na;1\na;n/k\nb;3\nb;4\n"
    with pytest.raises(ValueError, match="such as 'n/k' in line 3"):
        report.describe(report.read_table(file(tmp_path, text)), "y", "g")
    marks = "g;y\na;1.100,50\na;2.000,00\nb;3,5\nb;4,5\n"
    with pytest.raises(ValueError, match=r"'1\.100,50' in line 2.*save numbers without thousands marks"):
        report.describe(report.read_table(file(tmp_path, marks)), "y", "g")


def test_a_refusal_comes_without_the_modules_below():
    with pytest.raises(ValueError, match="lacks") as refused:
        report.describe(small(y=[None, *range(23)]), "y", "g")
    assert [Path(entry.path).name for entry in refused.traceback] == ["test_report.py", "report.py"]


# ---- the command ---------------------------------------------------------------------------------


def command(*arguments, cwd):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    call = [sys.executable, "-W", "error", "-m", "helpers", "report", *map(str, arguments)]
    return subprocess.run(call, capture_output=True, text=True, cwd=cwd, env=environment)


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (None, ["--outcome", "y", "--group", "g"], "no file 'data.csv'"),
        (b"\x00\x01", ["--outcome", "y", "--group", "g"], "is no text"),
        (b"g,y\na,1\na,\nb,3\nb,5\n", ["--outcome", "y", "--group", "g"], "say --missing drop"),
        (b"g,y\na,1\na,2\nb,3\nb,5\n", ["--outcome", "z\x1b[31m", "--group", "g"], "no column 'z\\x1b[31m'"),
        (b"g,y\na,1\na,2\nb,3\nb,5\n", ["--outcome", "y"], "required: --group"),
        (
            b"g,y\na,1\na,2\nb,3\nb,5\n",
            ["--outcome", "y", "--group", "g", "--output", "data.csv"],
            "elsewhere",
        ),
        (
            b"g,y\na,1\na,2\nb,3\nb,5\n",
            ["--outcome", "y", "--group", "g", "--output", "no/x.html"],
            "cannot write",
        ),
        (b"g,y\na,1\na,2\nb,3\nb,5\n", ["--outcome", "y", "--group", "g", "--level", "x"], "invalid float"),
    ],
)
def test_a_bad_call_ends_with_2_and_one_line(content, arguments, message, tmp_path):
    if content is not None:
        file(tmp_path, content)
    before = sorted(tmp_path.iterdir())
    run = command("data.csv", *arguments, cwd=tmp_path)
    assert run.returncode == 2
    assert run.stdout == ""
    assert message in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert "Traceback" not in run.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_the_command_has_all_that_describe_has(tmp_path):
    lines = ["g;my score;x", *(f"{'abcdef'[k % 6]}é;{k % 7},{k % 4};{k * k % 11}" for k in range(60))]
    path = file(tmp_path, "\n".join(lines))
    asked = [path, "--outcome", "my score", "--group", "g", "--classes-in-population", "20", "--level", "0.9"]
    asked += ["--one", "cé", "--output", "out.html", "--table", "t.csv", "--predictors", "x", "np.sqrt(x)"]
    run = command(*asked, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    page, table = (tmp_path / "out.html").read_text(encoding="utf-8"), pd.read_csv(tmp_path / "t.csv")
    assert "decimal comma" in page
    assert "90% CI" in page
    x = np.array([k * k % 11 for k in range(60)])
    place = f"x is at its mean ({x.mean():.4g}) and np.sqrt(x) is at its mean ({np.sqrt(x).mean():.4g})"
    assert f"mean of 20 groups where {place}" in set(table["estimand"])
    assert table["question"][0].startswith("How well is the mean of g cé known")
    expected = report.describe(
        report.read_table(path), "my score", "g", ["x", "np.sqrt(x)"], 20, level=0.9, one="cé"
    )
    np.testing.assert_array_equal(table["se"], expected.table["se"])


# ---- notebook 13 ---------------------------------------------------------------------------------


def cells_of_the_report():
    """The code of notebook 13 but that of its exercises."""
    cells = jupytext.read(ROOT / "notebooks" / "13_your_own_data.md").cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    return [source for source in code if "schools" not in source and "check_exercise(" not in source]


def test_the_answers_of_its_exercises_are_r_s(reference):
    r, own = reference("hsb"), reference("report")
    one = [r["np.se_range"][0], r["np.se_grand_unweighted"], r["H0.se"]]
    np.testing.assert_allclose(exercises()["13.1"]["answer"], one, rtol=1e-7)
    of_320, colleague = own["hsb.K320"][1], r["H0.se"] * np.sqrt(0.5)
    two = [of_320, colleague, np.sqrt(of_320**2 - colleague**2)]
    np.testing.assert_allclose(exercises()["13.2"]["answer"], two, rtol=1e-6)
    three = [r["H2.fixef"][1], r["H2.se"][1], r["H2.fixef"][2], r["H2.se"][2]]
    np.testing.assert_allclose(exercises()["13.3"]["answer"], three, rtol=1e-7)


@pytest.mark.parametrize("name", ASKED)
def test_the_notebook_runs_on_each_file(name, files, capsys, monkeypatch):
    monkeypatch.setattr("helpers.figures.display", lambda *args, **kwargs: None)
    asked, (first, *rest) = ASKED[name][0], cells_of_the_report()
    assert first.startswith("FILE = None")
    space = {}
    exec(first, space)
    assert {"FILE", "OUTCOME", "GROUP", "PREDICTORS", "ONE", "POPULATION", "MISSING", "SAVE"} <= set(space)
    assert any("se_finite_population_unbalanced" in source for source in rest)
    space |= {"FILE": files[name], "OUTCOME": asked["outcome"], "GROUP": asked["group"]}
    space |= {"PREDICTORS": asked.get("predictors", []), "MISSING": asked.get("missing", "raise")}
    start = time.process_time()
    for source in rest:
        exec(source, space)
    assert time.process_time() - start < 5
    shown = capsys.readouterr().out
    for lead in ASKED[name][1]:
        assert lead in shown
