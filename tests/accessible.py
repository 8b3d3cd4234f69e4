"""How the tests look at a page that is open in Chromium: its themes and widths, and what axe finds wrong."""

import os
from pathlib import Path

AXE = Path(__file__).parents[1] / "book" / "node_modules" / "axe-core" / "axe.min.js"
ALL_MODES = [("light", 390), ("dark", 1280), ("light", 1280), ("dark", 390)]
# Each theme and each width once; `ALL_MODES=1 make test` has every pair.
MODES = ALL_MODES if os.environ.get("ALL_MODES") else ALL_MODES[:2]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Contrast took axe most of its time, and is a matter of looks: letters and grounds of one colour, size and
# weight. Of a look the first three texts are asked and each eighth: of what is half hidden axe is unsure.
FAULTS = """async ([within, tags]) => {
  const grounds = new Map(), looks = new Map();
  const ground = (node) => {  // the colours of what it lies on, down to the first that hides the rest
    if (!node) return "";
    if (!grounds.has(node)) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(node);
      const own = backgroundColor + backgroundImage + opacity;
      const hides = backgroundColor.startsWith("rgb(") && opacity === "1";
      grounds.set(node, hides ? own : own + ground(node.parentElement));
    }
    return grounds.get(node);
  };
  const text = (node) => [...node.childNodes].filter((part) => part.nodeType === Node.TEXT_NODE)
    .map((part) => part.data.trim()).join("");
  // Of a single letter axe is unsure.
  const says = (node) => node.matches("input, select, textarea") || text(node).length > 1;
  const root = document.querySelector(within);
  for (const node of [root, ...root.querySelectorAll("*")]) {
    delete node.dataset.look;
    if (!says(node) || !node.checkVisibility({ visibilityProperty: true })) continue;
    const { color, fontSize, fontWeight, textShadow, position, clip } = getComputedStyle(node);
    const look = [node.tagName, color, fontSize, fontWeight, textShadow, position, clip, ground(node)].join();
    const times = (looks.get(look) ?? 0) + 1;
    looks.set(look, times);
    if (times <= 3 || times % 8 === 0) node.dataset.look = "";
  }
  axe.configure({ rules: [{ id: "color-contrast", selector: "[data-look]" }] });
  const report = await axe.run(within, { runOnly: tags, resultTypes: ["violations"], preload: false });
  return report.violations.map((fault) =>
    `${fault.id}: ${fault.nodes.map((node) => node.target.join(" ")).join(" | ")}`);
}"""
# Equations are three of five elements of a chapter: their boxes have the colour of the text around and are
# hidden from who listens; of MathML axe has no rule, and its words stay. Words of code of one kind in a place
# look alike in every theme, as rows of a long table do. On an image, the shade of code, axe is unsure.
THIN = """() => {
  const place = (node) => node
    && [node.tagName, node.className, node.style.cssText, place(node.parentElement)].join();
  const seen = new Set();
  for (const word of [...document.querySelectorAll("pre span, .sig span")].reverse()) {
    const here = place(word);
    if (seen.has(here)) word.replaceWith(...word.childNodes);
    seen.add(here);
  }
  document.querySelectorAll("pre").forEach((code) => {
    code.normalize();
    code.style.backgroundImage = "none";
  });
  document.querySelectorAll(".katex-html, tr:nth-child(n+40)").forEach((part) => part.remove());
  document.querySelectorAll(".katex-mathml").forEach((part) => { part.textContent = part.textContent; });
}"""


def turn(page, scheme, width):
    """Show an open page in one of the modes."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})


def paint(page, scheme, width):
    """Give a part that stands alone the ground and ink of the site's theme."""
    turn(page, scheme, width)
    ground, ink = {"light": ("#fff", "#222"), "dark": ("#121212", "#ddd")}[scheme]
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", scheme)
    page.add_style_tag(content=f"body {{ background: {ground}; color: {ink}; }} a {{ color: {ink}; }}")


def faults(page, within="html"):
    """The faults in a part of a page, each with where it is."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    return page.evaluate(FAULTS, [within, TAGS])


def wrong(page, show=turn):
    """By mode, the faults in a page and by how many pixels it is too wide, where there is something."""
    found = {}
    for mode in ALL_MODES:
        show(page, *mode)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found[mode] = faults(page), max(wide, 0)
    return {mode: told for mode, told in found.items() if any(told)}


def thin(page):
    """Take off a page what makes it long and shows axe nothing new; its equations and colours of code go."""
    page.evaluate(THIN)
