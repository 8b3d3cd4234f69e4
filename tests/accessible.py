"""What axe finds wrong with a page that is open in Chromium: WCAG and best practices."""

from pathlib import Path

AXE = Path(__file__).parents[1] / "book" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FAULTS = """async ([within, tags]) => {
  const report = await axe.run(within, { runOnly: tags, resultTypes: ["violations"] });
  return report.violations.map((fault) =>
    `${fault.id}: ${fault.nodes.map((node) => node.target.join(" ")).join(" | ")}`);
}"""
# The boxes of an equation have the colour of the text around them and are hidden from who listens; words of
# code look alike by the hundred, as rows of a long table do. Without them axe takes a quarter of the time.
ONE_OF_EACH = """() => {
  const ground = (node) => {
    const color = getComputedStyle(node).backgroundColor;
    return color !== "rgba(0, 0, 0, 0)" || !node.parentElement ? color : ground(node.parentElement);
  };
  const seen = new Set(), again = [];
  for (const word of document.querySelectorAll("pre span, .sig span")) {
    const style = getComputedStyle(word), look = [style.color, style.fontWeight, ground(word)].join();
    if (seen.has(look)) again.push(word);
    seen.add(look);
  }
  again.forEach((word) => word.replaceWith(...word.childNodes));
  document.querySelectorAll("pre").forEach((code) => code.normalize());
  document.querySelectorAll(".katex-html, tr:nth-child(n+40)").forEach((part) => part.remove());
}"""


def faults(page, within="html"):
    """The faults in a part of a page, each with where it is."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    return page.evaluate(FAULTS, [within, TAGS])


def leave_one_of_each(page):
    """Take off a page what looks like something before it: then `faults` is fast, and equations are gone."""
    page.evaluate(ONE_OF_EACH)
