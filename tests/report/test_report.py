"""The report: R's numbers on files nobody made for it, and one set of numbers in table, words and code."""

import re

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from reported import ASKED, flat, leads, number, of_schools, small, unequal, write_files

from helpers import compare, high_school, partial_pooling, radon
from helpers.report import report, words


@pytest.fixture(scope="module")
def files(tmp_path_factory, reference):
    """The five files, by name."""
    return write_files(tmp_path_factory.mktemp("files"), reference("report").whole["files"])


@pytest.fixture(scope="module")
def reports(files):
    return {name: report.describe(report.read_table(files[name]), **ASKED[name][0]) for name in ASKED}


@pytest.fixture(scope="module")
def schools():
    return of_schools()


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


def test_the_table_holds_what_compare_says_and_what_the_fit_predicts(schools):
    data, formula = high_school(), "math ~ center(ses) + sector"
    expected = compare(formula, data, groups="school")
    numbers = ["estimate", "se", "df", "lower", "upper"]
    fit = partial_pooling(formula, data, groups="school").with_df("kenward-roger")
    adjusted = fit.conf_int().assign(estimate=fit.params, se=fit.bse, df=fit.df)[numbers]
    kenward_roger = dict(zip(expected.index[[5, 9, 15]], adjusted.to_numpy(), strict=True))
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


def test_the_sentence_holds_the_numbers(schools):
    fit = schools.fit
    for text in ("7185 rows", "160 groups of school", f"psi = {fit.psi:.3f}", f"theta = {fit.theta:.2f}",
                 f"{fit.icc:.3f}", "REML", "(Kenward-Roger SE ", "95% CI",
                 ". In a second model, fitted by REML to the same rows, which also lets the slope of ses "
                 "vary from school to school, the average slope of ses was",
                 "the difference of sector public from catholic was",
                 "where ses is at its mean (0.0001434) and sector is catholic"):  # fmt: skip
        assert text in schools.sentence
    ses = partial_pooling("math ~ center(ses) + sector", high_school(), "school", slopes="center(ses)")
    robust, term = ses.cluster_robust("CR2"), "center(ses)"
    told = f"was {robust.params[term]:.3f} (CR2 SE {robust.bse[term]:.3f}, df {robust.df[term]:.1f}, "
    assert told in schools.sentence
    assert schools.sentence.endswith(f"), with an sd of {ses.sds[term]:.4f} from school to school.")
    sector = f"{fit.params['sector[T.public]']:.3f} (Kenward-Roger SE {fit.bse['sector[T.public]']:.3f}"
    assert sector in schools.sentence


def test_a_singular_fit_says_what_is_not_excluded(reports):
    found = reports["dyestuff2"]
    high = np.sqrt(found.fit.profile_int().loc["psi", "upper"])
    assert f"profile interval of its root 0 to {high:.3f}" in found.sentence
    assert "(Kenward-Roger SE " in found.sentence
    assert ", df 5.0, " in found.sentence


def test_every_line_of_text_fits_the_page(reports, schools):
    for found in (*reports.values(), schools):
        assert max(map(len, repr(found).splitlines())) <= 79


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
    mean = adjusted.bse["Intercept"]
    assert f"(Kenward-Roger SE {words.fixed([mean], mean)[0]}" in found.sentence
    sloped = partial_pooling("score ~ center(hours)", data, "school", slopes="center(hours)")
    slope = sloped.cluster_robust("CR2").bse["center(hours)"]
    assert number(found, "slope of hours", "partial pooling, slopes vary, CR2", "se") == pytest.approx(slope)
    assert f"(CR2 SE {words.fixed([slope], slope)[0]}" in found.sentence
    assert "own SE" not in "".join(found.warnings)
    assert "lme4 prints the same standard error" in found.to_html()


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
    # The average slope, free to differ, is known from six: the same x in each, so CR2 has J - 1.
    assert number(found, "slope of x", "partial pooling, slopes vary, CR2", "df") == pytest.approx(5, 1e-4)
    assert ", df 5.0, " in found.sentence
    by = dict(zip(leads(found), found.warnings, strict=True))
    assert "use t on the df of the table" in by["Very few groups"]
    robust = number(found, "slope of w", "complete pooling, CR2", "se")
    told = by["A group-level predictor"]
    assert "on 4.0 df. As psi is 0, no variance between groups is in that SE; CR2 has" in told
    assert words.fixed([robust], number(found, "slope of w", "partial pooling", "se"))[0] in told
    assert "As if rows were independent" not in told
    two = flat(w=np.repeat([1.0, 2], 30), g=np.repeat(["a", "b"], 30))
    with pytest.raises(ValueError, match="2 groups and 2 terms"):
        report.describe(two, "y", "g", ["w"])


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
    assert "which also lets the slope of hours vary from school to school, the average" in centred.sentence
    assert "center(" not in centred.sentence + centred.text


def test_a_predictor_in_other_units_has_the_same_t_and_df():
    data = unequal()
    table = report.describe(data, "score", "school", ["hours"]).table
    slope = table["estimand"].str.startswith("slope of hours")
    assert slope.sum() == 7
    for unit in (1e-12, 1e12):
        other = report.describe(data.assign(hours=data["hours"] / unit), "score", "school", ["hours"]).table
        numbers = ["estimate", "se"]
        np.testing.assert_allclose(other.loc[slope, numbers], table.loc[slope, numbers] * unit, rtol=1e-6)
        np.testing.assert_allclose(other["df"], table["df"], rtol=1e-4)


def sugar():
    """Sugar of beets [%]: three blocks, each harvested twice, five plots at a time, the second 0.35 lower."""
    plots = np.array([[17.12, 17.05, 16.98, 17.01, 16.89], [17.06, 17.11, 16.94, 16.99, 16.95],
                      [17.15, 17.02, 17.00, 16.93, 16.96]])  # fmt: skip
    both = np.stack([plots, plots[:, ::-1] - 0.35], axis=1)  # in other plots of the block
    block, harvest, _ = np.indices(both.shape)
    return pd.DataFrame({"sugar": both.ravel(), "harvest": harvest.ravel(), "block": block.ravel() + 1})


def test_an_error_that_is_rounding_is_withheld_in_words(tmp_path):
    sugar().to_csv(tmp_path / "beets.csv", index=False, float_format="%.2f")
    data = report.read_table(tmp_path / "beets.csv")
    found = report.describe(data, "sugar", "block", ["harvest"])
    said = found.answers[found.answers["estimand"] == "slope of harvest"].set_index("method")["se"]
    of_model, robust = said["complete pooling"], said["complete pooling, CR2"]
    assert 0 <= robust < 1e-9 < 0.01 < of_model  # exactly the same difference in each block
    assert np.isnan(number(found, "slope of harvest", "complete pooling, CR2", "se"))
    assert "no SE: every block has the same slope" in found.text
    assert not re.search(r"SE 0\.0+\b", found.text + found.sentence + "".join(found.warnings))
    # with leverages near 1 rounding is larger: 8e-11 was seen where the sd within groups was 0.05
    assert found.is_rounding(8e-11)
    assert found.is_rounding(8e-11, "harvest")
    assert not found.is_rounding(1e-6)


def test_a_relation_of_duckdb_gives_the_report_of_the_same_columns_in_pandas():
    rng, names = np.random.default_rng(5), np.array(["p", "c", "zeta", "alpha", "b", "m", "k", "a"])
    g, x = np.repeat(np.arange(8), 6), rng.integers(0, 9, 48)
    y = np.round(20 + 2 * rng.normal(size=8)[g] + 0.3 * x + rng.normal(size=48), 2)
    rows = pd.DataFrame({"y": y, "x": x, "g": names[g], "kind": np.array(["low", "high", "mid"])[x % 3]})
    every, kinds = [*names.tolist(), "unused"], ["mid", "low", "high"]
    plain = rows.assign(g=pd.Categorical(rows["g"], every), kind=pd.Categorical(rows["kind"], kinds))
    connection = duckdb.connect()
    connection.register("rows", rows)
    relation = connection.sql(
        f"select y::decimal(9, 2) as y, x::hugeint as x, g::enum({str(every)[1:-1]}) as g, "
        f"kind::enum({str(kinds)[1:-1]}) as kind, {10**26 + 7}::hugeint + x % 2 as long from rows"
    )
    found, same = (report.describe(data, "y", "g", ["x", "kind"]) for data in (relation, plain))
    assert found.fit.data.labels.tolist() == names.tolist()
    pd.testing.assert_frame_equal(found.table, same.table, rtol=1e-13)
    assert (found.text, found.warnings, found.sentence) == (same.text, same.warnings, same.sentence)
    fits = [partial_pooling("y ~ x + kind", data, "g") for data in (relation, plain)]
    assert fits[0].params.index.tolist() == ["Intercept", "x", "kind[T.low]", "kind[T.high]"]
    np.testing.assert_allclose(fits[0].bse, fits[1].bse, rtol=1e-13)
    # two numbers of 27 digits that one double stands for are two groups
    long = report.describe(relation, "y", "long", ["x"]).fit.data.labels
    assert [int(label) for label in long] == [10**26 + 7 + k for k in range(2)]


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


def test_large_numbers_are_rounded_in_words():
    data = small()
    found = report.describe(data.assign(y=1e9 * data["y"]), "y", "g")
    assert re.search(r"psi = \d\.\d+e\+\d\d,", found.sentence)
    assert words.fixed([1234567.8, 1234.5], 1234.5) == ["1234568", "1234"]


@pytest.mark.parametrize("name", ["orthodont", "dyestuff2", "airquality"])
def test_the_code_gives_the_same_numbers(name, reports, files):
    found, asked = reports[name], ASKED[name][0]
    space = {"partial_pooling": partial_pooling, "data": report.read_table(files[name])}
    fit = eval(found.code[0], space)
    np.testing.assert_allclose(fit.params, found.fit.params, rtol=1e-9)
    np.testing.assert_allclose(fit.bse, found.fit.bse, rtol=1e-7)
    assert ("na.omit" in found.code[1]) is ("missing" in asked)


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


@pytest.mark.parametrize(
    ("outcome", "group", "predictor", "told"),
    [
        ("bp_sys", "clinic", "age", ["value of bp_sys in one more clinic", "mean of clinic 0", "of age"]),
        ("math", "schid", "ses", ["in one more group of schid", "mean of schid 0", "slope of ses"]),
        ("Y", "G", "X", ["one value of Y in one more group of G", "mean of G 0", "slope of X"]),
        ("score.2", "class.id", "h.per.week", ["in one more class lie", "class 0", "slope of h.per.week"]),
        ("Gr\u00f6\u00dfe", "Stra\u00dfe", "L\u00e4nge", ["one more Stra\u00dfe", "of Gr\u00f6\u00dfe"]),
        ("of", "one", "all", ['group 0 of "one"', '"of" in one more group of "one"', 'slope of "all"']),
        ("2019", "1", "3.5", ['group 0 of "1"', '"2019" goes from', 'one more of "3.5"', '"3.5" is at its']),
        ("value", "rows", "row", ['one value of "value" in one more group of "rows"', 'slope of "row"']),
        ("y", "the school", "x", ['in one more group of "the school"', 'group 0 of "the school"']),
        ("y", "clinics", "x", ["in one more group of clinics", "mean of clinics 0"]),
    ],
)  # fmt: skip
def test_sentences_read_as_such_whatever_the_columns_are_called(outcome, group, predictor, told):
    rng = np.random.default_rng(3)
    table = pd.DataFrame({group: np.arange(60) % 12, predictor: rng.normal(size=60)})
    table[outcome] = rng.normal(size=12)[table[group]] * 8 + 120 + rng.normal(size=60) * 5
    found = report.describe(table, outcome, group, [predictor])
    text = " ".join(" ".join([found.grouping, found.text, found.sentence]).split())
    for part in told:
        assert part in text, (part, text)
    assert not re.search(r"\bone (more )?(one|rows|clinics|the)\b|\bof (of|1|2019|3\.5|rows)\b", text)
