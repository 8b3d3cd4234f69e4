"""What only Sphinx understands stands in the sources so that every reader of MyST can pass over it."""

# Jupyter Book 2 knows neither directive: for it a list of names is code, and a comment is nothing.
WRITTEN = {
    "book/api": ("```rst\n", "```{eval-rst}\n"),
    "book/numbers": ("<!-- ledger -->", "```{ledger}\n```"),
}


def fill(app, docname, source):
    if docname in WRITTEN:
        source[0] = source[0].replace(*WRITTEN[docname])


def setup(app):
    app.connect("source-read", fill)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
