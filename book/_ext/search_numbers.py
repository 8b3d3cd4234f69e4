"""Search that keeps a decimal number whole, and reads √ and Greek letters as TeX names them.

Sphinx's own takes 4.716 for the words 4 and 716, and skips both.
"""

import json
import re

from sphinx.search.en import SearchEnglish

NAMES = {
    "√": " sqrt ",
    "β": " beta ",
    "θ": " theta ",
    "λ": " lambda ",
    "ρ": " rho ",
    "σ": " sigma ",
    "ψ": " psi ",
}
WORD = re.compile(r"\d+\.\d+|\w+")
SPLIT = """
var splitQuery = (query) => {
  for (const [letter, name] of Object.entries(%s)) query = query.replaceAll(letter, name);
  return query.match(/[0-9]+[.][0-9]+|[\\p{Letter}\\p{Number}_]+/gu) ?? [];
};
"""


class SearchCourse(SearchEnglish):
    """English, and numbers and formulas."""

    js_splitter_code = SPLIT % json.dumps(NAMES)

    def split(self, text):
        for letter, name in NAMES.items():
            text = text.replace(letter, name)
        return WORD.findall(text)


def setup(app):
    app.add_search_language(SearchCourse)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
