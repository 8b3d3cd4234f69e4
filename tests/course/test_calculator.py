"""The calculator of the site: numbers and words are those of the report; what it cannot read it says."""

import functools
import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

import helpers
from helpers import report
from helpers.fits import poolings
from helpers.formulas import distributions as stats
from helpers.tables import summarise

ROOT = Path(__file__).parents[2]
SCRIPTS = [ROOT / "book" / "_static" / "calculator" / f"{name}.js"
           for name in ("distributions", "fit", "cells", "read", "words", "watch")]  # fmt: skip
SETS, WORDS_OF = 500, 20  # data sets, and the words of every twentieth are compared


@pytest.fixture(scope="module")
def calculator(browser):
    """Run a function of JavaScript with the calculator's arithmetic and reading, and no page."""
    page, said = browser.new_page(), []
    page.on("pageerror", lambda error: said.append(str(error)))
    for script in SCRIPTS:
        page.add_script_tag(path=script)
    yield page.evaluate
    page.close()
    assert not said


# ---- distributions -------------------------------------------------------------------------------

DF = [0.3, 0.9, 1, 1.5, 2, 3.7, 9, 19, 96.7, 180, 1e3, 1e4, 1e5]


def test_quantiles_and_tails_are_those_of_scipy(calculator):
    F = [(m, n) for m in (1, 2, 5, 19, 100, 1999) for n in (1, 2, 7, 180, 5000, 1e5)]
    ours = calculator(
        """([DF, F]) => ({
          t: DF.map((df) => calculator.t.isf(0.025, df)), sf: DF.map((df) => calculator.t.sf(1.9599, df)),
          chi2: [0.025, 0.95, 0.975].map((p) => DF.map((df) => calculator.chi2.ppf(p, df))),
          F: [0.025, 0.975].map((p) => F.map(([m, n]) => calculator.f.ppf(p, m, n))),
          cdf: F.map(([m, n]) => calculator.f.cdf(0.8, m, n)),
          normal: [0.3, 2, 9].map((x) => calculator.normal.sf(x)), z: calculator.normal.isf(0.025) })""",
        [DF, F],
    )
    df, (m, n) = np.array(DF), np.array(F).T
    theirs = {
        "t": stats.t.isf(0.025, df), "sf": stats.t.sf(1.9599, df), "cdf": stats.f.cdf(0.8, m, n),
        "chi2": stats.chi2.ppf(np.array([[0.025], [0.95], [0.975]]), df), "z": special.ndtri(0.975),
        "F": stats.f.ppf(np.array([[0.025], [0.975]]), m, n), "normal": stats.norm.sf([0.3, 2, 9]),
    }  # fmt: skip
    assert set(ours) == set(theirs)
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=5e-12, err_msg=name)


# ---- 500 data sets -------------------------------------------------------------------------------


def drawn(k):
    """A data set: groups of equal sizes, one large, many of one row or none of these; 2 to 1500 groups."""
    rng, kind = np.random.default_rng(k), k % 8
    J = int(rng.integers(2, 40)) if k % 20 else round(math.exp(rng.uniform(math.log(40), math.log(1500))))
    if kind in (0, 1):
        sizes = np.full(J, rng.integers(2, 9))
    elif kind == 2:
        sizes = np.where(rng.random(J) < 0.7, 1, rng.integers(1, 9, J))
    elif kind == 3:
        sizes = np.append(rng.integers(50, 150), rng.integers(1, 4, J - 1))
    else:
        sizes = rng.integers(1, 12, J)
    sizes[-1] = max(sizes[-1], 2)
    psi = rng.choice([0.0, 0.05, 0.3, 1.0, 10.0])
    codes = np.repeat(np.arange(J), sizes)
    y = np.sqrt(psi) * rng.normal(size=J)[codes] + rng.normal(size=len(codes))
    y = (0.0, 30.0, -4.0, 1e9)[k // 8 % 4] + y * 10 ** rng.uniform(-2, 3)
    if k % 11 == 5:
        y = np.round(y)  # codes, ties, two values
    order = rng.permutation(len(codes))
    return pd.DataFrame({"y": y[order], "clinic": codes[order] + 1})


def pasted(k, frame):
    """The data set as text: a comma or a point for a decimal mark, one of four separators, names or none."""
    separator = "\t;|,"[k // 2 % 4]
    form = "clinic {:04d}" if k % 3 else "{}"
    rows = [
        (repr(y), form.format(j))
        for y, j in zip(*map(pd.Series.tolist, (frame["y"], frame["clinic"])), strict=True)
    ]
    if k % 2 and separator != ",":
        rows = [(y.replace(".", ","), label) for y, label in rows]
    head = [("y", "clinic")] * (k % 5 > 0)
    return "\n".join(separator.join(row) for row in head + rows)


@functools.cache
def sets():
    """The data sets that can be fitted, with their number."""
    found = ((k, drawn(k)) for k in itertools.count())
    fit = ((k, frame) for k, frame in found if frame.groupby("clinic")["y"].nunique().max() > 1)
    return dict(itertools.islice(fit, SETS))


def of_helpers(frame, k):
    """Every line of the table by helpers, the variances (of every third their intervals), the one."""
    summary = summarise(frame, "y ~ 1", "clinic")
    complete, robust, no, partial, *_ = poolings(summary)
    fit, one = partial.with_df("kenward-roger"), int(summary.sizes.argmax())
    pooled = fit.group_means[["estimate", "se_unconditional"]].to_numpy()[one]
    means = summary.means[:, -1]
    on_means = (means.mean() + summary.shift[-1], means.std(ddof=1) / math.sqrt(len(means)), len(means) - 1)
    lines = [
        (no._estimate[one], no._se[one], fit.group_df),
        (*pooled, fit.group_df),
        (*no._mean_of_groups(), fit.group_df),
        of_mean(fit),
        on_means,
        fit.new_group(),
        fit.new_observation(),
        of_mean(complete),
        of_mean(robust),
    ]
    variances = [fit.psi, fit.theta]
    if k % 3 == 0:
        variances += [*fit.psi_int(), *fit.icc_int(), fit.test_psi().pvalue]
    return np.array([interval(*line) for line in lines]), np.array(variances), summary.labels[one]


def of_mean(fit):
    return [float(of.iloc[0]) for of in (fit.params, fit.bse, fit.df)]


def interval(estimate, se, df):
    half = stats.t.isf(0.025, df) * se
    return [estimate, se, df, estimate - half, estimate + half]


RUN = """(texts) => texts.map((text) => {
  const read = calculator.readRows(text);
  if (read.refused || read.ask) return { refused: read.refused ?? read.ask };
  const found = calculator.fit(calculator.summarise(read.values, read.codes, read.labels));
  if (found.refused) return found;
  return {
    one: found.labels[found.one],
    lines: found.lines.map((line) =>
      ["estimate", "se", "df", "lower", "upper"].map((key) => String(line[key]))),
    variances: [found.psi, found.theta, ...found.psiInterval, ...found.iccInterval, found.pOfPsi].map(String),
  };
})"""


def test_500_data_sets_agree_with_helpers_to_nine_digits(calculator):
    found = sets()
    assert len(found) == SETS
    answers = calculator(RUN, [pasted(k, frame) for k, frame in found.items()])
    singular = 0
    for (k, frame), ours in zip(found.items(), answers, strict=True):
        assert "refused" not in ours, f"{k}: {ours}"
        lines, variances, one = of_helpers(frame, k)
        assert one == int(ours["one"].removeprefix("clinic ")), k
        mine, se = np.array(ours["lines"], dtype=float), lines[:, 1]
        known = se > 1e-9 * math.sqrt(variances[1])
        assert np.isnan(mine[~known, 1:]).all()
        # Estimates and ends to nine digits of the standard error, so that an offset of 1e9 hides nothing.
        near = 1e-9 * np.where(known, se, 1) + 4 * np.spacing(np.abs(lines[:, 0]))
        assert (np.abs(mine[:, 0] - lines[:, 0]) <= near).all(), k
        for column in (3, 4):
            assert (
                np.abs(mine[known, column] - lines[known, column]) <= 5 * near[known] + 1e-9 * se[known]
            ).all(), k
        np.testing.assert_allclose(mine[known, 1:3], lines[known, 1:3], rtol=1e-9, err_msg=str(k))
        theirs = np.array(ours["variances"], dtype=float)[: len(variances)]
        np.testing.assert_allclose(theirs, variances, rtol=1e-9, err_msg=str(k))
        singular += variances[0] == 0
    assert singular > 50


# ---- words ---------------------------------------------------------------------------------------


def text_of(frame):
    return frame.to_csv(sep="\t", index=False, lineterminator="\n", na_rep="NA")


def case(sizes, means, spread=1.0, outcome="score", group="class_id", seed=0):
    """Rows about given means, as a table."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    y = np.asarray(means, dtype=float)[codes] + spread * rng.normal(size=len(codes))
    return pd.DataFrame({group: [f"c{code:02d}" for code in codes], outcome: y.round(4)})


def with_gaps():
    frame = case([6] * 12, range(12)).astype(object)
    frame.loc[[3, 9, 20], "score"] = None
    frame.loc[[9, 30], "class_id"] = None
    return frame


def alike_names():
    frame = case([5] * 8, range(8))
    return frame.replace({"class_id": {"c01": "C 00", "c02": "c00 ", "c04": "c 03"}})


def shared_out():
    """Every group has the same mean, to the last digit."""
    y = np.tile([1.0, 2.0, 3.0, 4.0], 9)
    return pd.DataFrame({"litter": np.repeat([f"l{j}" for j in range(9)], 4), "body weight": y})


def strangers():
    frame = case([6] * 30, np.zeros(30), seed=3)
    frame["score"] -= 0.9 * frame.groupby("class_id")["score"].transform("mean")
    return frame.round(4)


CASES = {
    "classrooms": lambda: helpers.classrooms()[["score", "classroom"]],
    "radon": lambda: helpers.radon()[["log_radon", "county"]],
    "gaps": with_gaps,
    "two values": lambda: case([10] * 15, np.linspace(-1, 1, 15)).assign(
        score=lambda d: (d["score"] > 0) * 1
    ),
    "a code": lambda: case([9] * 35, np.zeros(35)).assign(
        score=lambda d: np.where(np.arange(len(d)) % 30 == 0, 99, d["score"].round().abs() + 1)
    ),
    "a value far off": lambda: case([8] * 9, range(9)).assign(
        score=lambda d: np.where(np.arange(len(d)) == 5, 999, d["score"])
    ),
    "nearly a group a row": lambda: case([1] * 20 + [2, 3], np.zeros(22), 2),
    "three groups": lambda: case([4, 5, 6], [0, 5, 1]),
    "singular": lambda: case([7] * 12, np.zeros(12), seed=1),
    "strangers": strangers,
    "shared out": shared_out,
    "one large group": lambda: case([100] + [2] * 9, np.zeros(10), seed=3),
    "alike": alike_names,
    "unequal": lambda: case([1, 1, 1, 2, 40, 3, 2, 9, 1, 30] * 4, np.linspace(0, 9, 40)),
    "far out": lambda: case([6] * 40, [30] + [0] * 39, group="groupNo", outcome="systolic blood pressure"),
    "many": lambda: case([2] * 90, np.linspace(0, 2, 90), group="g2", outcome="y=1"),
    "large": lambda: case([3, 5] * 20, 1e6 + 1e4 * np.arange(40), 3e5, group="Schule", outcome="höhe cm"),
    "tiny": lambda: case([3, 5] * 20, np.arange(40) * 1e-6, 1e-5).assign(
        score=lambda d: d["score"] + np.arange(160) * 1e-7
    ),
}  # fmt: skip

SAY = """(texts) => texts.map((text) => {
  const read = calculator.readRows(text);
  if (read.refused) return read.refused;
  const found = calculator.fit(calculator.summarise(read.values, read.codes, read.labels));
  if (found.refused) return found.refused;
  const said = (lines) => lines.map((line) => {
    const cells = calculator.cells(line, lines);
    return [calculator.method(line), cells, cells.length === 1 ? calculator.withheld(read) : ""];
  });
  const { byQuestion, grouping, variances, warnings, sentence } = calculator;
  const table = byQuestion(found, read).map(({ asked, over, lines }) => [asked, over, said(lines)]);
  return [grouping(found, read), table, variances(found), warnings(found, read), sentence(found, read)];
})"""


def said(found):
    """What a report says, without p values of slopes and the like: as the script's `SAY`."""
    table = []
    for question, over, lines in report.words.by_question(found):
        cells = [report.words.cells(line, lines) for line in lines]
        why = [
            found.withheld(line) if len(cell) == 1 else "" for line, cell in zip(lines, cells, strict=True)
        ]
        table.append([question, over, [[report.words.method(line), *rest]
                                       for line, *rest in zip(lines, cells, why, strict=True)]])  # fmt: skip
    return [found.grouping, table, [list(row) for row in found.variances], found.warnings, found.sentence]


def without_test_on_means(ours):
    for _, _, lines in ours[1]:
        lines[:] = [line for line in lines if line[0] != "t test on group means"]
    return ours


def test_every_word_is_the_reports(calculator, tmp_path):
    """Grouping, table, variances, warnings and sentence, to the letter; the page has one line more."""
    texts = [text_of(make()) for make in CASES.values()]
    texts += [text_of(frame) for frame in list(sets().values())[::WORDS_OF]]
    heard = set()
    for k, (text, ours) in enumerate(zip(texts, calculator(SAY, texts), strict=True)):
        (tmp_path / "data.tsv").write_text(text, encoding="utf-8")
        frame = report.read_table(tmp_path / "data.tsv")
        names = list(frame.columns)
        group = next(name for name in names if name in ("clinic", *NAMES_OF_GROUPS))
        names.remove(group)
        found = report.describe(frame, names[0], group, missing="drop")
        assert without_test_on_means(ours) == said(found), k
        heard |= {warning.split(":")[0] for warning in found.warnings}
    assert heard == HEARD


NAMES_OF_GROUPS = ("class_id", "classroom", "county", "litter", "groupNo", "g2", "Schule")
HEARD = {"Missing values", "Two values", "Values far off", "A group for each row, nearly", "Few groups",
         "Very few groups", "Singular fit", "Less alike than strangers", "Kenward and Roger's df collapse",
         "Names alike", "Very unequal sizes", "Groups of one row", "A group far out"}  # fmt: skip


def test_sizes_means_and_deviations_give_what_the_rows_give(calculator):
    for k in (2, 8, 9, 13, 21, 40):
        frame = sets()[k]
        by = frame.groupby("clinic")["y"].agg(["size", "mean", "std"])
        groups = zip(by.index, by["size"], map(float, by["mean"]), map(float, by["std"]), strict=True)
        text = "\n".join(
            f"clinic {j:04d};{n};{mean!r};{sd!r}".replace("nan", "") for j, n, mean, sd in groups
        )
        ours = calculator(
            """(text) => {
              const read = calculator.readGroups(text);
              if (read.refused) return read;
              const { sizes, means, sds, labels } = read;
              const found = calculator.fit(calculator.ofGroups(sizes, means, sds, labels));
              return found.lines.map(({ estimate, se, df }) => [estimate, se, df]);
            }""",
            text,
        )
        lines, *_ = of_helpers(frame, 1)
        np.testing.assert_allclose(ours, lines[:, :3], rtol=1e-8, err_msg=str(k))


# ---- what is read, and what is not ---------------------------------------------------------------

READ = "([text, chosen, groups]) => calculator[groups ? 'readGroups' : 'readRows'](text, chosen ?? {})"


@pytest.mark.parametrize(
    ("text", "values", "labels"),
    [
        ("class\tscore\r\nA\t1,5\r\nB\t2,5\r\nB\t3\r\n", [1.5, 2.5, 3], "ABB"),
        ("A;1,5\nB;2\nB;2,25", [1.5, 2, 2.25], "ABB"),
        ("score,class\n1.5,A\n-2,B\n1e3,B", [1.5, -2, 1000], "ABB"),
        ("1,5 A\n2 B\n2,7 B", [1.5, 2, 2.7], "ABB"),
        ("A 1.5\nB 2\nB .5", [1.5, 2, 0.5], "ABB"),
        ("A|1.5\nB|\u22122\nB|+3.", [1.5, -2, 3], "ABB"),
        ('"y","g"\n"1.5","A, 1"\n"2","B"\n"4","B"', [1.5, 2, 4], ["A, 1", "B", "B"]),
        ("\ufeffsep=;\ny;g\n1;A\n\n2;B\n3;B\n\n", [1, 2, 3], "ABB"),
        ("\t\tg\ty\t\n\t\tA\t1\t\n\t\tB\t2\t\n\t\tB\t3\t", [1, 2, 3], "ABB"),
        ("g\ty\nA\t1\nB\nB\t3\nB\tNA\n\t5", [1, 3], "AB"),
        ("g\ty\n2\t10.5\n10\t11\n10\t12", [10.5, 11, 12], ["2", "10", "10"]),
        ("1\t10.5\n1\t11\n2\t12\n2\t10", [10.5, 11, 12, 10], "1122"),
    ],
)
def test_separator_decimal_mark_and_names_are_found(calculator, text, values, labels):
    read = calculator(READ, [text])
    assert "refused" not in read, read
    assert read["values"] == values
    codes = calculator("(text) => [...calculator.readRows(text).codes]", text)
    assert [read["labels"][code] for code in codes] == list(labels)


BAD = {
    "nothing": ("  \n ", "nothing to read yet"),
    "one column": ("score\n1\n2\n3", "one column only"),
    "one column of groups": ("class\nA\nB", "one column only"),
    "no numbers": ("class\tscore\nA\tgood\nB\tbad", "No column is of numbers: line 3 has “B” and “bad”"),
    "text among the numbers": ("g\ty\nA\t1\nA\tabsent\nB\t3\nB\t4", "Line 3 of column “y” has “absent”"),
    "more text": ("g\ty\nA\t1\nA\tx\nB\t3\nB\ty\nB\t9", "2 of 5 cells are no numbers"),
    "no names, first value text": ("A\tn.d.\nA\t2\nB\t3\nB\t4", "“n.d.” where a number should be, and “A”"),
    "dates": ("g\ty\nA\t1.5.2024\nB\t2.5.2024\nB\t3.5.2024", "a date or a time"),
    "a date among numbers": ("g\ty\nA\t1.5\nA\t2024-05-01\nB\t3\nB\t4", "taken it for a date"),
    "a month": ("g\ty\nA\t1.5\nA\t01. Mai\nB\t3\nB\t4", "a date or a time"),
    "a formula's error": ("g\ty\nA\t1.5\nA\t#DIV/0!\nB\t3\nB\t4", "an error of the spreadsheet"),
    "per cent": ("g\ty\nA\t1.5%\nA\t2%\nB\t3\nB\t4\nB\t5", "without the percent sign"),
    "units": ("g\ty\nA\t15 cm\nA\t2\nB\t3\nB\t4", "without its unit"),
    "a bound": ("g\ty\nA\t<0.1\nA\t2\nB\t3\nB\t4", "a bound and not a value"),
    "yes and no": ("g\ty\nA\tyes\nA\t2\nB\t3\nB\t4", "1 and 0 for yes and no"),
    "infinity": ("g\ty\nA\tinf\nA\t2\nB\t3\nB\t4", "An infinite value has no mean"),
    "thousands": ("g;y\nA;1,234.5\nA;2.5\nB;3.5\nB;4.1", "without marks for thousands"),
    "thousands or decimals": ("g;y\nA;1,234\nA;2,345\nB;3,456\nB;4,567", "choose that below"),
    "point and comma": ("g\ty\nA\t1.5\nA\t2,5\nB\t3\nB\t4", "point (line 2: “1.5”) and with a comma (line 3"),
    "decimal commas between commas": ("g,y\nA,1,5\nA,2,5\nB,3,5", "Line 2 has 3 fields, line 1 has 2"),
    "a long number": ("g\ty\nA\t1\nA\t12345678901234567\nB\t3", "too many digits"),
    "a cell is missing": ("g;y\nA;1\nA\nB;3\nB;4", "Line 3 has 1 field, line 1 has 2"),
    "merged cells": ("g\ty\nA\t1\n\t2\n\t3\nB\t4\n\t5", "are cells merged"),
    "a title": ("Results of the spring\ng\ty\nA\t1\nB\t2", "if it is a title, leave it out"),
    "a total": ("g\ty\nA\t1\nA\t2\nB\t3\nTotal\t6", "leave rows of totals and means out"),
    "two tables, one below": ("g\ty\nA\t1\nB\t2\n\nh\tz\nC\t3\nD\t4", "does another table begin there"),
    "two tables, names again": ("g\ty\nA\t1\nB\t2\ng\ty\nA\t3\nB\t4", "are these two tables"),
    "two tables, side by side": ("g\ty\t\tg\ty\nA\t1\t\tA\t2\nB\t1\t\tB\t2", "side by side"),
    "names twice": ("y\ty\nA\t1\nB\t2", "Two columns are called “y”"),
    "one row": ("g\ty\nA\t1", "one row only"),
    "one group": ("g\ty\nA\t1\nA\t2\nA\t3", "All rows are in one group, A"),
    "groups of one": ("g\ty\nA\t1\nB\t2\nC\t3.5", "Every group has one row only"),
    "constant": ("g\ty\nA\t5\nA\t5\nB\t5\nB\t5", "All numbers are the same"),
    "constant within groups": ("g\ty\nA\t5\nA\t5\nB\t6\nB\t6", "do not vary within any group"),
    "all left out": ("g\ty\nA\t5\nA\t6\n\t7".replace("A", "NA"), "No row has both"),
    "a workbook": ("PK\x03\x04\x14\x00", "an Excel or OpenDocument workbook"),
    "a web page": ("<!doctype html><html>", "a web page"),
    "JSON": ('[{"g": "A", "y": 1}]', "This is JSON"),
    "an open quote": ('g,y\n"A,1\nB,2', "quote"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_meant_is_refused_in_words(calculator, name):
    text, words = BAD[name]
    read = calculator(READ, [text])
    if "refused" not in read:
        assert "ask" not in read
        read = calculator(
            """(text) => { const read = calculator.readRows(text);
            return calculator.fit(calculator.summarise(read.values, read.codes, read.labels)); }""",
            text,
        )
    assert words in read["refused"]
    assert not read["refused"][0].islower()
    assert read["refused"].endswith(".") or read["refused"].endswith("?")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10 2\n3 4", "There are 2 columns"),
        ("n\tmean\tse\n10\t2\t3\n11\t3\t4", "a column of standard errors"),
        ("2.5 1 3\n4 2 2", "a size is a whole number"),
        ("a 4 1 3\na 4 2 2", "Two groups are called “a”"),
        ("a 4 1 -3\nb 4 2 2", "below 0"),
        ("a 4 1 NA\nb 4 2 2", "has no standard deviation"),
        ("a 4 NA 1\nb 4 2 2", "has no mean"),
        ("a 4 x 1\nb 4 2 2", "“x” where a number should be"),
    ],
)
def test_groups_that_are_typed_wrongly_are_refused_in_words(calculator, text, words):
    assert words in calculator(READ, [text, None, True])["refused"]


def test_of_more_columns_the_reader_chooses_two_and_says_the_decimal_mark(calculator):
    text = "pupil;class;score\n1;A;1,234\n2;A;2,345\n3;B;4,567"
    assert "There are 3 columns" in calculator(READ, [text])["ask"]
    chosen = {"outcome": 2, "group": 1, "decimal": ","}
    read = calculator(READ, [text, chosen])
    assert (read["outcome"], read["group"], read["values"]) == ("score", "class", [1.234, 2.345, 4.567])
    assert "same column" in calculator(READ, [text, chosen | {"group": 2}])["refused"]
