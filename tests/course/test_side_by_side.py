"""R and Python, side by side: what the table shows, what it holds, what it refuses."""

import pytest

from helpers.course.side_by_side import side_by_side
from helpers.course.stated import StatedValueError

NAMES = {"exact": 4.716021856, "early": 4.7160237, "far": 4.7161, "other": 5.413}


def one(*row):
    return side_by_side([("vcov(m)", *row)], NAMES)


def test_side_by_side_shows_what_was_evaluated_and_holds_it():
    table = one("r.mixed.se", "exact", "exact + 0")
    assert repr(table) == (
        "R            vcov(m): 4.716022\n"
        "statsmodels  exact: 4.716022\n"
        "helpers      exact + 0: 4.716022\n"
        "✓ r.mixed.se: stated 4.716022, computed 4.716021856"
    )
    assert '<td data-side="R"' in table._repr_html_()
    assert "<code>vcov(<wbr>m)</code><br>4.716022</td>" in table._repr_html_()


def test_side_by_side_lets_an_optimiser_stop_early_but_not_far_off():
    assert "statsmodels  early: 4.7160\n" in repr(one("r.mixed.se", "early", "exact", "optimiser"))
    with pytest.raises(StatedValueError, match=r"far is 4\.7161, too far from R's 4\.716022"):
        one("r.mixed.se", "far", "exact", "optimiser")
    with pytest.raises(StatedValueError, match=r"r\.mixed\.se: R states 4\.716022"):
        one("r.mixed.se", "early", "exact")


def test_side_by_side_holds_another_number_of_statsmodels_by_a_row_of_its_own():
    table = repr(one("r.mixed.se", ("other", "statsmodels.group_var.se"), "exact", "other scale"))
    assert "statsmodels  other: 5.413\n" in table
    assert "             (other scale)\n" in table
    assert "✓ statsmodels.group_var.se: stated 5.413, computed 5.4130\n✓ r.mixed.se" in table
    with pytest.raises(ValueError, match=r"nothing in the row of 'vcov\(m\)' computes 'r\.mixed\.se'"):
        one("r.mixed.se", ("other", "statsmodels.group_var.se"), None)


@pytest.mark.parametrize(
    ("theirs", "ours", "where"), [(None, "exact", "statsmodels"), ("exact", None, "helpers")]
)
def test_side_by_side_says_what_is_missing(theirs, ours, where):
    table = one("r.mixed.se", theirs, ours)
    assert f"{where:12} -\n" in repr(table)
    assert f"             (not in {where})\n" in repr(table)
    assert f">not in {where}</td>" in table._repr_html_()
    assert "(by hand)" in repr(one("r.mixed.se", theirs, ours, "by hand"))


def test_side_by_side_does_not_say_that_r_printed_what_it_was_not_asked():
    table = side_by_side([("# not run", "r.mixed.se", "exact", "exact")], NAMES)
    assert repr(table).startswith("R            # not run\n")


def test_side_by_side_breaks_long_lines_and_escapes():
    code = " + ".join(["exact"] + ["0 * exact"] * 9)
    table = one("r.mixed.se", "exact if 1 < 2 else 0", code)
    assert max(map(len, repr(table).splitlines())) <= 79
    assert "1 &lt; 2" in table._repr_html_()


def test_side_by_side_knows_its_ledger():
    for key, theirs in (("no_such", "exact"), ("r.mixed.se", ("exact", "no_such"))):
        with pytest.raises(KeyError, match=r"no row 'no_such' in the ledger"):
            one(key, theirs, "exact")


def test_side_by_side_of_nothing_is_refused():
    with pytest.raises(ValueError, match="rows must hold one quantity at least"):
        side_by_side([], NAMES)
