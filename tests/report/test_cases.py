"""Small files at the edge of the model, by function and by command: words, table, sentence and code agree."""

import contextlib
import io
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers import compare, complete_pooling, no_pooling, partial_pooling
from helpers.fits import alike
from helpers.report import command, report, words
from helpers.report.watch import edges
from helpers.tables import levels

CASES = Path(__file__).parents[1] / "cases"


def read(name):
    return report.read_table(CASES / f"{name}.csv")


@pytest.fixture(scope="module")
def r(reference):
    return reference("cases")


# ---- by function ---------------------------------------------------------------------------------


def test_pairs_less_alike_than_strangers_are_told_and_have_the_paired_t(r):
    pairs = read("negative_pairs")
    mixed, robust = partial_pooling("y ~ arm", pairs, "pair"), complete_pooling("y ~ arm", pairs, "pair")
    assert mixed.psi == 0
    difference, se, df, *interval = r["negative_pairs.paired"]
    for fit in (robust.cluster_robust("CR2"), no_pooling("y ~ arm", pairs, "pair")):
        found = [fit.params["arm[T.treated]"], fit.bse["arm[T.treated]"], fit.df["arm[T.treated]"]]
        np.testing.assert_allclose(found, [difference, se, df], rtol=1e-10)
        np.testing.assert_allclose(fit.conf_int().loc["arm[T.treated]"], interval, rtol=1e-10)
    np.testing.assert_allclose(mixed.with_df("kenward-roger").bse, r["negative_pairs.lmer"][2:4], rtol=1e-10)
    assert mixed.bse["arm[T.treated]"] < 0.77 * se
    test = alike.less_alike(mixed.data)
    assert [test.f, test.pvalue] == pytest.approx(
        [r["negative_pairs.F"], r["negative_pairs.F_lower"]], rel=1e-9
    )
    assert test.icc == pytest.approx(r["negative_pairs.gls_rho"], abs=1e-6)  # where gls stopped
    assert "less alike than rows of two (F = 0.15 on 11 and 11 df, P = 0.0019)" in mixed.summary()
    assert "less alike" not in partial_pooling("y ~ 1", read("lone_level"), "trial").summary()


def test_a_level_in_one_trial_has_no_cr2_and_the_models_error(r):
    data = read("lone_level")
    fit = complete_pooling("y ~ arm", data, "trial").cluster_robust("CR2")
    assert fit.withheld == {"arm[T.c]": "without trial 9 it cannot be estimated"}
    np.testing.assert_allclose(fit.bse[:2], r["lone_level.CR2"][:2], rtol=1e-10)
    np.testing.assert_allclose(fit.df[:2], r["lone_level.CR2"][3:5], rtol=1e-8)
    assert np.isnan([fit.bse.iloc[2], fit.df.iloc[2]]).all()
    mixed = partial_pooling("y ~ arm", data, "trial").with_df("kenward-roger")
    np.testing.assert_allclose([*mixed.params, *mixed.bse, *mixed.df], r["lone_level.lmer"], rtol=1e-5)
    table = compare("y ~ arm", data, "trial")
    row = table[table["estimand"].str.contains("no SE: without trial 9 it cannot be estimated", regex=False)]
    assert row["method"].tolist() == ["complete pooling, CR2"]
    assert row["se"].isna().all()


def test_a_term_with_as_many_levels_as_clusters_is_refused(r):
    fit = complete_pooling("y ~ site", read("cluster_is_term"), "site")
    np.testing.assert_allclose(fit.params, r["cluster_is_term.fit"], rtol=1e-12)
    assert max(r["cluster_is_term.CR0"]) < 1e-12
    for kind in ("CR0", "CR1", "CR2", "CR3"):
        with pytest.raises(ValueError, match=r"each rests on one site alone .Intercept: without site 1"):
            fit.cluster_robust(kind)


def test_growth_has_a_psi_with_week(r):
    data = read("growth")
    assert partial_pooling("height ~ 1", data, "plant").psi == 0
    fit = partial_pooling("height ~ center(week)", data, "plant").with_df("kenward-roger")
    np.testing.assert_allclose([fit.psi, fit.theta], r["growth.variances"], rtol=1e-5)
    np.testing.assert_allclose([*fit.params, *fit.bse, *fit.df], r["growth.week"], rtol=1e-6)
    robust = complete_pooling("height ~ center(week)", data, "plant").cluster_robust("CR2")
    np.testing.assert_allclose([*robust.bse, *robust.df], r["growth.CR2"], rtol=1e-10)


# ---- the test of it ------------------------------------------------------------------------------


@pytest.mark.parametrize(("psi", "expected"), [(0.0, 0.05), (0.1, None)])
def test_groups_that_are_alike_are_called_strangers_no_more_often_than_said(psi, expected):
    rng = np.random.default_rng(17)
    sizes = np.array([2, 2, 3, 5, 8, 2, 4, 3])
    g = np.repeat(np.arange(8), sizes)
    x, w, draws = rng.normal(size=len(g)), rng.normal(size=8)[g], 400
    found = []
    for _ in range(draws):
        y = np.sqrt(psi) * rng.normal(size=8)[g] + rng.normal(size=len(g))
        fit = partial_pooling("y ~ x + w", pd.DataFrame({"y": y, "x": x, "w": w, "g": g}), "g")
        found.append(alike.less_alike(fit.data).pvalue)
    share, error = np.mean(np.array(found) < 0.05), np.sqrt(0.05 * 0.95 / draws)
    assert share < 0.05 + 3 * error
    if expected:
        assert share > expected - 3 * error
        assert abs(np.mean(found) - 0.5) < 3 / np.sqrt(12 * draws)


def test_its_correlation_is_the_moment_estimate_written_out():
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(6), [2, 3, 3, 4, 5, 2])
    x, y = rng.normal(size=(2, len(g)))
    fit = partial_pooling("y ~ x", pd.DataFrame({"y": y, "x": x, "g": g}), "g")
    X, Z = np.column_stack([np.ones(len(g)), x]), (g[:, None] == np.arange(6)) * 1.0

    def left(A):
        return np.eye(len(g)) - A @ np.linalg.pinv(A)

    Q, df = left(X) - left(np.column_stack([X, Z])), 5
    theta = y @ left(np.column_stack([X, Z])) @ y / (len(g) - 7)
    psi = (y @ Q @ y - df * theta) / np.trace(Z.T @ Q @ Z)
    assert alike.less_alike(fit.data).icc == pytest.approx(psi / (psi + theta), rel=1e-10)


# ---- the page ------------------------------------------------------------------------------------


class Page(HTMLParser):
    """The parts of a page: paragraphs, table rows by question, warnings, sentence, code."""

    def __init__(self, page):
        super().__init__()
        self.open, self.rows, self.question, self.parts = [], {}, None, {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img", "br", "source"):
            self.open.append(tag)
            self.parts.setdefault(tag, []).append("")
        if tag == "tr":
            self.cells = []
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        for tag in set(self.open):
            self.parts[tag][-1] += data
        if "td" in self.open or "th" in self.open:
            self.cells[-1] += data

    def handle_endtag(self, tag):
        self.open.pop()
        if tag == "tr" and "tbody" in self.open:
            if len(self.cells) == 1:
                self.question = self.cells[0]
            else:
                self.rows.setdefault(self.question, {})[self.cells[0]] = self.cells[1:]


def flat(**more):
    """Sixty rows of six groups, more alike than chance has them, but not less than strangers."""
    y = np.random.default_rng(3).normal(size=60)
    g = np.repeat(list("abcdef"), 10)
    y -= 0.3 * pd.Series(y).groupby(g).transform("mean").to_numpy()
    return pd.DataFrame({"y": y, "g": g}).assign(**more)


def uneven():
    rng = np.random.default_rng(6)
    g = np.repeat(np.arange(10), [2, 3, 3, 5, 8, 2, 12, 4, 9, 3])
    hours = rng.gamma(4, 2, len(g))
    y = 10 + 2 * rng.normal(size=10)[g] + rng.normal(size=len(g)) + 0.3 * hours
    kind = np.array(["low", "high"])[(np.arange(10) % 3 == 0) * 1]
    data = pd.DataFrame({"score": y, "school": g, "hours": hours, "kind": kind[g]})
    data.loc[[4, 9], "hours"] = np.nan
    return data


X = np.tile(np.arange(10.0) ** 2, 6)
W = np.repeat([1.0, 5, 2, 8, 3, 4], 10)
ASKED = {
    "negative_pairs": (lambda: read("negative_pairs"), ("y", "pair", ["arm"]), {}),
    "negative_pairs without arm": (lambda: read("negative_pairs"), ("y", "pair"), {}),
    "lone_level": (lambda: read("lone_level"), ("y", "trial", ["arm"]), {}),
    "growth": (lambda: read("growth"), ("height", "plant", ["week"]), {}),
    "growth without week": (lambda: read("growth"), ("height", "plant"), {}),
    "psi 0": (flat, ("y", "g"), {}),
    "psi 0 with predictors": (lambda: flat(x=X, w=W), ("y", "g", ["x", "w"]), {}),
    "uneven": (uneven, ("score", "school", ["hours", "kind"]), {"missing": "drop"}),
    "K and level": (uneven, ("score", "school", ["kind"]), {"population": 25, "level": 0.9}),
}
NUMBER = r"-?\d+(?:\.\d+)?"


def program(page, data):
    """What the code of the page prints and leaves, run on the data."""
    code, space, shown = page.parts["code"][-1], {"data": data}, io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(code, space)
    return space["fit"], space.get("slopes"), shown.getvalue()


def rounded_alike(text, value):
    """Whether a number as printed is the value, rounded."""
    places = len(text.partition(".")[2])
    return abs(float(text) - value) <= 0.5000001 * 10.0**-places


@pytest.mark.parametrize("name", ASKED)
def test_words_table_sentence_and_code_have_one_set_of_numbers(name):
    make, asked, more = ASKED[name]
    data = make()
    found = report.describe(data, *asked, **more)
    page = Page(found.to_html())
    fit, sloped, shown = program(page, data)
    varies = data.groupby(asked[1]).nunique().max() > 1  # within some group
    strangers = found.strangers.found
    assert strangers is name.startswith("negative_pairs")
    usual = "complete pooling, CR2" if strangers else "partial pooling"
    mean = "mean over all rows known" if strangers else "mean of all groups there are"
    alpha = 1 - more.get("level", 0.95)
    expected, later, means = {}, {}, fit  # what varies within groups is told after all else
    for k, term in enumerate(means.params.index):
        fit, method = means, usual
        column = re.sub(r"\[.*|center\(|\)", "", term)
        if k and varies[column] and not strangers:
            fit, method = sloped, "slopes vary, CR2"
        ends = fit.conf_int(alpha)
        if not k:
            start = mean
        elif "[T." in term:
            start = f"{term.split('[T.')[0]} = {term.split('[T.')[1][:-1]} in place of "
        else:
            start = f"one more of {term.removeprefix('center(').removesuffix(')')}?"
        questions = [question for question in page.rows if start in question]
        assert len(questions) == 1, (term, list(page.rows))
        cells = page.rows[questions[0]][method]
        values = [fit.params[term], fit.bse[term], fit.df[term], *ends.loc[term]]
        printed = [*cells[:3], *cells[3].split(" to ")]
        assert all(map(rounded_alike, printed, values)), (term, printed, values)
        (later if fit is sloped else expected)[term] = printed
        if "level" not in more:  # what the code prints, in its summary, are these numbers too
            line = [line for line in shown.splitlines() if line.startswith(term)][-(fit is not means) :][0]
            t, p = line.split()[4:6]
            assert float(t) == pytest.approx(fit.params[term] / fit.bse[term], abs=5e-4)
            assert float(p) == pytest.approx(fit.pvalues[term], abs=5e-5)
    fit, method = means, usual
    # The sentence: estimate, SE, df and interval of each, in order; the mean of K where K was given.
    sentence = page.parts["blockquote"][0]
    whose = "CR2" if strangers else "Kenward-Roger"
    told = re.findall(
        rf"was ({NUMBER}) \([^)]*?SE ({NUMBER}), [^)]*?df ({NUMBER}), \d+% CI ({NUMBER}) to ({NUMBER})\)",
        sentence,
    )
    if "population" in more:
        K = more["population"]
        cells = next(rows for q, rows in page.rows.items() if f"mean of the {K} groups" in q)[method]
        of_K = fit.mean_of(K)
        assert all(map(rounded_alike, cells[:3], of_K))
        assert list(told[0]) == [*cells[:3], *cells[3].split(" to ")]
        assert f"estimate={of_K.estimate}" in shown.replace("np.float64(", "").replace(")", "")
        expected.pop("Intercept")
        told = told[1:]
    else:
        assert f"({whose} SE " in sentence
    assert [list(numbers) for numbers in told] == [*expected.values(), *later.values()]
    # The first paragraph and the warnings: no word of a psi that the table has not.
    first = page.parts["p"][0] if "ul" not in page.parts else " ".join(page.parts["p"])
    if not strangers:
        psi = words.figures(found.fit.psi)
        assert f"(psi = {psi})" in first
        assert f"between-group variance psi = {psi}" in sentence
    warnings = " ".join(page.parts.get("li", []))
    assert ("Singular fit" in warnings) == (found.fit.psi == 0 and not strangers)
    assert ("Psi is 0 without the predictors only" in warnings) == (name == "growth")
    assert ("Less alike than strangers" in warnings) == strangers
    assert ("One group alone" in warnings) == (name == "lone_level")
    assert "nan" not in " ".join(page.parts["p"] + page.parts["td"] + page.parts.get("li", [])).split()


def test_the_page_of_the_growth_speaks_of_the_psi_of_its_table(r):
    found = report.describe(read("growth"), "height", "plant", ["week"])
    psi, theta = r["growth.variances"]
    assert f"Given the predictors it is {np.sqrt(psi):.3f} between (psi = {psi:.2f})" in found.grouping
    assert f"psi = {psi:.2f}, within-group variance theta = {theta:.3f}" in found.sentence
    assert "residual intraclass correlation" in found.sentence
    assert not any("those of complete pooling" in warning for warning in found.warnings)


def test_a_slope_that_differs_from_plant_to_plant_is_told(r):
    found = report.describe(read("growth"), "height", "plant", ["week"])
    warning = next(w for w in found.warnings if w.startswith("A slope that differs"))
    slope, se, df = r["growth.sloped"]  # where R lets it differ; balanced, so that CR2 is its error
    assert f"SE 0.090 if it is the same in every plant, and {se:.3f} on {df:.1f} df" in warning
    assert [warning] == list(edges.a_slope_that_differs.check(found))
    assert found.fit.params["week"] == pytest.approx(slope, rel=1e-9)
    rng, told = np.random.default_rng(9), 0
    for _ in range(100):  # one slope for all: told in one of a hundred
        g, x = np.repeat(np.arange(12), 6), np.tile(np.arange(6.0), 12)
        y = rng.normal(size=12)[g] + x + rng.normal(size=72)
        found = report.describe(pd.DataFrame({"y": y, "x": x, "g": g}), "y", "g", ["x"])
        told += bool(list(edges.a_slope_that_differs.check(found)))
    assert told <= 1 + 3 * np.sqrt(0.99)


def test_the_page_of_the_clinics_has_the_slope_and_the_error_of_r(reference):
    """R's .1013 on 18.8 df in sentence, table and warning, where one slope for all has .0521."""
    slopes = reference("slopes")
    slope, kr, kr_df, se, df = (
        slopes[f"clinic.{key}"][1] for key in ("fixef", "kr_se", "kr_df", "CR2", "CR2_df")
    )
    found = report.describe(read("random_slope"), "response", "clinic", ["dose"])
    sd = np.sqrt(slopes["clinic.psi"][-1])
    mean, of_slope = found.sentence.split(". ")  # a sentence for each of the two fits
    assert mean.startswith("In a random-intercept model ")
    assert "slope" not in mean
    start = "which also lets the slope of dose vary from clinic to clinic, the average slope of dose was "
    assert f"{start}{slope:.3f} (CR2 SE {se:.3f}, df {df:.1f}, 95% CI " in of_slope
    assert of_slope.endswith(f"), with an sd of {sd:.4f} from clinic to clinic.")
    assert f"{se:.3f} on {df:.1f} df" in warned(found, "A slope that differs")
    page = found.to_html()
    rows = next(rows for question, rows in Page(page).rows.items() if "one more of dose?" in question)
    assert rows["slopes vary"][:3] == [f"{slope:.3f}", f"{kr:.3f}", f"{kr_df:.1f}"]
    assert rows["slopes vary, CR2"][:3] == [f"{slope:.3f}", f"{se:.3f}", f"{df:.1f}"]
    assert float(rows["partial pooling"][1]) < 0.55 * se
    bold = re.findall(r'<tr class="told"><td>(.*?)</td>', page)
    assert bold == ["slopes vary, CR2"]


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is a reference, not a dependency")
def test_the_lines_of_r_that_the_page_prints_run_and_give_its_numbers(tmp_path):
    found = report.describe(read("random_slope"), "response", "clinic", ["dose"])
    _, *lines = [line.split(": ", 1)[1] for line in Page(found.to_html()).parts["code"][0].splitlines()
                 if line.startswith("# ")]  # fmt: skip
    (line,) = lines
    assert line == (
        'coef_test(lmer(response ~ I(dose - mean(dose)) + (1 + I(dose - mean(dose)) | clinic), data), "CR2")'
    )
    script = tmp_path / "page.R"
    script.write_text(
        "for (name in c('lme4', 'clubSandwich'))\n"
        "  if (!suppressMessages(require(name, character.only = TRUE, quietly = TRUE))) quit(status = 9)\n"
        f"data <- read.csv({str(CASES / 'random_slope.csv')!r})\nfound <- {line}\n"
        "cat(found$beta[2], found$SE[2], found$df[2])\n",
        encoding="utf-8",
    )
    ran = subprocess.run(["Rscript", "--vanilla", script], capture_output=True, text=True, check=False)
    if ran.returncode == 9:
        pytest.skip("R is without lme4 or clubSandwich")
    assert ran.returncode == 0, ran.stderr
    line = found.slopes[0]
    expected = pytest.approx([line.estimate, line.se, line.df], rel=1e-4)
    assert [float(number) for number in ran.stdout.split()] == expected


def test_the_page_of_the_pairs_has_the_paired_t_in_its_sentence(r):
    found = report.describe(read("negative_pairs"), "y", "pair", ["arm"])
    difference, se, df, low, high = r["negative_pairs.paired"]
    told = f"{difference:.2f} (CR2 SE {se:.2f}, df {df:.1f}, 95% CI {low:.2f} to {high:.2f})"
    assert told in found.sentence
    assert f"residual intraclass correlation {r['negative_pairs.gls_rho']:.3f}, below 0" in found.sentence
    warning = next(w for w in found.warnings if w.startswith("Less alike than strangers"))
    assert f"{se:.2f} on {df:.1f} df (partial pooling {r['negative_pairs.lmer'][3]:.2f})" in warning
    assert found.code[1] == 'coef_test(lm(y ~ arm, data), "CR2", cluster = data$pair)'


def test_the_page_says_why_one_trial_has_no_robust_error(r):
    found = report.describe(read("lone_level"), "y", "trial", ["arm"])
    page = Page(found.to_html())
    rows = next(rows for question, rows in page.rows.items() if "arm = c in place of a" in question)
    assert rows["complete pooling, CR2"][1:] == ["no SE: without trial 9 it cannot be estimated"]
    assert "no SE: without trial 9 it cannot be estimated" in found.text
    warning = next(w for w in found.warnings if w.startswith("One group alone"))
    assert f"{r['lone_level.lmer'][5]:.2f} on {r['lone_level.lmer'][8]:.1f} df" in warning


def warned(found, lead):
    """The one warning that begins so, on one line."""
    (warning,) = [warning for warning in found.warnings if warning.startswith(lead)]
    return warning


def test_labels_used_anew_in_every_school_are_told(r):
    found = report.describe(read("implicit_nesting"), "score", "class")
    warning = warned(found, "A label used again")
    _, se, df = r["implicit_nesting.cells"]
    _, here, few = r["implicit_nesting.labels"]
    assert "class 1 is found under 8 values of school: 4 labels of class make 32 with school" in warning
    assert f"there are 32 groups and not 4: SE of the mean {se:.3f} on {df:.1f} df in place of " in warning
    assert f"of {here:.3f} on {few:.1f}. With both levels: --group school/class, in Python" in warning
    assert r["implicit_nesting.within"] < levels.ALIKE
    assert f"(P = {r['implicit_nesting.across']:.2f};" in warning
    rows, groups, (school,) = found.beside
    again = levels.used_again(rows, "score", groups, school)
    assert again.within == pytest.approx(r["implicit_nesting.within"], abs=1e-15)
    assert again.across == pytest.approx(r["implicit_nesting.across"], rel=1e-9)
    assert not any("level" in w.split(":")[0] for w in found.warnings)


def test_labels_made_one_are_no_longer_told(r):
    data = read("implicit_nesting")
    data["room"] = data["school"] + "-" + data["class"].astype(str)
    found = report.describe(data.drop(columns="class"), "score", "room")
    _, se, df = r["implicit_nesting.cells"]
    assert [found.fit.bse.iloc[0], found.fit.df.iloc[0]] == pytest.approx([se, df], rel=1e-5)
    assert warned(found, "A level above").startswith(
        "A level above the groups: school may be a level above room: each of these 32 is in one of 8."
    )


def test_a_school_above_the_classes_is_told_with_both_errors(r):
    found = report.describe(read("three_levels"), "score", "class", ["treated"])
    warning = warned(found, "A level above the groups")
    assert "school may be a level above class: each of these 48 is in one of 12" in warning
    _, se, df = r["three_levels.treated"]
    *_, robust, _, robust_df = r["three_levels.CR2"]
    assert (
        f"the slope of treated {found.fit.bse['treated']:.3f} here, {se:.3f} on {df:.1f} df with" in warning
    )
    assert f"school/class, {robust:.3f} on {robust_df:.1f} df by CR2 of school" in warning
    alone = warned(report.describe(read("three_levels"), "score", "class"), "A level above the groups")
    _, se, df = r["three_levels.mean"]
    robust, robust_df = r["three_levels.CR2_mean"]
    assert f"here, {se:.3f} on {df:.1f} df with school/class, {robust:.3f} on {robust_df:.1f} df by" in alone


def test_a_class_within_the_schools_is_told_where_it_was_treated(r):
    found = report.describe(read("three_levels"), "score", "school", ["treated"])
    warning = warned(found, "A level within the groups")
    _, se, df = r["three_levels.treated"]
    assert "class may be a level within school" in warning
    assert "rests on 48 of them and not on 480 rows" in warning
    assert (
        f"treated {found.fit.bse['treated']:.3f} here, {se:.3f} on {df:.1f} df with school/class" in warning
    )
    assert not [w for w in report.describe(read("three_levels"), "score", "school").warnings if "level" in w]


# ---- by command ----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        (
            "negative_pairs",
            ["--outcome", "y", "--group", "pair", "--predictors", "arm"],
            "CR2 SE 2.64, df 11.0",
        ),
        ("lone_level", ["--outcome", "y", "--group", "trial", "--predictors", "arm"], "without trial 9"),
        ("implicit_nesting", ["--outcome", "score", "--group", "class"], "32 groups and not 4"),
        (
            "three_levels",
            ["--outcome", "score", "--group", "class", "--predictors", "treated"],
            "0.438 on 35.0 df with school/class",
        ),
        ("growth", ["--outcome", "height", "--group", "plant", "--predictors", "week"], "psi = 29.18"),
        ("cluster_is_term", ["--outcome", "y", "--group", "site", "--predictors", "site"], None),
    ],
)
def test_by_command(name, arguments, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = command.main(["report", str(CASES / f"{name}.csv"), *arguments])
    error = capsys.readouterr().err
    if said is None:
        assert code == 2
        assert len(error.splitlines()) == 1
        return
    assert (code, error) == (0, "")
    assert said in (tmp_path / f"{name}-report.html").read_text(encoding="utf-8")


MIXED, VARY = "partial pooling", "partial pooling, slopes vary"
# File, what is asked, and numbers by place: those of its .expected.txt, which lme4 and R gave.
EVERY = {
    "growth": ("growth.csv", "height plant week", {(VARY, "estimate"): "5.7843", (VARY, "se"): "0.2646"}),
    "lone_level": ("lone_level.csv", "y trial arm", {(MIXED, "estimate"): "0.7673", (MIXED, "se"): "1.0760"}),
    "negative_pairs": (
        "negative_pairs.csv",
        "y pair arm",
        {("no pooling", "estimate"): "4.9917", ("complete pooling, CR2", "se"): "2.6409"},
    ),
    "random_slope": (
        "random_slope.csv",
        "response clinic dose",
        {(VARY, "estimate"): "0.3293", (VARY, "se"): "0.1013", (VARY, "df"): "18.8"},
    ),
    "three_levels": (
        "three_levels.csv",
        "score school/class treated",
        {("", "se"): "0.4378", ("", "df"): "35.0"},
    ),
    "implicit_nesting": (
        "implicit_nesting.csv",
        "score school+class",
        {(MIXED, "se"): "0.7884", "groups": "32"},
    ),
    "code_nine": (
        "code_nine.csv",
        "gpa student admitted",
        {(MIXED, "estimate"): "0.4316", (MIXED, "se"): "0.0975"},
    ),
    "missing_dot": (
        "missing_dot.csv",
        "score ward",
        {(MIXED, "estimate"): "11.2455", (MIXED, "se"): "0.9328"},
    ),
    "leading_zero": ("leading_zero.csv", None, {"psi": "3.8517", "theta": "1.0784", "groups": "6"}),
    "ward": ("ward.sav", "score ward", {(MIXED, "estimate"): "11.2479", (MIXED, "se"): "0.9333"}),
    "ward of Stata": ("ward.dta", "score ward", {(MIXED, "estimate"): "11.2479", (MIXED, "se"): "0.9333"}),
}


@pytest.mark.parametrize("name", EVERY)
def test_every_case_is_right_by_command_and_by_function(name, tmp_path):
    source, asked, numbers = EVERY[name]
    expected = (CASES / f"{source.split('.')[0]}.expected.txt").read_text(encoding="utf-8")
    known = set(re.findall(r"-?\d+\.\d+|\d+", expected))
    assert set(numbers.values()) <= known
    if asked is None:
        columns = pd.read_csv(CASES / source).columns
        asked = " ".join(sorted(columns, key=lambda column: column == "site"))
    outcome, group, *predictors = asked.split()
    call = ["report", str(CASES / source), "--outcome", outcome, "--group", group, "--missing", "drop"]
    call += ["--predictors", *predictors] if predictors else []
    call += ["--missing-values", "admitted=9"] if name == "code_nine" else []
    page, csv = tmp_path / "o.html", tmp_path / "t.csv"
    assert command.main([*call, "--output", str(page), "--table", str(csv)]) == 0
    codes = {"missing_values": {"admitted": [9]}} if name == "code_nine" else {}
    pair = {"group": group.split("+")} if "+" in group else {}
    data = report.read_table(CASES / source, **codes, **pair)
    found = report.describe(data, outcome, group, predictors, missing="drop")
    by_command = pd.read_csv(csv)
    numeric = ["estimate", "se", "df", "lower", "upper"]
    pd.testing.assert_frame_equal(by_command[numeric], found.table[numeric], check_exact=True)
    about = "slope of" if predictors else "mean of all groups"
    rows = by_command[by_command["estimand"].str.startswith(about)]
    for place, printed in numbers.items():
        if isinstance(place, str):
            value = found.fit.ngroups if place == "groups" else getattr(found.fit, place)
        else:
            method, column = place
            kind = rows["method"] == method if method else rows["method"].str.startswith("partial pooling")
            value = rows.loc[kind, column].iloc[-1]
        unit = 10.0 ** -len(printed.partition(".")[2])  # by which lme4, that stops near the top, may be off
        assert float(printed) == pytest.approx(value, abs=unit), (place, printed, value)
    assert f"{found.fit.nobs} rows in" in page.read_text(encoding="utf-8")


def test_a_case_without_an_answer_is_refused_by_command_and_by_function(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    data = read("cluster_is_term")
    with pytest.raises(ValueError, match="cannot be a predictor here: it is used already"):
        report.describe(data, "y", "site", ["site"])
    call = ["report", str(CASES / "cluster_is_term.csv"), "--outcome", "y", "--group", "site"]
    assert command.main([*call, "--predictors", "site"]) == 2
    assert "cannot be a predictor here: it is used already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("group", "said"),
    [
        (["school", "class", "treated"], "3 groupings (school, class, treated): two at most"),
        (["school", "school"], "groups names 'school' twice"),
    ],
)
def test_what_are_no_two_groupings_is_refused_in_words(group, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call = ["report", str(CASES / "three_levels.csv"), "--outcome", "score", "--group", *group]
    assert command.main(call) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir())
