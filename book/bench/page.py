"""Tables and numbers as the page shows them."""

import math


def significant(value, figures=3):
    """A number in so many significant figures, never in powers of ten: 0.0123, 1.23, 12345."""
    if value is None:
        return "–"
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    decimals = figures - 1 - math.floor(math.log10(abs(value)))
    return f"{value:.{max(decimals, 0)}f}"


def count(number):
    """A whole number in groups of three digits: 10 000 000."""
    return f"{number:,}".replace(",", "\u202f")


def milliseconds(outcome):
    """Median time of an outcome, or why there is none."""
    return outcome.error or significant(1e3 * outcome.time)


def table(header, rows):
    """A Markdown table: the first column to the left, numbers to the right."""
    lines = [header, [":---", *["---:"] * (len(header) - 1)], *rows]
    if not all(header):
        raise ValueError("a column without a heading cannot be read aloud")
    wrong = [row for row in rows if len(row) != len(header)]
    if wrong:
        raise ValueError(f"{len(header)} columns, but a row is {wrong[0]}")
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in lines)


def paragraphs(*parts):
    """Parts of a page, an empty line between two."""
    return "\n\n".join(part.strip() for part in parts if part)
