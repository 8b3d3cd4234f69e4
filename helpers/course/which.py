"""Which standard error? The chooser: its questions and answers as data, and the same asked at a prompt."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from functools import cache
from importlib.resources import files

_WIDTH = 78
_LANGUAGES = {
    "python": "Python",
    "statsmodels": "Python, statsmodels",
    "r": "R",
    "stata": "Stata (read, not run)",
    "julia": "Julia, MixedModels (read, not run)",
    "sas": "SAS (read, not run)",
}
_ENDS_PAGE = 'Not in this course: see its page "Where this course ends".'


@cache
def tree():
    """The whole chooser, as `helpers/data/which.json` has it.

    Returns
    -------
    dict
        ``start``, the first question; ``questions``, each with ``ask``, ``help`` and ``answers`` (by name:
        what one says, ``say``, and the question or end it leads ``to``); ``ends``; and ``samples``, the data
        that the calls of an end run on.
    """
    text = files("helpers").joinpath("data", "which.json").read_text(encoding="utf-8")
    return json.loads(text)


def paths(question=None):
    """Every way through the questions.

    Parameters
    ----------
    question : str, optional
        Where to begin; without it at the first question.

    Yields
    ------
    tuple
        The names of the answers (a tuple) and of the end.

    Examples
    --------
    >>> from helpers.course import which
    >>> list(which.paths("come"))
    [(('group',), 'new_group'), (('row',), 'new_row')]
    """
    for name, answer in tree()["questions"][question or tree()["start"]]["answers"].items():
        if answer["to"] in tree()["ends"]:
            yield (name,), answer["to"]
        else:
            yield from (((name, *rest), end) for rest, end in paths(answer["to"]))


def reached(path):
    """Where a path leads: the name of a question or of an end.

    Parameters
    ----------
    path : str
        Names of answers with strokes between them, as the address of the chooser's page has them.

    Raises
    ------
    ValueError
        If there is no such answer; the message names those there are.

    Examples
    --------
    >>> from helpers.course import which
    >>> which.reached("number/once/one/mean/rows")
    'these'
    """
    place = tree()["start"]
    for name in filter(None, path.strip("#/ ").split("/")):
        answers = tree()["questions"].get(place, {}).get("answers", {})
        if name not in answers:
            after = f"possible here: {', '.join(answers)}" if answers else "the path has ended before it"
            raise ValueError(f"no answer {name!r} in the path {path!r}; {after}")
        place = answers[name]["to"]
    return place


def told(name):
    """One end in words, as a terminal shows it: formula, conditions, calls, chapter.

    Raises
    ------
    KeyError
        If there is no end of that name.
    """
    end = tree()["ends"][name]
    parts = [_plain(end["name"]).upper(), "" if end.get("here", True) else _ENDS_PAGE, end.get("plain", "")]
    parts += [end["where"], f"Degrees of freedom: {end['df']}." if "df" in end else ""]
    blocks = [_wrapped(part) for part in parts if part]
    if "true" in end:
        lines = [_wrapped(line, "- ") for line in end["true"]]
        blocks.append("\n".join(["What must be true", *lines]))
    blocks.append(_wrapped("Taken by mistake: " + end["mistake"]))
    for key, language in _LANGUAGES.items():
        note = end.get("notes", {}).get(key)
        if key in end or note:
            code = textwrap.indent("\n".join(end.get(key, [])), "    ")
            blocks.append("\n".join(filter(None, [language, _wrapped(note or ""), code])))
    if "chapter" in end:
        blocks.append("Chapter: notebooks/" + end["chapter"].split("#")[0] + ".ipynb")
    return "\n\n".join(blocks)


def listed():
    """Every path with the name of its end, for a terminal."""
    rows = [
        "/".join(answers) + "\n" + _wrapped(tree()["ends"][end]["name"], "    ") for answers, end in paths()
    ]
    return "\n".join(rows)


def ask(path="", read=input, write=print):
    """Ask at a prompt from where a path leads until an end is reached, and tell it.

    Parameters
    ----------
    path : str, optional
        Answers given already.
    read, write : callable, optional
        What asks for a line, and what shows text.

    Raises
    ------
    ValueError
        If the path has an answer that there is not.
    """
    given = [*filter(None, path.strip("#/ ").split("/"))]
    place = reached(path)
    while place in tree()["questions"]:
        question = tree()["questions"][place]
        names = list(question["answers"])
        write("\n" + _wrapped(question["ask"]) + "\n" + _wrapped(question["help"], "  "))
        for k, name in enumerate(names, 1):
            write(_wrapped(question["answers"][name]["say"], f"  {k}  "))
        answer = read(f"1 to {len(names)}, b for back, q to leave: ").strip().lower()
        if answer == "q":
            return
        if answer == "b":
            given = given[:-1]
        elif answer.isdecimal() and 1 <= int(answer) <= len(names):
            given.append(names[int(answer) - 1])
        else:
            write(f"{answer!r} is none of these.")
        place = reached("/".join(given))
    write("\n" + told(place) + "\n\nThis answer again: python -m helpers which " + "/".join(given))


def add_command(commands):
    """Add ``which`` to the commands of ``python -m helpers``."""
    command = commands.add_parser(
        "which",
        help="ask which standard error answers your question, and how to get it",
        description="Ask a few questions and name the standard error: formula, conditions, calls, chapter.",
    )
    command.add_argument(
        "path", nargs="?", default="", metavar="PATH", help="answers given already: number/once/one/mean"
    )
    command.add_argument("--list", action="store_true", help="show every path and where it leads")


def run(asked):
    """Run ``which`` as asked on the command line; return the exit code, 2 for a path that there is not."""
    try:
        if asked.list:
            print(listed())
        else:
            ask(asked.path)
    except ValueError as error:
        print(f"python -m helpers which: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read the words stopped
        sys.stdout = None
    except (EOFError, KeyboardInterrupt):
        print()
        return 130
    return 0


def _plain(text):
    """Text without the marks of code."""
    return re.sub(r"`([^`]*)`", r"\1", text)


def _wrapped(text, first=""):
    """Text in lines of a terminal's width, later ones under the first."""
    indent = " " * len(first)
    return textwrap.fill(
        _plain(text), _WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False
    )
