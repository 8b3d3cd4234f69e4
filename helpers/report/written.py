"""What is written to disk: files whole or not at all; tables as CSV, Word or LaTeX, by ending."""

from __future__ import annotations

import importlib
import io
import os
import re
import shutil
import unicodedata
from contextlib import suppress
from pathlib import Path

from . import variances, words

ENDINGS = (".csv", ".docx", ".tex")
_HEAD = ("method", "estimate", "SE", "df", "interval")
# What LaTeX takes for more than a letter, and signs that its plain fonts lack.
_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#",
    "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''", "[": "{[}", "]": "{]}",
}  # fmt: skip
_SIGNS = {
    "\u2264": r"\leq",
    "\u2265": r"\geq",
    "\u2212": "-",
    "\u00b2": "^2",
    "\u00b3": "^3",
    "\u00b5": r"\mu",
}
_CAPITALS = ("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega")


def whole(path, content):
    """Write bytes to a file, or leave what was there: beside it first, then renamed.

    Raises
    ------
    OSError
        With the name of the file that was asked for.
    """
    path = Path(path)
    target = path.resolve()
    if target.exists() and not target.is_file():  # a pipe or a device cannot be renamed
        target.write_bytes(content)
        return
    beside = target.with_name(f".{target.name[:100]}.{os.getpid()}.part")
    try:
        try:
            beside.write_bytes(content)
            if target.exists():
                shutil.copymode(target, beside)
            beside.replace(target)
        except OSError as error:
            raise type(error)(error.errno, error.strerror, str(path)) from None
    finally:
        with suppress(OSError):
            beside.unlink()


def table(found, path) -> bytes:
    """The table of a report in the form that a file's ending names; CSV has all digits."""
    ending = Path(path).suffix.lower()
    if ending == ".docx":
        return _docx(found)
    text = _tex(found) if ending == ".tex" else found.to_csv()
    return text.encode("utf-8")


def check_ending(path):
    """Refuse a table that would be of no known kind."""
    if (ending := Path(path).suffix.lower()) not in ENDINGS:
        raise ValueError(f"--table writes {', '.join(ENDINGS)}, by the file's ending; {ending!r} is none")
    if ending == ".docx":
        try:
            importlib.import_module("docx")
        except ImportError:
            raise ValueError("a .docx needs the package python-docx: pip install python-docx") from None


def _blocks(found):
    """Each question and its rows of text, five cells each; a line without an SE says why in the last."""
    for question, _, lines in words.by_question(found):
        rows = []
        for line in lines:
            estimate, *others = words.cells(line, lines)
            if others:
                se, df, low, high = others
                rows.append((words.method(line), estimate, se, df, f"{low} to {high}"))
            else:
                rows.append((words.method(line), estimate, "", "", found.withheld(line)))
        yield question, rows


def _docx(found):
    docx = importlib.import_module("docx")  # an extra, and slow to load

    document = docx.Document()
    document.core_properties.title = document.core_properties.author = ""

    def rows_of(head, blocks):
        made = document.add_table(1, len(head), style="Table Grid")
        for cell, text in zip(made.rows[0].cells, head, strict=True):
            cell.paragraphs[0].add_run(text).bold = True
        for question, rows in blocks:
            if question:
                cells = made.add_row().cells
                cells[0].merge(cells[-1]).text = question
            for row in rows:
                for cell, text in zip(made.add_row().cells, row, strict=True):
                    cell.text = text

    rows_of(_HEAD, _blocks(found))
    document.add_paragraph(_note(found))
    rows_of(variances.HEAD, [("", found.variances)])
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _tex(found):
    """Tables that need no package; `interval` may break over lines."""

    def rows_of(head, blocks, form):
        yield rf"\noindent\begin{{tabular}}{{{form}}}"
        yield r"\hline"
        yield " & ".join(map(_escaped, head)) + r" \\ \hline"
        for question, rows in blocks:
            if question:
                form = r"@{}p{0.9\linewidth}@{}"
                yield rf"\multicolumn{{{len(head)}}}{{{form}}}{{{_escaped(question)}}} \\"
            for row in rows:
                yield " & ".join(map(_escaped, row)) + r" \\"
        yield r"\hline"
        yield r"\end{tabular}"

    lines = [
        *rows_of(_HEAD, _blocks(found), r"@{}p{0.27\linewidth}rrrp{0.28\linewidth}@{}"),
        "",
        _escaped(_note(found)),
        "",
    ]
    lines += rows_of(
        variances.HEAD, [("", found.variances)], r"@{}p{0.2\linewidth}rp{0.2\linewidth}lp{0.25\linewidth}@{}"
    )
    return "\n".join(lines) + "\n"


def _note(found):
    return f"Intervals of {words.percent(found.level)}. {found.means_are}".strip()


def _escaped(text):
    """Text as every LaTeX prints it; letters that are neither Latin nor Greek need XeLaTeX or LuaLaTeX."""
    return "".join(_TEX.get(c) or _in_math(c) for c in text)


def _in_math(c):
    """A letter as it is; a Greek one, or a sign that text fonts lack, in math."""
    sign = _SIGNS.get(c)
    found = re.fullmatch("GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)", unicodedata.name(c, ""))
    if found:
        letter = found[2].lower().replace("lamda", "lambda")
        letter = letter.capitalize() if found[1] == "CAPITAL" else letter
        sign = f"\\{letter}" if letter in _CAPITALS or (letter.islower() and letter != "omicron") else None
    return rf"\ensuremath{{{sign}}}" if sign else c
