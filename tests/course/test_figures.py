"""The figures: each comes with an alt text made of its data, in colours that most eyes can tell apart."""

import inspect
import itertools
import math
import re
import warnings
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgb, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from helpers import no_pooling, partial_pooling, posterior
from helpers.course import figures
from helpers.course.datasets import with_mean_squares
from helpers.course.figures.robust import families_of
from helpers.fits.profile import Profile
from helpers.fits.simulate import bootstrap, replicate
from helpers.tables import summarise


@pytest.fixture(autouse=True)
def _no_window_and_no_figure_left_open():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


def other(classrooms):
    """The classrooms with the scores of the first class raised by 30 points."""
    raised = classrooms.copy()
    raised.loc[raised["classroom"] == 1, "score"] += 30
    return raised


FOUR = {"CR1": 5.1, "jackknife": 5.2, "REML": 5.0, "CR3": 5.4}


def by_level(mean):
    """Three methods and two terms, the first method what the others are held against."""
    methods = ["both levels", "one level", "lm"]
    return pd.DataFrame({"Intercept": [2.0, mean, 0.5], "treated": [1.0, 0.5, 1.5]}, methods)


def posteriors(msb):
    summary = summarise(with_mean_squares(6, 5, msb, 10.0), "score ~ 1", "group")
    return {"six": {prior: posterior(summary, prior) for prior in ("flat", "bambi")}}, {"six": msb / 9}


def ladder(half):
    return pd.DataFrame(
        {"lower": [-half, -1.5 * half], "upper": [half, 1.5 * half]}, ["t", "posterior, flat"]
    )


def resample(data, scheme):
    return bootstrap(data["score"], data["classroom"], scheme=scheme, replicates=300, seed=1)


def repeat(psi):
    return replicate(psi, 900, 20, 10, mean=1629, replicates=500, seed=1)


def grouped(data):
    fit = partial_pooling("score ~ 1", data, groups="classroom")
    means = data.groupby("classroom", observed=True)["score"].mean()
    return means, fit.group_means["estimate"], no_pooling("score ~ 1", data, groups="classroom")


def left(data):
    """Fitted values and residuals of the classrooms."""
    fitted = grouped(data)[1].to_numpy()[data["classroom"].cat.codes]
    return fitted, data["score"].to_numpy() - fitted


def covered(z):
    """What `simulate.coverage` gives, with this share for z."""
    rows = ["partial pooling, z", "partial pooling, t"]
    return pd.DataFrame({"coverage": [z, 0.96], "mcse": [0.002, 0.001]}, rows)


def two_levels(classrooms):
    """A fit with a predictor that varies within classes, and one that does not."""
    number = classrooms["classroom"].astype(int)
    data = classrooms.assign(row=np.arange(len(classrooms)) % 10, odd=number % 2)
    return partial_pooling("score ~ row + odd", data, "classroom")


def few_counties(rise):
    """Means of four counties without and with pooling, their sizes, and the one to circle."""
    sizes = pd.Series([1, 1, 5, 40], ["A", "B", "C", "D"])
    own, pooled = np.array([2.5, 0.5, 1.5 + rise, 1.2]), np.array([1.5, 1.1, 1.6, 1.2 + rise])
    se = 0.8 / np.sqrt(sizes)
    return {"No": (own, se), "Partial": (pooled, se / 2)}, sizes, 1.3, "A"


def three_lines(more):
    """Own and shrunken lines of three groups, and the rest that their figure takes."""
    own = pd.DataFrame({"level": [1.0, 2.0, 3.0], "slope": [-1.0, 1.0, 3.0 + more]})
    reach = pd.DataFrame({"mean": [0.0, 0.5, 1.0], "low": [-1.0, -0.5, 0.0], "high": [1.0, 1.5, 2.0]})
    return own, own.assign(slope=1 + (own["slope"] - 1) / 4), reach, 1.0, 0.7


# Two sets of arguments for each function: the second changes the data, and nothing else.
DRAWN = {
    "students_by_class": lambda c: [(c,), (other(c),)],
    "sum_of_squares_split": lambda c: [(c,), (other(c),)],
    "standard_errors_and_bound": lambda c: [
        ({"complete": 2.382785, "partial": 4.716022}, 1.982253, ("the question", 0.2443936)),
        ({"complete": 2.582785, "partial": 4.916022}, 1.882253, ("the question", 0.3443936)),
    ],
    "repeated_means": lambda c: [({"same": repeat(psi), "new": repeat(psi + 400)},) for psi in (100, 200)],
    "interval_ladder": lambda c: [
        ([9.0, 10.5, 12.0], {"short": 0.75, "long": [2, 2, 3]}, 10),
        ([9.0, 9.5, 12.0], {"short": 0.25, "long": [2, 2, 1]}, 10)],
    "coverage_by_population": lambda c: [(366.23, 785.87, 20, 10), (266.23, 985.87, 20, 10)],
    "se_by_population": lambda c: [(366.23, 785.87, 20, 10), (266.23, 985.87, 20, 10)],
    "f_against_groups": lambda c: [
        ({"all": (20, 5.66), "three": (3, 5.03)},), ({"all": (20, 6.66), "three": (3, 7.03)},)],
    "se_by_class_size": lambda c: [(366.23, 785.87, 20, 10), (266.23, 985.87, 20, 10)],
    "weights_by_size": lambda c: [({"here": 0.32, "there": 0.13},), ({"here": 0.42, "there": 0.05},)],
    "se_brackets": lambda c: [
        ({"one": (4.75, 4.95, 5.23), "two": (6.0, 6.43, 6.49)},),
        ({"one": (4.75, 4.85, 5.13), "two": (6.0, 6.33, 6.39)},)],
    "profile_deviance": lambda c: [(c, [1.0, 0.5]), (other(c), [1.0, 0.5])],
    "criterion_at_the_boundary": lambda c: [([0.5, 1.0, 2.0], 20, 10), ([0.6, 1.0, 2.4], 12, 5)],
    "chance_of_zero": lambda c: [(900.0, 10), (600.0, 10)],
    "shrinkage_fan": lambda c: [
        ([1.0, 2.0, 6.0], [1.5, 2.3, 5.2], [1.8, 1.5, 7.0]),
        ([1.0, 2.0, 9.0], [1.5, 2.7, 7.2], [1.8, 2.5, 7.0]),
    ],
    "class_mean_variance_parts": lambda c: [(366.23, 785.87, 20, 10), (266.23, 985.87, 20, 10)],
    "shrinkage_by_distance": lambda c: [(400, 900, 10), (266.23, 985.87, 10)],
    "grouped_means": lambda c: [grouped(c), grouped(other(c))],
    "residuals_by_fitted": lambda c: [(*left(c), "score"), (*left(other(c)), "score")],
    "residuals_against_normal": lambda c: [(left(c)[1],), (left(other(c))[1],)],
    "effects_against_normal": lambda c: [
        (grouped(c)[1] - 1629, "means, by classroom"), (grouped(other(c))[1] - 1629, "means, by classroom")],
    "slopes_within_and_between": lambda c: [
        (c, 2.19, (1.0, 5.87), (1.5, 2.39), "score", "error", "classroom", 4),
        (other(c), 1.19, (1.0, 4.87), (1.5, 1.39), "score", "error", "classroom", 5)],
    "se_ratio_by_icc": lambda c: [(366.23, 785.87, 10), (266.23, 985.87, 10)],
    "coverage_by_groups": lambda c: [
        ({3: covered(0.84), 20: covered(0.93)},), ({3: covered(0.8), 20: covered(0.9)},)],
    "df_by_predictor": lambda c: [({"here": two_levels(c)},), ({"there": two_levels(c[:100])},)],
    "equal_families": lambda c: [
        ({"CR1": 4.7, "jackknife": 4.7, "REML": 4.7, "CR3": 4.8}, FOUR, {"GLS": ["REML"]}),
        ({"CR1": 4.7, "jackknife": 4.7, "REML": 4.9, "CR3": 4.9}, FOUR, {"GLS": ["REML"]})],
    "means_by_size": lambda c: [(*few_counties(0),), (*few_counties(0.4),)],
    "two_logarithms": lambda c: [
        ([0, low, 1.0, 4.0], [1, 1, 0, 0], ["down", "up"]) for low in (0.1, 0.2)],
    "county_standard_errors": lambda c: [
        ({"M": (0.5, pd.DataFrame({"se": [0.4, 0.3, 0.1 + d], "se_conditional": [0.35 + d, 0.25, 0.1]})),
          "N": (0.6, pd.DataFrame({"se": [0.2, 0.2, 0.1], "se_conditional": [0.1, 0.1, 0.05]}))},
          [1, 2, 40], 2)
        for d in (0, 0.02)],
    "design_contours": lambda c: [(400, 900, 10, [3, 4, 5]), (266.23, 985.87, 10, [3, 4, 5])],
    "average_slope_by_size": lambda c: [(1.0, 25.0, 20), (2.0, 25.0, 20, 50)],
    "own_and_shrunk_lines": lambda c: [three_lines(0), three_lines(0.2)],
    "errors_by_level": lambda c: [(by_level(1.0),), (by_level(0.8),)],
    "two_way_by_groups": lambda c: [(4.0, 9.0, 16.0), (2.0, 9.0, 16.0)],
    "posterior_of_sd": lambda c: [posteriors(20.0), posteriors(35.0)],
    "posterior_ladder": lambda c: [
        ({"all": ladder(10.0), "few": ladder(20.0)},), ({"all": ladder(11.0), "few": ladder(25.0)},)],
    "power_curves": lambda c: [(400, 900, 20, 10), (266.23, 985.87, 20, 10)],
}  # fmt: skip


def figure_functions():
    return [f for n, f in inspect.getmembers(figures, inspect.isfunction) if n not in ("show", "save")]


@pytest.fixture(scope="module", params=DRAWN)
def drawn(request, classrooms):
    """Both drawings of one function, without a warning: [(figure, alt), (figure, alt)]."""
    function, cases = getattr(figures, request.param), DRAWN[request.param](classrooms)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [function(*arguments) for arguments in cases]


class Twice(NamedTuple):
    """Every function called twice with the same data: alt texts; data and look before and after."""

    alts: dict
    data: list
    look: list


@pytest.fixture(scope="module")
def twice(classrooms):
    alts, data = {}, [classrooms.copy(deep=True), classrooms]
    with plt.rc_context({key: plt.rcParamsDefault[key] for key in figures.STYLE}):  # whoever drew before
        look = dict(plt.rcParams)
        for name, cases in DRAWN.items():
            arguments = cases(classrooms)[0]
            alts[name] = [getattr(figures, name)(*arguments)[1] for _ in range(2)]
            plt.close("all")
        return Twice(alts, data, [look, dict(plt.rcParams)])


def numbers(text):
    return re.findall(r"-?\d+(?:\.\d+)?", text)


def test_every_figure_function_is_tested_here():
    assert sorted(DRAWN) == sorted(f.__name__ for f in figure_functions())


def test_each_function_returns_a_figure_and_its_alt_text(drawn):
    for figure, alt in drawn:
        assert isinstance(figure, Figure)
        assert isinstance(alt, str)


def test_each_alt_text_is_a_sentence_or_more(drawn):
    for _, alt in drawn:
        assert len(alt.split()) >= 12
        assert alt[0].isupper()
        assert alt.endswith(".")
        assert "\n" not in alt
        assert "  " not in alt


def test_each_alt_text_tells_numbers_and_they_follow_the_data(drawn):
    (_, first), (_, second) = drawn
    assert len(numbers(first)) >= 3
    assert numbers(first) != numbers(second)


def test_no_alt_text_tells_a_number_that_is_none(drawn):
    for _, alt in drawn:
        assert not re.search(r"\b(nan|inf|None)\b", alt)
        assert "np.float" not in alt


def test_the_same_data_give_the_same_alt_text(twice):
    for first, second in twice.alts.values():
        assert first == second


def test_each_figure_has_labelled_axes_and_draws_something(drawn):
    for figure, _ in drawn:
        assert figure.axes
        for ax in figure.axes:
            assert ax.get_xlabel()
            assert ax.has_data()


def test_the_callers_data_are_left_as_they_were(twice):
    before, after = twice.data
    assert after.equals(before)


def test_the_look_is_not_left_behind_in_matplotlib(twice):
    before, after = twice.look
    assert after == before


@pytest.mark.filterwarnings("error")
def test_no_figure_warns_while_it_is_drawn_and_laid_out(drawn):
    figure, _ = drawn[0]
    FigureCanvasAgg(figure).draw()  # its own canvas draws nothing once it is closed


# ---- what the alt texts say ----------------------------------------------------------------------


def test_the_pupils_alt_text_tells_the_means_of_the_data(classrooms, reference):
    _, alt = figures.students_by_class(classrooms)
    means = reference("classrooms")["data.class_means"]
    r = reference("classrooms")
    for value in (min(means), max(means), r["data.grand_mean"], r["re.sd_classmeans"], r["np.sigma"]):
        assert f"{value:.1f}" in alt
    assert "200 pupils in 20 classrooms" in alt


def test_the_sums_of_squares_alt_text_tells_rs_table(classrooms, reference):
    _, alt = figures.sum_of_squares_split(classrooms)
    r = reference("classrooms")
    for text in (f"{r['anova.SSB']:.0f}", f"{r['anova.SSW']:.0f}", f"{r['anova.MSB']:.1f}", "19", "180"):
        assert text in alt


def test_the_wall_alt_text_names_the_one_beyond_the_wall(classrooms):
    _, alt = figures.standard_errors_and_bound(*DRAWN["standard_errors_and_bound"](classrooms)[0])
    assert "only the question lies beyond it" in alt
    for text in ("0.2444", "1.982", "2.383", "4.716"):
        assert text in alt


def test_the_histograms_alt_text_tells_each_sd_beside_its_formula():
    _, alt = figures.repeated_means({"same": repeat(100), "new": repeat(500)})
    for label, psi, formula in (("same", 100, "3.08"), ("new", 500, "5.43")):
        assert f"{label} {repeat(psi).sd:.2f} (formula {formula})" in alt
    assert "over 500 repeats" in alt
    assert "around 1629" in alt


def test_the_ladder_marks_and_counts_just_the_intervals_that_miss():
    figure, alt = figures.interval_ladder([9.0, 10.5, 12.0], {"short": 0.75, "long": [2, 2, 2]}, 10)
    assert "short 2; long 0" in alt
    short, long = figure.axes
    assert "2 of 3 miss" in short.get_title()
    crosses = [[*line.get_xdata()] for ax in (short, long) for line in ax.lines if line.get_marker() == "X"]
    assert crosses == [[9.0, 12.0], []]


def test_the_dial_alt_text_tells_what_each_interval_covers_at_both_ends():
    _, alt = figures.coverage_by_population(400, 900, 20, 10)
    for text in ("partial pooling 1.000 and 0.950", "complete pooling 0.982 and 0.687", "0.950 and 0.599"):
        assert text in alt
    assert "meets the line at K = 22.2." in alt  # Jn / (n - 1)


def test_the_population_alt_text_tells_both_ends(reference):
    r = reference("classrooms")
    _, alt = figures.se_by_population(r["anova.psi"], r["anova.theta"], 20, 10)
    for key in ("fpc.K20", "fpc.K40", "pp.se_exact"):
        assert f"{r[key]:.2f}" in alt


def test_the_plane_alt_text_tells_which_side_a_point_lies_on():
    _, alt = figures.f_against_groups({"all": (20, 5.66), "three": (3, 5.03)})
    assert re.search(r"all .*lies below it", alt)
    assert re.search(r"three .*lies above it", alt)


def test_the_class_size_alt_text_tells_the_floor_and_the_three_standard_errors(reference):
    r = reference("classrooms")
    _, alt = figures.se_by_class_size(r["anova.psi"], r["anova.theta"], 20, 10)
    for key in ("se.formula_OLS", "se.formula_Mixed", "se.formula_NoPool", "design.floor_J20"):
        assert f"{r[key]:.2f}" in alt


def test_the_weights_alt_text_tells_the_ceilings(reference):
    _, alt = figures.weights_by_size({"classrooms": reference("classrooms")["icc"]})
    assert "classrooms, 0.32, 2.6 and 3.1, ceiling 3.1" in alt  # 10 / deff, 100 / deff, 1 / icc


def test_the_brackets_alt_text_tells_how_far_above_the_lower_bound_each_lies(reference):
    design = reference("classrooms").whole["unbalanced"]["half_small"]
    keys = ("formula_with_mean_n", "lmer_se", "formula_with_harmonic_n")
    _, alt = figures.se_brackets({"half small": [design[key] for key in keys]})
    assert "half small 6.7 of 11.9" in alt


def test_the_fan_alt_text_counts_the_classes_that_pooling_brought_nearer():
    _, alt = figures.shrinkage_fan(*DRAWN["shrinkage_fan"](None)[0])
    assert "In 1 classes the partially pooled mean is the nearer to the truth, in 2 the class mean is." in alt
    assert "from 1.0 to 6.0" in alt
    assert "from 1.5 to 5.2" in alt


def test_the_variance_parts_alt_text_tells_the_four_standard_errors_of_r(reference):
    r = reference("classrooms")
    _, alt = figures.class_mean_variance_parts(r["anova.psi"], r["anova.theta"], 20, 10)
    for key in ("np.se_class_mean", "re.se_cond_formula", "re.se_classmean_pred_error", "re.naive_sum_se"):
        assert f"{r[key]:.2f}" in alt


def test_the_distance_alt_text_tells_where_pooling_stops_to_help():
    _, alt = figures.shrinkage_by_distance(400, 900, 10)
    for text in ("9.49 points", "7.74 in the middle", "29.8 points out", "at 60 points", "95% intervals"):
        assert text in alt


def test_the_profile_alt_text_tells_both_minima_and_rs_falls_from_zero(classrooms, reference):
    _, alt = figures.profile_deviance(classrooms)
    r = reference("classrooms")
    for value in (r["anova.psi"] / r["anova.theta"], r["ml.psi_exact"] / r["anova.theta"]):
        assert f"{value:.3f}" in alt
    for key in ("lrt.REML", "lrt.ML"):
        assert f"{r[key]:.1f}" in alt
    _, alt = figures.profile_deviance(classrooms, [1.0, 0.4375])
    assert "ratios tried: 1, 0.438." in alt
    assert f"{r['lrt.REML']:.1f}" in alt


def test_the_boundary_alt_text_tells_what_is_estimated_where_the_lowest_point_is_not_allowed():
    _, alt = figures.criterion_at_the_boundary([0.5, 1.0, 2.0], 20, 10)
    assert "F = 0.5, lowest at -0.05, estimate 0.00" in alt
    assert "F = 2, lowest at 0.10, estimate 0.10" in alt


def test_the_boundary_figure_draws_the_criterion_of_the_fit(classrooms):
    summary = summarise(classrooms, "score ~ 1", "classroom")
    profile = Profile(summary)
    psi_over_theta = float(profile.best_ratio())
    figure, _ = figures.criterion_at_the_boundary([1.0, 2.0, 1 + 10 * psi_over_theta], 20, 10)
    line = next(line for line in figure.axes[0].lines if line.get_label().startswith("F = 5.66"))
    r, rise = line.get_data()
    expected = profile.criterion(r[r >= 0]) - profile.criterion(psi_over_theta)
    np.testing.assert_allclose(rise[r >= 0], expected, atol=1e-9)


def test_the_chance_of_zero_alt_text_tells_percentages():
    _, alt = figures.chance_of_zero(900.0, 10)
    assert "20 classes 53.7, 3.0, 0.0" in alt


def test_the_groups_alt_text_tells_the_ends_and_the_sizes(classrooms, reference):
    _, alt = figures.grouped_means(*grouped(classrooms))
    means = reference("classrooms")["data.class_means"]
    assert f"The lowest mean is {min(means):.4g} (" in alt
    assert f"the highest {max(means):.4g} (10)" in alt
    assert "have 10 to 10 rows" in alt


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("J", [2, 3, 40, 41, 5000])
def test_the_groups_are_drawn_however_many_and_whatever_their_names(J):
    data = pd.DataFrame({"$y$": np.arange(2.0 * J) % 7 + np.arange(2 * J) // 9, "g": np.arange(2 * J) // 2})
    data["g"] = "$\\frac{<\n" + data["g"].astype(str) + "x" * 60
    fit = no_pooling("`$y$` ~ 1", data, groups="g")
    means = data.groupby("g")["$y$"].mean()
    figure, alt = figures.grouped_means(means, means, fit)
    figure.canvas.draw()
    assert "\n" not in alt
    assert f"in {J} groups" in alt


def test_groups_whose_names_begin_alike_are_told_apart_on_a_phone():
    data = pd.DataFrame({"y": np.arange(12.0) % 5, "g": [f"clinic number {k // 4 + 1}" for k in range(12)]})
    fit = no_pooling("y ~ 1", data, groups="g")
    means = data.groupby("g")["y"].mean()
    for width in (3.7, 7.2):
        figure, _ = figures.grouped_means(means, means, fit, width=width)
        names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
        assert len(set(names)) == 3
        assert all(name.startswith("clin") and name[-1] in "123" for name in names)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("J", [2, 3, 300, 10_001])
def test_what_a_model_leaves_is_drawn_however_many_groups_there_are(J):
    rng = np.random.default_rng(1)
    z = pd.Series(rng.normal(size=J), [f"$the\nsame$ long beginning of a name {k}" for k in range(J)])
    figure, alt = figures.effects_against_normal(z, "means")
    figure.canvas.draw()
    assert f"The {J} group effects" in alt
    assert f"at {z.max():.3g}, the lowest" in alt
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [str(z.idxmax())[-8:] in texts[0], str(z.idxmin())[-8:] in texts[1]] == [True, True]
    low, high = (set(text.splitlines()[1:]) for text in texts[::-1])
    assert not low & high  # names cut in their middle stay different
    figure, alt = figures.residuals_by_fitted(np.repeat(rng.normal(size=J), 2), rng.normal(size=2 * J), "$y")
    figure.canvas.draw()
    assert f"of {2 * J} rows" in alt


def test_the_medians_and_bands_of_many_residuals_are_quantiles_of_their_rows():
    rng = np.random.default_rng(2)
    fitted = np.repeat([1.0, 2.0, 5.0], 2000)
    residuals = rng.normal(size=6000)
    figure, _ = figures.residuals_by_fitted(fitted, residuals, "y")
    x, y = figure.axes[0].lines[0].get_data()
    np.testing.assert_allclose(x, [1, 2, 5])
    np.testing.assert_allclose(y, np.median(residuals.reshape(3, -1), axis=1))


def test_the_slopes_alt_text_counts_the_groups_that_are_drawn(classrooms):
    figure, alt = figures.slopes_within_and_between(*DRAWN["slopes_within_and_between"](classrooms)[0])
    assert "of 20 classrooms" in alt
    assert "through 5 of the classrooms rise by 2.19" in alt
    thin = [line for line in figure.axes[0].lines if line.get_linewidth() == 1 and line.get_label()[0] == "_"]
    rises = [np.diff(line.get_ydata()) / np.diff(line.get_xdata()) for line in thin]
    np.testing.assert_allclose(rises, 5 * [[2.19]])


def test_the_ratio_alt_text_tells_both_ends_and_where_the_curves_pass_one(reference):
    r = reference("classrooms")
    figure, alt = figures.se_ratio_by_icc(r["anova.psi"], r["anova.theta"], 10)
    assert f"from {(1 - r['icc']) ** 0.5:.2f} for" in alt
    assert f"to {r['deff'] ** 0.5:.2f} for" in alt
    _, true, mixed, *_ = figure.axes[0].lines
    for line, passes in ((true, 0.0), (mixed, r["icc"])):
        of_x, ratio = line.get_data()
        assert np.interp(passes, of_x, ratio) == pytest.approx(1, abs=1e-4)  # between 400 points
    assert (mixed.get_ydata() <= true.get_ydata() * (1 + 1e-12)).all()


def test_the_coverage_alt_text_tells_each_number_of_groups_with_its_formula():
    _, alt = figures.coverage_by_groups({5: covered(0.884), 3: covered(0.84)})
    assert "3 classes, z 0.840 where the formula has 0.811, t 0.960; 5 classes, z 0.884" in alt
    assert "formula has 0.878" in alt


def test_the_df_alt_text_tells_the_level_of_each_term(radon):
    fit = partial_pooling("log_radon ~ floor + log_uranium", radon, "county")
    figure, alt = figures.df_by_predictor({"Radon": fit})
    for text in ("Radon, 85 groups and 919 rows", "floor 906 (varies within groups)",
                 "log_uranium 58 (the same within a group)"):  # fmt: skip
        assert text in alt
    assert [text.get_text() for text in figure.axes[0].texts] == ["69", "906", "58"]


def test_the_sizes_alt_text_tells_the_range_and_where_the_circled_one_stands():
    _, alt = figures.means_by_size(*few_counties(0))
    assert "a line at 1.30: No, means from 0.50 to 2.50, bars from 0.13 to 0.80 either way" in alt
    assert "the circled one the highest; Partial, means from 1.10 to 1.60" in alt
    assert alt.endswith("the circled one 1 below the highest.")


def test_groups_of_one_size_are_spread_evenly_about_it():
    figure, _ = figures.means_by_size(*few_counties(0))
    (x,) = (line.get_xdata() for line in figure.axes[0].lines if line.get_ms() == 3.5)
    np.testing.assert_allclose(x, [np.exp(-0.1 / 3), np.exp(0.1 / 3), 5, 40], rtol=1e-12)


def test_the_logarithms_alt_text_tells_who_is_raised_and_by_how_much(radon):
    _, alt = figures.two_logarithms(radon["radon"], radon["floor"], ["basement", "first floor"])
    raised = (np.log(radon["radon"] + 0.1) - radon["log_radon"]).groupby(radon["floor"]).mean()
    for text in ("0.69 at 0.1 pCi/L", "at 3 zeros no", f"{raised[0]:.3f}", f"{raised[1]:.3f}", "median 3.9"):
        assert text in alt


def test_the_county_errors_alt_text_tells_the_three_of_the_smallest(radon, reference):
    fit = partial_pooling("log_radon ~ floor", radon, "county")
    r, sizes = reference("radon"), radon.groupby("county", observed=True).size()
    _, alt = figures.county_standard_errors({"M1": (fit.theta, fit.group_means)}, sizes, "HENNEPIN")
    alone = [k for k, n in enumerate(r["data.nj"]) if n == 1]
    full = [r["M1.se_county_intercept_full"][k] for k in alone]
    assert f"M1: {r['M1.sigma']:.2f} without pooling, {r['M1.se_ranef'][alone[0]]:.3f} conditional" in alt
    assert f"{min(full):.3f} to {max(full):.3f} full" in alt
    marked = [r[f"M1.{name}"][25] for name in ("se_ranef", "se_county_intercept_full")]
    assert "the circled one of 105 {:.3f} conditional, {:.3f} full.".format(*marked) in alt


def test_the_contours_alt_text_tells_the_best_class_size_and_the_least_cost():
    _, alt = figures.design_contours(400, 900, 10, [3, 5])
    assert "always at n = 4.74" in alt
    assert f"SE 5, 23.6 classes, cost {(np.sqrt(4000) + 30) ** 2 / 25:.0f}." in alt


def test_the_power_alt_text_tells_the_least_effects_and_the_power_that_is_left():
    _, alt = figures.power_curves(400, 900, 20, 10)
    for text in ("classes ignored 14.4; z 27.7; t, 18 df 29.3", "is really 0.28"):
        assert text in alt


# ---- show ----------------------------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """An IPython shell of its own: without one display() prints, and nothing can be captured."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    was_there = InteractiveShell.initialized()
    yield InteractiveShell.instance()
    if not was_there:
        InteractiveShell.clear_instance()


def shown(figure, alt):
    with capture_output() as captured:
        returned = figures.show(figure, alt)
    assert returned is None
    assert captured.stdout == captured.stderr == ""
    (output,) = captured.outputs
    return output.data


@pytest.mark.usefixtures("shell")
def test_show_displays_one_image_whose_text_is_the_alt_text(classrooms):
    figure, alt = figures.students_by_class(classrooms)
    data = shown(figure, alt)
    assert sorted(data) == ["image/png", "text/plain"]
    assert data["text/plain"] == alt


@pytest.mark.usefixtures("shell")
def test_show_makes_a_png_of_some_size(classrooms):
    figure, alt = figures.students_by_class(classrooms)
    png = shown(figure, alt)["image/png"]
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert width > 900
    assert height > 400


@pytest.mark.usefixtures("shell")
def test_show_gives_the_same_bytes_twice(classrooms):
    first, second = (shown(*figures.students_by_class(classrooms))["image/png"] for _ in range(2))
    assert first == second


@pytest.mark.usefixtures("shell")
def test_show_closes_the_figure(classrooms):
    figure, alt = figures.students_by_class(classrooms)
    assert plt.fignum_exists(figure.number)
    shown(figure, alt)
    assert not plt.get_fignums()


def test_save_writes_the_bytes_that_show_displays_drawn_once(classrooms, shell, monkeypatch, tmp_path):
    displayed = shown(*figures.students_by_class(classrooms))["image/png"]
    figure, _ = figures.students_by_class(classrooms)
    drawn, draw = [], figure.draw
    monkeypatch.setattr(figure, "draw", lambda *args, **how: drawn.append(draw(*args, **how)))
    figures.save(figure, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes() == displayed
    assert len(drawn) == 1
    assert not plt.get_fignums()


# ---- colours -------------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
EYES = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900],
    ],
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
}  # fmt: skip
COLOURS = {name: getattr(figures, name) for name in ("COMPLETE", "NO", "PARTIAL", "ACCENT")}
# CIE 1976 difference; 2.3 is just noticeable side by side, and 15 is more than six times that.
APART = 15


def linear(colour):
    c = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def cielab(rgb):
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                       [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip
    t = to_xyz @ rgb / to_xyz.sum(axis=1)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(one, two, eye):
    seen = (cielab(np.clip(np.array(EYES[eye]) @ linear(colour), 0, 1)) for colour in (one, two))
    return np.linalg.norm(np.subtract(*seen))


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize(("one", "two"), list(itertools.combinations(COLOURS, 2)))
def test_the_colours_stay_apart_in_every_kind_of_colour_vision(one, two, eye):
    assert difference(COLOURS[one], COLOURS[two], eye) > APART


def test_no_figure_tells_series_apart_by_any_other_colour(drawn):
    """Greys are for axes and what stands behind; a pale fill is one of the four over white."""
    known, found = {to_rgb(colour) for colour in COLOURS.values()}, set()
    figure, _ = drawn[0]
    for artist in figure.findobj(lambda a: isinstance(a, Line2D | Patch | Collection)):
        for ask in ("get_color", "get_facecolor", "get_edgecolor"):
            if hasattr(artist, ask):
                colours = to_rgba_array(getattr(artist, ask)())
                found |= {tuple(c[:3]) for c in colours if c[3] > 0 and np.ptp(c[:3]) > 0}
    assert found <= known, [to_hex(c) for c in found - known]


def test_the_measure_of_colours_can_fail():
    """Red and green of equal lightness are what a deuteranope confuses."""
    assert difference("#B05050", "#707040", "none") > APART
    assert difference("#B85C00", "#7F7F00", "deuteranopia") < APART
    assert difference("#FFFFFF", "#FFFFFF", "none") == 0


def test_black_and_white_lie_a_hundred_apart():
    assert difference("#000000", "#FFFFFF", "none") == pytest.approx(100, abs=1e-3)  # matrices of 7 digits


@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS)
def test_every_colour_stands_out_from_the_white_ground(colour):
    light = linear(colour) @ [0.2126, 0.7152, 0.0722]
    # Marks of 7 points and lines of 2: they need no text's 4.5, but must not vanish.
    assert 1.05 / (light + 0.05) > 2


def test_the_families_alt_text_puts_equal_standard_errors_together(classrooms):
    _, alt = figures.equal_families(*DRAWN["equal_families"](classrooms)[0])
    assert "there are 2 values: CR1, jackknife, REML 4.700; CR3 4.800." in alt
    assert "With unequal sizes 4: REML 5.000; CR1 5.100; jackknife 5.200; CR3 5.400." in alt


def test_families_of_rounding_keep_the_order_of_their_names():
    up = families_of({"a": 1.0, "b": 1.0 + 1e-15, "c": 2.0})
    down = families_of({"a": 1.0 + 1e-15, "b": 1.0, "c": 2.0})
    assert list(up.values()) == list(down.values()) == [["a", "b"], ["c"]]


def test_the_average_slope_alt_text_tells_both_ends_and_the_floor():
    _, alt = figures.average_slope_by_size(4.0, 36.0, 10, largest=120)
    floor = math.sqrt(4 / 10)
    ends = [math.sqrt((4 + 36 / n) / 10) for n in (2, 120)]
    reported = [math.sqrt((36 + 4 * n * 9 / (10 * (n - 1) - 1)) / (10 * n)) for n in (2, 120)]
    assert f"from {ends[0]:.2f} to {ends[1]:.2f}, and never below a floor at {floor:.2f}" in alt
    assert f"falls from {reported[0]:.2f} to {reported[1]:.2f}" in alt


def test_the_levels_alt_text_divides_by_the_first_method():
    figure, alt = figures.errors_by_level(by_level(1.0))
    assert "mean: one level 0.50; lm 0.25. treated: one level 0.50; lm 1.50." in alt
    _, one, lm = (line.get_xdata() for line in figure.axes[0].lines[:3])
    assert (list(one), list(lm)) == ([0.5, 0.5], [0.25, 1.5])


def test_the_two_way_alt_text_tells_what_is_lost_with_few_groups():
    _, alt = figures.two_way_by_groups(4.0, 9.0, 16.0, most=50)
    G, true = 3, 4 / 3 + 9 / 3 + 16 / 9
    two = 1 - (4 + 9) * (G - 1) / G / (G**2 - 1) / true
    assert f"At 3 of each: both ways {two:.2f}; by text {(3 + 16 / 9) / true:.2f}; " in alt
    assert "At 50 of each" in alt


def test_the_lines_alt_text_counts_those_that_fall():
    figure, alt = figures.own_and_shrunk_lines(*three_lines(0))
    assert "run from -1.00 to 3.00 with standard deviation 2.00, and 1 lines fall" in alt
    assert "run from 0.50 to 1.50 with standard deviation 0.50, and 0 lines fall" in alt
    for ax, slopes in zip(figure.axes, ([-1, 1, 3], [0.5, 1, 1.5]), strict=True):
        drawn = [np.diff(line.get_ydata())[0] / np.diff(line.get_xdata())[0] for line in ax.lines]
        assert sorted(drawn) == pytest.approx(slopes)


def test_the_posterior_alt_text_tells_remls_point_and_the_medians():
    by_data, points = posteriors(20.0)
    figure, alt = figures.posterior_of_sd(by_data, points)
    median = by_data["six"]["flat"].between.quantile(0.5)
    assert f"six: REML's point at {points['six']:.1f}, medians flat {median:.1f}" in alt
    for line in figure.axes[0].lines[:2]:
        area = np.trapezoid(line.get_ydata(), line.get_xdata())
        assert 0.85 < area < 0.97  # up to the 95 % point of the wider


def test_the_ladder_of_posteriors_tells_half_lengths():
    _, alt = figures.posterior_ladder({"all": ladder(10.0), "few": ladder(20.0)})
    assert "all: t 10.0; posterior, flat 15.0. few: t 20.0; posterior, flat 30.0." in alt
