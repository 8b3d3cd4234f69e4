"""`compare`: each method beside the mean it speaks of; and how a fit shows itself in a notebook."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers import compare, complete_pooling, formulas, no_pooling, partial_pooling
from helpers.tables import summarise

CASES = Path(__file__).parents[1] / "cases"
COLUMNS = ["method", "estimand", "estimate", "se", "df", "lower", "upper"]


@pytest.fixture(scope="module")
def table(classrooms):
    return compare("score ~ 1", classrooms, groups="classroom")


def row(table, method, estimand):
    found = table[(table["method"] == method) & (table["estimand"] == estimand)]
    assert len(found) == 1, table
    return found.iloc[0]


def test_the_columns_are_those_of_the_contract(table):
    assert list(table.columns) == COLUMNS
    assert table[COLUMNS[2:]].notna().all(axis=None)


def test_the_standard_errors_of_the_question_stand_side_by_side(table, reference):
    r, averaged = reference("classrooms"), reference("group_error")
    expected = {
        ("complete pooling", "mean over all rows, if independent"): (r["cp.se"], 199),
        ("complete pooling, CR2", "mean over all rows"): (r["cr.CR2"], 19),
        ("no pooling", "classroom 1 alone"): (r["np.se_class_mean"], 180),
        ("no pooling", "mean over these 20 groups"): (r["np.se_grand_mean"], 180),
        ("partial pooling", "classroom 1 alone"): (averaged["classrooms.reml"][0], 180),
        ("partial pooling", "mean over all groups there are"): (r["pp.se_exact"], 19),
    }
    assert len(table) == len(expected)
    for (method, estimand), (se, df) in expected.items():
        found = row(table, method, estimand)
        assert found["se"] == pytest.approx(np.ravel(se)[0], rel=1e-10)  # CR2 takes matrix roots
        assert found["df"] == pytest.approx(df, rel=1e-10)


def test_the_estimates_are_the_grand_mean_and_the_mean_of_one_class(table, reference):
    r = reference("classrooms")
    alone = table["estimand"] == "classroom 1 alone"
    np.testing.assert_allclose(table.loc[~alone, "estimate"], r["data.grand_mean"], rtol=1e-13)
    assert table.loc[alone, "estimate"].tolist() == pytest.approx(
        [r["data.class_means"][0], r["re.coef"][0]],
        rel=1e-8,  # lme4's variances
    )


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_the_intervals_are_t_intervals_of_the_level_asked_for(classrooms, alpha):
    table = compare("score ~ 1", classrooms, "classroom", alpha=alpha)
    half = stats.t.ppf(1 - alpha / 2, table["df"]) * table["se"]
    np.testing.assert_allclose(table["upper"] - table["estimate"], half, rtol=1e-9)
    np.testing.assert_allclose(table["estimate"] - table["lower"], half, rtol=1e-9)


def test_the_group_that_stands_alone_is_the_largest(radon):
    table = compare("log_radon ~ 1", radon, "county")
    largest = radon["county"].value_counts().idxmax()
    alone = table[table["estimand"] == f"county {largest} alone"]
    fits = no_pooling("log_radon ~ 1", radon, "county"), partial_pooling("log_radon ~ 1", radon, "county")
    for (_, found), fit in zip(alone.iterrows(), fits, strict=True):
        expected = fit.group_means.loc[largest]
        assert found["estimate"] == pytest.approx(expected["estimate"], rel=1e-14)
        se = expected.get("se_unconditional", expected["se"])
        assert found["se"] == pytest.approx(se, rel=1e-14)


def test_the_unweighted_mean_of_unequal_groups_has_its_own_formula(radon):
    table = compare("log_radon ~ 1", radon, "county")
    found = row(table, "no pooling", "mean over these 85 groups")
    fit = no_pooling("log_radon ~ 1", radon, "county")
    sizes = radon["county"].value_counts(sort=False)
    se = np.sqrt((formulas.se_group_mean(fit.theta, sizes.to_numpy()) ** 2).sum()) / 85
    assert found["se"] == pytest.approx(se, rel=1e-12)  # sums of 85
    assert found["estimate"] == pytest.approx(fit.params.mean(), rel=1e-13)


def test_with_a_predictor_the_mean_of_these_groups_is_a_contrast_of_the_no_pooling_fit(radon):
    table = compare("log_radon ~ floor", radon, "county")
    fit = no_pooling("log_radon ~ floor", radon, "county")
    a = np.append(np.full(85, 1 / 85), 0.0)
    found = row(table, "no pooling", "mean over these 85 groups where the terms are 0")
    assert found["estimate"] == pytest.approx(a @ fit.params, rel=1e-13)
    assert found["se"] == pytest.approx(np.sqrt(a @ fit.cov_params().to_numpy() @ a), rel=1e-12)


def test_every_slope_has_a_row_for_each_method_that_estimates_it(radon):
    formula = "log_radon ~ floor + log_uranium"
    table = compare(formula, radon, "county")
    complete = complete_pooling(formula, radon, "county")
    no = no_pooling("log_radon ~ floor", radon, "county")
    fits = {
        "complete pooling": complete,
        "complete pooling, CR2": complete.cluster_robust("CR2"),
        "partial pooling": partial_pooling(formula, radon, "county"),
    }
    for term in ("floor", "log_uranium"):
        for method, fit in fits.items():
            found = row(table, method, f"slope of {term}")
            # to the rounding of sums that are made in another order
            assert found[["estimate", "se", "df"]].tolist() == pytest.approx(
                [fit.params[term], fit.bse[term], fit.df[term]], rel=1e-12
            )
    assert row(table, "no pooling", "slope of floor")["se"] == pytest.approx(no.bse["floor"], rel=1e-12)
    absorbed = (table["method"] == "no pooling") & (table["estimand"] == "slope of log_uranium")
    assert not absorbed.any(), "the group means absorb what is constant within groups"


def test_terms_of_the_group_level_are_left_out_of_no_pooling_and_change_nothing_there(radon):
    with_uranium = compare("log_radon ~ log_uranium + floor", radon, "county")
    without = compare("log_radon ~ floor", radon, "county")
    here = "mean over these 85 groups where the terms {}are 0"
    for own, plain in ((here.format("within "), here.format("")), ("slope of floor", "slope of floor")):
        one, other = row(with_uranium, "no pooling", own), row(without, "no pooling", plain)
        assert one[["estimate", "se", "df"]].tolist() == pytest.approx(
            other[["estimate", "se", "df"]].tolist(), rel=1e-11
        )


def test_a_group_alone_stands_at_its_own_values_of_what_does_not_vary_within_groups(radon):
    """At 0 of them it would stand far from itself: with three groups the interval had hundreds of sds."""
    fit = partial_pooling("log_radon ~ log_uranium + floor", radon, "county")
    largest = radon["county"].value_counts().idxmax()
    found = compare("log_radon ~ log_uranium + floor", radon, "county")
    alone = row(found, "partial pooling", f"county {largest} alone where the terms within are 0")
    asked = fit.group_means_at(floor=0).loc[largest]
    assert [alone["estimate"], alone["se"]] == asked[["estimate", "se_unconditional"]].tolist()


def test_a_summary_does_in_place_of_a_table(classrooms, table):
    summary = summarise(classrooms, "score ~ 1", "classroom")
    pd.testing.assert_frame_equal(compare("score ~ 1", summary), table)


def test_singular_data_are_compared_too(singular_data):
    table = compare("score ~ 1", singular_data, "classroom")
    partial = row(table, "partial pooling", "mean over all groups there are")
    complete = row(table, "complete pooling", "mean over all rows, if independent")
    assert partial["se"] == pytest.approx(complete["se"], rel=1e-12)
    assert complete["df"] == 199
    assert partial["df"] == pytest.approx(19, rel=1e-12)  # J - 1, also where psi is estimated as 0


@pytest.mark.parametrize(
    ("formula", "groups", "alpha", "error", "message"),
    [
        ("score ~ 1", None, 0.05, TypeError, "compare needs groups"),
        ("score ~ effect - 1", "classroom", 0.05, ValueError, "no constant.*add 1"),
        ("score ~ 1", "classroom", 1.0, ValueError, "alpha must lie between 0 and 1; got 1.0"),
    ],
)
def test_what_cannot_be_compared_is_refused(classrooms, formula, groups, alpha, error, message):
    with pytest.raises(error, match=message):
        compare(formula, classrooms, groups, alpha=alpha)


# ---- how a fit shows itself ----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_the_html_says_what_the_text_says(classrooms, method):
    fit = partial_pooling("score ~ 1", classrooms, "classroom", method=method)
    html = fit._repr_html_()
    head, table = fit.summary().split("\n")[:4], fit.summary().split("\n")[-1]
    for line in head:
        assert line.replace("<", "&lt;") in html
    for cell in table.split()[1:]:
        assert f"<td>{cell}</td>" in html


def test_names_that_look_like_html_are_escaped(classrooms):
    data = classrooms.rename(columns={"classroom": "<b>"})
    html = partial_pooling("score ~ 1", data, "<b>")._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_a_fit_can_be_pickled(classrooms):
    for fit in (
        complete_pooling("score ~ 1", classrooms, "classroom").cluster_robust("CR2"),
        no_pooling("score ~ 1", classrooms, "classroom"),
        partial_pooling("score ~ 1", classrooms, "classroom"),
    ):
        assert pickle.loads(pickle.dumps(fit)).summary() == fit.summary()


def test_the_variances_of_complete_pooling_have_the_chi_square_standard_error(classrooms, reference):
    fit = complete_pooling("score ~ 1", classrooms)
    assert fit.variances.loc["theta", "se"] == pytest.approx(fit.theta * np.sqrt(2 / 199), rel=1e-14)
    no = no_pooling("score ~ 1", classrooms, "classroom")
    assert no.variances.loc["theta", "se"] == pytest.approx(reference("classrooms")["vc.se_theta"], rel=1e-12)


def test_many_groups_without_pooling_need_no_square_table():
    """The covariance of 50 000 group means would take 20 GB."""
    J = 50_000
    data = pd.DataFrame({"y": np.sin(np.arange(2.0 * J)), "g": np.arange(2 * J) % J})
    fit = no_pooling("y ~ 1", data, "g")
    assert fit.bse.iloc[-1] == pytest.approx(np.sqrt(fit.theta / 2), rel=1e-13)
    assert len(fit.group_means) == J


# ---- slopes that vary ----------------------------------------------------------------------------


def test_the_average_slope_of_the_clinics_is_r_s_by_each_method(reference):
    """lme4, pbkrtest and clubSandwich: .1013 on 18.8 df where one slope for all would have .0521 on 490."""
    r = reference("slopes")
    data = pd.read_csv(CASES / "random_slope.csv")
    table = compare("response ~ dose", data, "clinic")
    slopes = table[table["estimand"] == "slope of dose"]
    assert slopes["method"].tolist() == [
        "complete pooling", "complete pooling, CR2", "no pooling", "partial pooling",
        "partial pooling, CR2", "partial pooling, slopes vary", "partial pooling, slopes vary, CR2",
    ]  # fmt: skip
    expected = {
        "partial pooling, slopes vary": (r["clinic.kr_se"][1], r["clinic.kr_df"][1]),
        "partial pooling, slopes vary, CR2": (r["clinic.CR2"][1], r["clinic.CR2_df"][1]),
    }
    for method, (se, df) in expected.items():
        found = row(table, method, "slope of dose")
        assert found["estimate"] == pytest.approx(r["clinic.fixef"][1], rel=1e-5)
        assert [found["se"], found["df"]] == pytest.approx([se, df], rel=1e-3)
    one = row(table, "partial pooling", "slope of dose")["se"]
    assert expected["partial pooling, slopes vary"][0] > 1.9 * one


def test_with_the_same_x_in_each_group_all_that_count_groups_agree():
    data = pd.read_csv(CASES / "growth.csv")
    table = compare("height ~ week", data, "plant")
    slopes = [np.polyfit(part["week"], part["height"], 1)[0] for _, part in data.groupby("plant")]
    exact = [np.mean(slopes), np.std(slopes, ddof=1) / np.sqrt(12), 11]
    for method in ("complete pooling, CR2", "partial pooling, CR2", "partial pooling, slopes vary",
                   "partial pooling, slopes vary, CR2"):  # fmt: skip
        found = row(table, method, "slope of week")
        assert found[["estimate", "se", "df"]].tolist() == pytest.approx(exact, rel=1e-8), method


def test_where_slopes_cannot_vary_the_estimand_says_why(radon):
    pairs = pd.read_csv(CASES / "negative_pairs.csv")
    table = compare("y ~ arm", pairs, "pair")
    sloped = table[table["method"] == "partial pooling, slopes vary"]
    assert len(sloped) == 1
    assert sloped[["estimate", "se"]].isna().all(axis=None)
    assert "(nothing of 'y' is left within any pair beyond a line of its own)" in sloped["estimand"].iloc[0]
    assert not table["method"].eq("partial pooling, slopes vary, CR2").any()
    two = pd.DataFrame({"g": list("aaaabbbb"), "x": [1.0, 2, 3, 5] * 2, "y": [1.0, 2, 2, 4, 3, 3, 5, 6]})
    found = compare("y ~ x", two, "g")
    why = found.loc[found["method"] == "partial pooling, slopes vary", "estimand"].iloc[0]
    assert why.startswith("slope of x (2 groups are too few for the 3 variances")
    between = compare("log_radon ~ log_uranium", radon, "county")
    assert not between["method"].str.contains("vary").any()


@pytest.mark.parametrize("how", ["one", "nested", "crossed", "long"])
def test_compare_prints_every_standard_error_in_80_characters(how, three_groupings):
    data, formula, groups = three_groupings[how]
    table = compare(formula, data, groups)
    text = repr(table)
    assert max(map(len, text.splitlines())) <= 80
    left = [line.split() for line in text.splitlines()[1:]]
    for _, row in table[table["se"] > 0].iterrows():
        places = max(2 - int(np.floor(np.log10(row["se"]))), 0)
        told = [f"{row[k]:.{places}f}" for k in ("estimate", "se")] + [f"{row['df']:.1f}"]
        assert any(line[-5:-2] == told for line in left), (row, text)
    for what in table["estimand"].unique():
        assert " ".join(what.split()) in " ".join(text.split())


@pytest.fixture(scope="module")
def three_groupings():
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"a": np.arange(240) % 8, "b": np.arange(240) // 30, "x": rng.normal(size=240)})
    table["c"] = table["a"] + 8 * (np.arange(240) // 8 % 3)
    table["y"] = 1e4 * rng.normal(size=8)[table["a"]] + rng.normal(size=8)[table["b"]] + rng.normal(size=240)
    long = {"a": "the_number_of_the_hospital_in_the_register", "y": "what was measured"}
    return {
        "one": (table, "y ~ x", "a"),
        "nested": (table, "y ~ x", "a/c"),
        "crossed": (table, "y ~ x", ["a", "b"]),
        "long": (table.rename(columns=long), "`what was measured` ~ x", [long["a"], "b"]),
    }


def test_what_is_made_of_compare_is_a_plain_table(table):
    for made in (table[["method", "se"]], table.head(2), table.assign(more=1), table[table["se"] > 3]):
        assert type(made) is pd.DataFrame
    assert table._repr_html_() == pd.DataFrame(table)._repr_html_()
    assert repr(table.assign(more=1)) == repr(pd.DataFrame(table).assign(more=1))
    changed = pickle.loads(pickle.dumps(table))
    assert repr(changed) == repr(table)
    changed["more"] = 1
    assert repr(changed) == repr(pd.DataFrame(table).assign(more=1))
