"""The closed forms of two groupings: R's values, expectations by exact covariances, REML by brute force."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import minimize

from helpers import formulas

ROUNDING = 1e-12  # sums of squares of some hundred rows, in another order than R's
OPTIMISER = 1e-6  # lme4's, in a standard error


@pytest.fixture(scope="module")
def r(reference):
    return reference("more_groupings")


def test_the_nested_mean_has_rs_standard_error(r):
    schools, classes, within = r["nested.ms"]
    se = formulas.se_nested((schools - classes) / 40, (classes - within) / 10, within, J=12, m=4, n=10)
    assert se == pytest.approx(r["nested.mean.school.CR2"], rel=ROUNDING)
    assert se == pytest.approx(r["nested.mean.survey"], rel=ROUNDING)
    for model in ("three", "school"):
        assert se == pytest.approx(r[f"nested.mean.{model}"], rel=OPTIMISER)


def test_the_crossed_mean_has_rs_standard_error_and_df(r):
    readers, texts, rest = r["crossed.ms"]
    se = formulas.se_crossed((readers - rest) / 8, (texts - rest) / 12, rest, a=12, b=8)
    assert se == pytest.approx(r["crossed.mean"], rel=OPTIMISER)
    df = formulas.df_crossed(readers, texts, rest, a=12, b=8)
    assert df == pytest.approx(r["crossed.mean_satterthwaite"], rel=1e-5)
    assert df == pytest.approx(r["crossed.mean_kr_df"], rel=1e-5)


LAYOUTS = [(2, 2, 1), (12, 8, 1), (3, 5, 4)]


def centring(k):
    return np.eye(k) - 1 / k


def mean(k):
    return np.full((k, k), 1 / k)


@pytest.mark.parametrize(("a", "b", "n"), LAYOUTS)
def test_the_expectations_are_traces_of_projections_times_the_covariance(a, b, n):
    """E(y'Ay) = tr(A V) for a projection A that takes the mean off: no algebra of mean squares."""
    psi_a, psi_b, theta = 4.0, 9.0, 16.0
    ones, N = np.ones, a * b * n

    def of(*parts):
        return np.kron(np.kron(parts[0], parts[1]), parts[2])

    V = psi_a * of(np.eye(a), ones((b, b)), ones((n, n))) + psi_b * of(ones((a, a)), np.eye(b), ones((n, n)))
    V += theta * np.eye(N)
    readers, texts = of(centring(a), mean(b), mean(n)), of(mean(a), centring(b), mean(n))
    rest = np.eye(N) - of(mean(a), mean(b), mean(n)) - readers - texts
    by_trace = [np.trace(A @ V) / round(np.trace(A)) for A in (readers, texts, rest)]
    assert formulas.expected_mean_squares_crossed(psi_a, psi_b, theta, a, b, n) == pytest.approx(by_trace)
    assert formulas.se_crossed(psi_a, psi_b, theta, a, b, n) ** 2 == pytest.approx(V.sum() / N**2)
    cells = of(np.eye(a), np.eye(b), mean(n)) - of(mean(a), mean(b), mean(n))
    of_cells = np.trace(cells @ V) / (a * b - 1)
    two_way = (by_trace[0] + by_trace[1] - of_cells) / N
    assert formulas.expected_two_way(psi_a, psi_b, theta, a, b, n) == pytest.approx(two_way)


@pytest.mark.parametrize(("J", "m", "n"), LAYOUTS)
def test_the_nested_expectations_are_traces_too(J, m, n):
    psi_school, psi_class, theta, N = 4.0, 9.0, 16.0, J * m * n
    V = psi_school * np.kron(np.eye(J), np.ones((m * n, m * n)))
    V += psi_class * np.kron(np.eye(J * m), np.ones((n, n))) + theta * np.eye(N)
    schools = np.kron(centring(J), mean(m * n))
    classes = np.kron(np.eye(J), np.kron(centring(m), mean(n)))
    rest = np.kron(np.eye(J * m), centring(n))
    by_trace = [np.trace(A @ V) / max(1, round(np.trace(A))) for A in (schools, classes, rest)]
    expected = formulas.expected_mean_squares_nested(psi_school, psi_class, theta, m, n)
    assert expected[: 3 if n > 1 else 2] == pytest.approx(by_trace[: 3 if n > 1 else 2])
    assert formulas.se_nested(psi_school, psi_class, theta, J, m, n) ** 2 == pytest.approx(V.sum() / N**2)


def criterion(taus, squares, df):
    return sum(df * (np.log(taus) + squares / taus))


@given(
    squares=st.lists(st.floats(0.1, 50), min_size=3, max_size=3),
    df=st.lists(st.integers(1, 60), min_size=3, max_size=3),
)
def test_pooling_is_the_minimum_of_the_criterion_over_variances_that_are_not_negative(squares, df):
    squares, df = np.array(squares), np.array(df, dtype=float)
    found = formulas.reml_mean_squares_nested(squares, df)
    assert (np.diff(found) <= 0).all()

    def of(steps):  # the logarithm of the last, and how far each lies above the one below
        return np.exp(steps[0]) + np.cumsum(np.append(0.0, steps[1:]))[::-1]

    start = [np.log(squares.mean()), squares.mean(), squares.mean()]
    best = minimize(
        lambda steps: criterion(of(steps), squares, df), start, method="L-BFGS-B",
        bounds=[(-8, 8), (0, None), (0, None)],
    )  # fmt: skip
    assume(best.success)
    assert criterion(found, squares, df) <= best.fun + 1e-6 * abs(best.fun)


def test_two_rows_of_another_length_a_df_below_one_and_a_negative_square_are_refused():
    with pytest.raises(ValueError, match=r"two rows of one length; got shapes \(3,\), \(2,\)"):
        formulas.reml_mean_squares_nested([3, 2, 1], [1, 2])
    with pytest.raises(ValueError, match="df must be finite and at least 1"):
        formulas.reml_mean_squares_nested([3, 2], [1, 0])
    with pytest.raises(ValueError, match="squares must be finite and at least 0"):
        formulas.reml_mean_squares_nested([3, -2], [1, 1])


@pytest.mark.parametrize("function", [formulas.expected_two_way, formulas.df_crossed])
@pytest.mark.parametrize(("a", "b"), [(1, 5), (5, 1)])
def test_one_reader_or_one_text_shows_no_variance(function, a, b):
    with pytest.raises(ValueError, match=rf"at least 2; got a = {a}.* and b = {b}"):
        function(4, 9, 1, a, b)


def test_mean_squares_that_give_no_positive_error_are_refused():
    with pytest.raises(ValueError, match="must be positive to be a squared error"):
        formulas.df_crossed(1, 2, 4, a=3, b=3)
