"""Keeps of the theme's icon font the few icons that the pages show: 2 kB in the place of 157."""

import re
from pathlib import Path

from fontTools import subset

FONT = "_static/vendor/fontawesome/webfonts/fa-solid-900.woff2"
RULE = re.compile(r'((?:\.fa-[\w-]+::?before,?)+)\{content:"(\\[0-9a-f]+|.)"')
OWN = re.compile(r'(?:--pst-icon-[\w-]+:|content:)"(\\f[0-9a-f]{3}|[\ue000-\uf8ff])"')


def code_point(text):
    return int(text[1:], 16) if text.startswith("\\") else ord(text)


def shown(out):
    """Code points of the icons that pages name by class, and of those that style sheets set themselves."""
    css = "".join(sheet.read_text(encoding="utf-8") for sheet in out.glob("_static/**/*.css"))
    by_class = {}
    for selectors, text in RULE.findall(css):
        by_class |= dict.fromkeys(re.findall(r"fa-[\w-]+", selectors), code_point(text))
    pages = "".join(page.read_text(encoding="utf-8") for page in out.rglob("*.html"))
    named = {by_class[name] for name in re.findall(r"\bfa-[\w-]+", pages) if name in by_class}
    return named | {code_point(text) for text in OWN.findall(RULE.sub("", css))}


def keep_shown(app, error):
    if error or app.builder.format != "html":
        return
    font = Path(app.outdir, FONT)
    options = subset.Options(flavor="woff2", layout_features=[], notdef_outline=True)
    loaded = subset.load_font(str(font), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=shown(Path(app.outdir)))
    subsetter.subset(loaded)
    subset.save_font(loaded, str(font), options)


def setup(app):
    app.connect("build-finished", keep_shown, priority=950)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
