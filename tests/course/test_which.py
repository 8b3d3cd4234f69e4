"""The chooser: every path ends, every call runs and gives R's number, the prompt leads to the same."""

import ast
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from helpers.course import which
from helpers.report.command import main

ROOT = Path(__file__).parents[2]
TREE = which.tree()
ENDS, QUESTIONS = TREE["ends"], TREE["questions"]
EVERY = list(which.paths())

# How far from R, by relative error: lme4 stops short of the optimum, more so where slopes vary; statsmodels
# does too, and in unequal groups its bse_fe is of another matrix (notebook 12, trap 5).
EXACT, STOPPED, OTHER_MATRIX = 1e-10, 2e-5, 0.03
UNEQUAL = {"slope_between", "slope_average", "slope_both", "crossed_slope"}


def run(code, space):
    """Run lines of Python; the value of the last one."""
    body = ast.parse("\n".join(code)).body
    exec(compile(ast.Module(body[:-1], []), "call", "exec"), space)
    return eval(compile(ast.Expression(body[-1].value), "call", "eval"), space)


def numbers(end, language):
    """What a call of an end gives on its sample, without a word of warning."""
    space = {}
    exec("\n".join(TREE["samples"][end["sample"]]["python"]), space)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if language == "statsmodels":
            warnings.simplefilter("default")  # statsmodels' own, of its dependencies too
        return np.ravel(run(end[language], space)).astype(float)


# ---- the tree ----------------------------------------------------------------------------------------


def test_every_question_and_every_end_is_reached():
    seen = {end for _, end in EVERY}
    assert seen == set(ENDS)
    asked = {which.reached("/".join(answers[:k])) for answers, _ in EVERY for k in range(len(answers))}
    assert asked == set(QUESTIONS)
    assert all(which.reached("/".join(answers)) == end for answers, end in EVERY)
    assert max(len(answers) for answers, _ in EVERY) <= 7


def test_questions_ask_and_answers_can_stand_in_an_address():
    for question in QUESTIONS.values():
        assert question["ask"].endswith("?")
        assert question["help"]
        assert len(question["answers"]) > 1
        assert all(re.fullmatch("[a-z]+", name) for name in question["answers"])


@pytest.mark.parametrize("name", ENDS)
def test_an_end_says_all_that_it_should(name):
    end = ENDS[name]
    assert {"name", "where", "mistake", "sample", "r"} <= set(end)
    notes = end.get("notes", {})
    if end.get("here", True):
        assert {"tex", "plain", "df", "true", "python", "chapter"} <= set(end)
        assert "statsmodels" in end or "statsmodels" in notes
        assert "stata" in end or "stata" in notes
    stem = end.get("chapter", "01_the_question").split("#")[0]
    assert (ROOT / "notebooks" / f"{stem}.ipynb").is_file()


@pytest.mark.parametrize(
    ("path", "message"),
    [("number/maybe", "possible here: once, weights, order"), ("yes/no", "the path has ended")],
)
def test_a_path_that_there_is_not_is_refused_with_those_there_are(path, message):
    with pytest.raises(ValueError, match=message):
        which.reached(path)


# ---- the calls ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, end in ENDS.items() if "python" in end])
def test_the_call_of_helpers_gives_what_the_r_call_gives(name, reference):
    ours = numbers(ENDS[name], "python")
    theirs = np.atleast_1d(reference("which")[name]).astype(float)
    if name == "serial":  # the page shows a model in R, and no model here
        assert not np.allclose(ours, theirs, rtol=0.01)
        return
    if name == "slopes_two":  # balanced, so CR2 by school and the model's average slope are one number
        assert ours == pytest.approx(theirs, rel=STOPPED)
        return
    fitted = any("lmer(" in line for line in ENDS[name]["r"])
    np.testing.assert_allclose(ours, theirs, rtol=STOPPED if fitted else EXACT)


@pytest.mark.parametrize(
    "name", [name for name, end in ENDS.items() if "statsmodels" in end and end.get("here", True)]
)
def test_the_call_of_statsmodels_gives_what_its_note_says(name, reference):
    end, r = ENDS[name], reference("which")
    other = end.get("statsmodels_is")
    theirs = np.atleast_1d(r[f"{name}.{other}" if other else name]).astype(float)
    ours = numbers(end, "statsmodels")
    mixed = any("mixedlm" in line for line in end["statsmodels"])
    rtol = (OTHER_MATRIX if name in UNEQUAL else STOPPED) if mixed else EXACT
    np.testing.assert_allclose(ours, theirs[-len(ours) :], rtol=rtol)
    if name in UNEQUAL:
        assert "`bse_fe` is off" in end["notes"]["statsmodels"] or name == "crossed_slope"


@pytest.mark.parametrize("name", ["binary", "counts", "survival", "weights"])
def test_the_calls_for_what_the_course_does_not_cover_run(name, reference):
    (ours,) = numbers(ENDS[name], "statsmodels")
    theirs = reference("which")[name]
    assert 0 < ours < np.inf
    close = {"survival": 0.05, "weights": 0.005}.get(name)  # other ties; a factor of (N - 1)/(N - k)
    assert close is None or ours == pytest.approx(theirs, rel=close)


def test_the_reference_holds_the_very_calls_that_the_page_shows(reference):
    held = reference("which").values
    for name, end in ENDS.items():
        assert held[name]["command"] == "\n".join(end["r"]), f"{name}: run tests/reference/which.R"


# ---- at the prompt -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("answers", "end"), EVERY, ids=["/".join(answers) for answers, _ in EVERY])
def test_the_prompt_leads_where_the_path_leads(answers, end):
    shown, typed, place = [], [], TREE["start"]
    for name in answers:
        options = QUESTIONS[place]["answers"]
        typed.append(str(1 + list(options).index(name)))
        place = options[name]["to"]
    asked = iter(typed)
    which.ask(read=lambda prompt: next(asked), write=shown.append)
    assert which.told(end) in shown[-1]
    assert shown[-1].endswith("/".join(answers))
    prose = [line for line in "\n".join(shown).splitlines() if not line.startswith("    ")]
    assert max(map(len, prose)) <= 78


def test_one_can_go_back_be_mistaken_and_leave():
    shown, typed = [], iter(["1", "x", "9", "b", "2"])
    which.ask(read=lambda prompt: next(typed), write=shown.append)
    assert which.told("binary") in shown[-1]
    assert "'x' is none of these." in shown
    assert "'9' is none of these." in shown
    which.ask(read=lambda prompt: "q", write=shown.append)
    assert "A time until something happens" in shown[-1]


def test_the_command_lists_tells_and_refuses(capsys):
    assert main(["which", "--list"]) == 0
    listed = capsys.readouterr().out
    assert all("/".join(answers) + "\n" in listed for answers, _ in EVERY)
    assert main(["which", "number/once/one/mean/rows"]) == 0
    assert which.told("these") in capsys.readouterr().out
    assert main(["which", "number/never"]) == 2
    assert "no answer 'never'" in capsys.readouterr().err


def test_the_command_ends_when_its_input_does():
    command = [sys.executable, "-m", "helpers", "which"]
    run = subprocess.run(command, input="1\n", capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert run.returncode == 130
    assert "Traceback" not in run.stderr
