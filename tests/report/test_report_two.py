"""The report of two groupings: R's numbers in table and sentence, its code run, what it watches for."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reported import leads, wrong_with

from helpers import compare, partial_pooling
from helpers.fits.compare_groupings import two_groupings
from helpers.report import command, report
from helpers.report.two import ReportOfTwo
from helpers.report.watch.edges import FAR

CASES = Path(__file__).parents[1] / "cases"


def read(name):
    return pd.read_csv(CASES / f"{name}.csv")


@pytest.fixture(scope="module")
def treated():
    return report.describe(read("three_levels"), "score", "school/class", ["treated"])


@pytest.fixture(scope="module")
def plates(reference):
    table = pd.DataFrame(reference("two_groupings").whole["tables"]["penicillin"])
    return table, report.describe(table, "diameter", ["plate", "sample"])


def line(found, estimand, method):
    table = found.table
    rows = table[table["estimand"].str.startswith(estimand) & (table["method"] == method)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_the_treatment_of_classes_is_rs(treated, reference):
    r = reference("cases")
    estimate, se, df = r["three_levels.treated"]
    row = line(treated, "slope of treated", "partial pooling, school/class")
    np.testing.assert_allclose(row[["estimate", "se", "df"]].astype(float), [estimate, se, df], rtol=1e-5)
    assert (
        f"the slope of treated was {estimate:.3f} (Kenward-Roger SE {se:.3f}, df {df:.1f},"
        in treated.sentence
    )
    mean, se, df = r["three_levels.mean"]
    assert f"was {mean:.3f} (Kenward-Roger SE {se:.3f}, df {df:.1f}," in treated.sentence
    _, robust, _, robust_df = r["three_levels.CR2"]
    row = line(treated, "slope of treated", "complete pooling, CR2 by school")
    np.testing.assert_allclose(row[["se", "df"]].astype(float), [robust, robust_df], rtol=1e-6)
    (warning,) = [w for w in treated.warnings if w.startswith("A predictor of groups")]
    _, se, df = r["three_levels.treated"]
    alone = reference("more_groupings")["nested.treated_school"][1]
    assert f"rests on 48 groups of it, not on 480 rows: SE {se:.3f} on {df:.1f} df" in warning
    assert f"with school alone it would be {alone:.3f}" in warning


def test_both_levels_are_described(treated):
    alone = partial_pooling("score ~ 1", read("three_levels"), "school/class")
    assert "480 rows in 12 groups of school (40 rows each) and 48 of class within school" in treated.grouping
    assert "They are nested: a school has 4 of class." in treated.grouping
    for psi in (*alone.psi, alone.theta):
        assert f"{np.sqrt(psi):.3f}" in treated.grouping
    assert f"Two rows of one class correlate by {alone.icc['school/class']:.3f}" in treated.grouping
    assert f"two of one school but not of one class by {alone.icc['school']:.3f}" in treated.grouping


def test_plates_and_samples_are_rs(plates, reference):
    table, found = plates
    r = reference("two_groupings")
    estimate, se, df = (np.ravel(r[f"penicillin.{what}"])[0] for what in ("fixef", "kr_se", "kr_df"))
    assert f"was {estimate:.3f} (Kenward-Roger SE {se:.3f}, df {df:.1f}," in found.sentence
    assert "They cross: all 144 pairs of a plate and a sample have rows." in found.grouping
    told = compare("diameter ~ 1", table, ["plate", "sample"])
    for each in told.itertuples():
        row = line(found, "mean of all", each.method)
        np.testing.assert_allclose(row[["estimate", "se", "df"]].astype(float), each[3:6], rtol=1e-9)


@pytest.mark.parametrize("groups", ["school/class", ["school", "class"]])
@pytest.mark.parametrize("predictors", [[], ["treated"], ["treated", "sector"]])
def test_the_code_gives_the_sentences_numbers(groups, predictors):
    data = read("three_levels").assign(sector=lambda d: np.where(d["school"] % 2, "public", "private"))
    data.loc[5, "score"] = np.nan
    found = report.describe(data, "score", groups, predictors, missing="drop", level=0.9)
    names = {"data": data}
    program = found.program.replace("print(fit)", "").split("\n\n#")[0]
    exec(re.sub(r"print\((.*)\)$", r"interval = \1", program, flags=re.MULTILINE), names)
    fit, interval = names["fit"], names["interval"]
    low, high = interval.iloc[0]
    assert f"Kenward-Roger SE {fit.bse.iloc[0]:.3f}, df {fit.df.iloc[0]:.1f}" in found.sentence
    assert f"90% CI {low:.3f} to {high:.3f}" in found.sentence
    for k, one in enumerate(found.slopes, 1):
        np.testing.assert_allclose([one.estimate, one.se, one.df, one.lower, one.upper],
                                   [fit.params.iloc[k], fit.bse.iloc[k], fit.df.iloc[k], *interval.iloc[k]],
                                   rtol=1e-7)  # fmt: skip
    assert "1 row with missing values" in found.sentence.casefold()


def test_the_code_in_r(treated, plates):
    assert treated.code[1] == (
        'summary(lmer(score ~ I(treated - mean(treated)) + (1 | school/class), data), ddf = "Kenward-Roger")'
    )
    _, found = plates
    assert found.code[1] == (
        'summary(lmer(diameter ~ 1 + (1 | plate) + (1 | sample), data), ddf = "Kenward-Roger")'
    )


def test_a_variance_of_0_is_said_with_its_end(reference):
    found = report.describe(read("implicit_nesting"), "score", "school/class")
    estimate, se, df = reference("cases")["implicit_nesting.both"]
    assert f"was {estimate:.3f} (Kenward-Roger SE {se:.3f}, df {df:.1f}," in found.sentence
    assert (
        "1 in 8 groups of school, for another group in each: they are 32 groups and not 4." in found.grouping
    )
    assert leads(found) == ["Few groups", "Singular fit"]
    high = np.sqrt(found.fit.profile_int().loc["psi[school]", "upper"])
    assert f"0 to {high:.3f})" in found.sentence
    row = line(found, "mean of a new school", "partial pooling, school/class")
    assert np.isnan(row["se"])
    assert "is estimated as 0, and no interval can be made of it" in found.to_html()
    assert line(found, "mean of a new class in a new school", "partial pooling, school/class")["se"] > 4


def test_labels_numbered_anew_are_told_of_a_list(reference):
    found = report.describe(read("implicit_nesting"), "score", ["school", "class"])
    (warning,) = [w for w in found.warnings if w.startswith("Labels used again")]
    assert "as labelled, school and class are crossed" in warning
    assert "class 1 counts as one group in all 8 of school" in warning
    assert f"(P = {reference('cases')['implicit_nesting.across']:.2f};" in warning
    assert "there are 32 groups of it and not 4" in warning
    assert "--group school/class" in warning


def test_nothing_is_said_of_labels_that_cross(plates):
    _, found = plates
    assert leads(found) == ["Few groups"]


# ---- the option that a warning names -------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "group", "predictors", "key"),
    [
        ("implicit_nesting", ["class"], [], "implicit_nesting.both"),
        ("implicit_nesting", ["school", "class"], [], "implicit_nesting.both"),
        ("three_levels", ["class"], ["treated"], "three_levels.treated"),
        ("three_levels", ["school"], ["treated"], "three_levels.treated"),
    ],
)
def test_following_a_warning_gives_rs_numbers(
    name, group, predictors, key, reference, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    call = ["report", str(CASES / f"{name}.csv"), "--outcome", "score"]
    call += ["--predictors", *predictors] if predictors else []
    assert command.main([*call, "--group", *group]) == 0
    option = re.search(r"--group (\S+),", " ".join(capsys.readouterr().out.split()))[1]
    assert command.main([*call, "--group", option]) == 0
    _, se, df = reference("cases")[key]
    told = " ".join(capsys.readouterr().out.split())
    assert f"(Kenward-Roger SE {se:.3f}, df {df:.1f}," in told
    assert "--group" not in told
    page = (tmp_path / f"{name}-report.html").read_text(encoding="utf-8")
    assert "score by school/class" in page
    assert "lmer(score ~" in page


def test_names_with_blanks_are_quoted_and_a_slash_in_a_name_is_told():
    data = read("three_levels").rename(columns={"school": "the school"})
    (warning,) = [w for w in report.describe(data, "score", "class").warnings if "level above" in w]
    assert '--group "the school/class", in Python' in warning
    data = data.rename(columns={"the school": "a/b"})
    (warning,) = [w for w in report.describe(data, "score", "class").warnings if "level above" in w]
    assert "Rename the columns without / in their names" in warning
    assert not isinstance(report.describe(data, "score", "a/b"), ReportOfTwo)
    found = report.describe(data, "score", ["a/b", "class"])
    assert found.fits.nested
    names = {"data": data}
    exec(f"from helpers import partial_pooling; fit = {found.code[0]}", names)
    assert names["fit"].bse.iloc[0] == pytest.approx(found.mean.se, rel=1e-9)


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"group": ["school", "class", "treated"]}, "3 groupings"),
        ({"group": ["school"]}, 'write groups="school"'),
        ({"group": ["school", 3]}, "must be the name of a column; got 3"),
        ({"group": ["school", "score"]}, "outcome and group are the same column"),
        ({"group": "school/score"}, "cannot be a group here"),
        ({"predictors": ["class"]}, "used already|cannot be a group here"),
        ({"population": 40}, "population is offered for one grouping"),
        ({"one": "1"}, "one is offered for one grouping"),
        ({"group": "school/room"}, "room"),
    ],
)
def test_what_cannot_be_meant_is_refused(more, said):
    asked = {"outcome": "score", "group": "school/class", **more}
    with pytest.raises((TypeError, ValueError), match=said):
        report.describe(read("three_levels"), **asked)


def test_a_predictor_of_each_level_is_placed():
    data = read("three_levels")
    rng = np.random.default_rng(3)
    data["row"], data["sector"] = rng.normal(size=len(data)), data["school"] % 2
    found = report.describe(data, "score", "school/class", ["sector", "treated", "row"])
    assert found.varies("sector") == "between groups of school only"
    assert found.varies("treated") == "between groups of class within school only"
    share = found.shares.loc["row"]
    whole = data["row"].var(ddof=0)
    between = [data.groupby(by)["row"].transform("mean").var(ddof=0) / whole for by in ("school", "class")]
    np.testing.assert_allclose(share, between, rtol=1e-9)


def test_means_are_counted_from_the_mean_in_every_line(treated):
    data = read("three_levels")
    centred = data.assign(treated=data["treated"] - data["treated"].mean())
    fits = two_groupings("score ~ treated", centred, ["school", "class"], True)
    for each in fits.estimates:
        start = "slope of treated" if each.of == "slope" else "mean of all"
        row = line(treated, start, each.method)
        np.testing.assert_allclose(row[["estimate", "se", "df"]].astype(float), each[3:6], rtol=1e-7)


def schools(K, label="s{:02d}"):
    """K schools of 3 classes of 4 pupils."""
    rng = np.random.default_rng(8)
    school, room = np.repeat(np.arange(K), 12), np.repeat(np.arange(3 * K), 4)
    y = rng.normal(size=K)[school] + rng.normal(size=3 * K)[room] + rng.normal(size=12 * K)
    return pd.DataFrame({"school": [label.format(k) for k in school], "room": room, "y": y})


@pytest.mark.parametrize(("K", "told"), [(29, ["Few groups"]), (30, [])])
def test_few_are_those_at_the_top(K, told):
    assert leads(report.describe(schools(K), "y", "school/room")) == told


def test_names_alike_at_the_top():
    data = schools(30)
    data.loc[data["school"] == "s01", "school"] = "S00"
    assert leads(report.describe(data, "y", "school/room")) == ["Names alike"]


def test_an_outcome_of_two_values_has_no_interval_for_one_row():
    data = schools(30).assign(y=lambda d: (d["y"] > 0) * 1)
    found = report.describe(data, "y", "school/room")
    assert leads(found) == ["Two values"]
    assert not found.table["estimand"].str.startswith("one row").any()


@pytest.mark.parametrize("groups", ["school/<b>", ["school", "<b>"]])
def test_names_and_labels_are_escaped_on_the_page(groups):
    data = schools(6, "<script>{}</script>").rename(columns={"room": "<b>"})
    page = report.describe(data, "y", groups).to_html()
    assert "<script" not in page
    assert "<b>" not in page


# ---- slopes that differ, and what two-way clustering cannot say ----------------------------------


def cells(kind, sd, seed=4):
    """Rows of 12 groups of a, with classes b in them or 8 of b across, and a slope that has this sd in a."""
    rng = np.random.default_rng(seed)
    a, b = np.repeat(np.arange(12), 20), np.repeat(np.arange(48), 5)
    if kind == "crossed":
        a, b = np.repeat(np.arange(12), 16), np.tile(np.arange(8), 24)
    x = rng.normal(size=len(a))
    y = x * (1 + rng.normal(0, sd, 12))[a] + rng.normal(size=12)[a] + rng.normal(size=48)[b]
    return pd.DataFrame({"a": a, "b": b, "x": x, "y": y + rng.normal(size=len(a))})


@pytest.mark.parametrize(
    ("kind", "groups"), [("nested", "a/b"), ("nested", ["b", "a"]), ("crossed", ["a", "b"])]
)
def test_a_slope_that_differs_is_told_with_its_errors(kind, groups):
    data = cells(kind, 1.0)
    found = report.describe(data, "y", groups, ["x"])
    (warning,) = [w for w in found.warnings if w.startswith("A slope that differs")]
    centred = data.assign(x=data["x"] - data["x"].mean())
    fit = partial_pooling("y ~ x", centred, groups if kind == "nested" else "a").with_df("kenward-roger")
    robust = fit.cluster_robust("CR2")
    assert (
        f"SE {fit.bse['x']:.3f} if it is the same in every a, and {robust.bse['x']:.3f} on "
        f"{robust.df['x']:.1f} df if it may differ"
    ) in warning
    assert (
        f"{robust.bse['x'] / fit.bse['x']:.1f} times the other in fewer than {FAR:.0%} of studies" in warning
    )
    (line_of_x,) = found.slopes
    assert f"The sentence takes it for the same, {line_of_x.se:.3f} on {line_of_x.df:.1f} df" in warning
    other = "(1 | a:b)" if kind == "nested" else "(1 | b)"
    assert f"(1 + x | a) + {other})" in warning


@pytest.mark.parametrize(("kind", "groups"), [("nested", "a/b"), ("crossed", ["a", "b"])])
def test_nothing_is_said_of_one_slope(kind, groups):
    for seed in range(3):
        assert leads(report.describe(cells(kind, 0.0, seed), "y", groups, ["x"])) == ["Few groups"]


def test_a_predictor_of_the_groups_has_no_slope_in_them(treated):
    data = read("three_levels").assign(sector=lambda d: d["school"] % 2)
    assert "A slope that differs" not in leads(report.describe(data, "score", "school/class", ["sector"]))


def test_a_negative_eigenvalue_of_two_way_clustering_is_told():
    rng = np.random.default_rng(10)
    data = pd.DataFrame({"plate": np.repeat(range(6), 5), "sample": np.tile(range(5), 6)})
    data["x"] = rng.normal(size=30)
    data["y"] = data["x"] + rng.normal(size=30)
    found = report.describe(data, "y", ["plate", "sample"], ["x"])
    centred = data.assign(x=data["x"] - data["x"].mean())
    (note,) = two_groupings("y ~ x", centred, ["plate", "sample"], False).two_ways.notes
    (warning,) = [w for w in found.warnings if w.startswith("Clustered two ways")]
    assert note in warning
    assert "1 negative eigenvalue of the two-way covariance set to 0" in warning
    assert note in " ".join(found.to_html().split())


def test_a_mean_that_has_no_two_way_error_is_told():
    y = np.array([[1.0, -1, 0], [-1, 0, 1], [0, 1, -1]])  # sums of rows and columns are 0
    data = pd.DataFrame({"plate": np.repeat(range(3), 6), "sample": np.tile(np.repeat(range(3), 2), 3)})
    data["y"] = np.repeat(y.ravel(), 2) + np.tile([0.1, -0.1], 9)
    found = report.describe(data, "y", ["plate", "sample"])
    assert "Clustered two ways: no term has such an error here" in "\n".join(found.warnings)
    assert not found.table["method"].str.contains("two ways").any()


# ---- groupings that cannot be meant, by function and by command ----------------------------------


def told_by_all(data, groups, tmp_path, capsys):
    """The message of `partial_pooling`, which is that of `compare`, `describe` and the command."""
    messages = set()
    for ask in (
        lambda: partial_pooling("score ~ 1", data, groups),
        lambda: compare("score ~ 1", data, groups),
        lambda: report.describe(data, "score", groups),
    ):
        with pytest.raises(ValueError, match=r"write groups=") as refused:
            ask()
        messages.add(str(refused.value))
    (message,) = messages
    data.to_csv(tmp_path / "data.csv", index=False)
    group = [groups] if isinstance(groups, str) else groups
    assert command.main(["report", str(tmp_path / "data.csv"), "--outcome", "score", "--group", *group]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert message in said
    return message


@pytest.mark.parametrize("groups", ["school/row", "row/school", ["school", "row"], ["row", "school"]])
def test_the_number_of_a_row_is_no_grouping(groups, tmp_path, capsys):
    data = read("three_levels").assign(row=np.arange(480))
    message = told_by_all(data, groups, tmp_path, capsys)
    assert "has one row only" in message
    assert message.endswith('write groups="school"')


@pytest.mark.parametrize("groups", ["school/again", "again/school", ["school", "again"]])
def test_two_groupings_that_are_the_same_are_one(groups, tmp_path, capsys):
    data = read("three_levels").assign(again=lambda d: "s" + d["school"].astype(str))
    message = told_by_all(data, groups, tmp_path, capsys)
    assert "are the same groups" in message
    assert "12 of them: their variances cannot be told apart" in message


def test_a_class_in_two_schools_is_named(tmp_path, capsys):
    data = read("three_levels")
    data["room"] = data["school"].astype(str) + "-" + data["class"].astype(str)
    data.loc[5, "room"] = again = data["room"].iloc[470]
    fit = partial_pooling("score ~ 1", data, "school/room")
    assert fit.ngroups["school/room"] == 49
    assert f"labels are used again: {again!r} in 2 groups of school" in " ".join(
        fit.summary().__str__().split()
    )
    data.to_csv(tmp_path / "data.csv", index=False)
    call = ["report", str(tmp_path / "data.csv"), "--outcome", "score", "--group", "school/room"]
    assert command.main([*call, "--output", str(tmp_path / "page.html")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{again} in 2 groups of school, for another group in each: they are 49 groups and not 48." in said
    assert "its school is wrong in some rows, or the groupings cross (--group school room)" in said
    assert (
        "is wrong in some rows"
        not in report.describe(read("implicit_nesting"), "score", "school/class").grouping
    )


# ---- the page ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("pixels")
def test_the_page_of_two_groupings_is_accessible(treated, tmp_path, browser):
    assert wrong_with(treated.to_html("schools.csv"), tmp_path / "page.html", browser) == {}
