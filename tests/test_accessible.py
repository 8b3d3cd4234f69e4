"""The tests' own eye: it looks at few of what looks alike, and finds a fault among or below the others."""

import re

from accessible import faults, thin

ROW = '<tr><td><span class="name">x</span></td><td><a href="#top">link</a></td></tr>'
WORDS = '<span class="word">word</span> ' * 60
STYLE = """body { background: #fff; color: #333; } a { color: inherit; }
.pale { color: #ccc; } .hidden { display: none; } .own { background: #ddd; }
@media (prefers-color-scheme: dark) {
  body { background: #111; color: #eee; } .dim { color: #333; } .own { background: #444; }
}"""
FAULTS = {
    "code": '<span class="pale" id="pale-code">pale</span> <span class="dim" id="dim-code">dim</span>',
    "text": '<em class="pale hidden">pale</em>' * 9 + '<em class="pale" id="pale-text">pale</em>'
    '<b class="dim" id="dim-text">dim</b> <em class="own"><b class="dim" id="dim-on-its-own">dim</b></em>',
    "row": '<tr><td><button id="nameless"></button></td><td></td></tr>',
}
FOUND = {
    "light": {"pale-code", "pale-text", "nameless"},
    "dark": {"dim-code", "dim-text", "dim-on-its-own", "nameless"},
}


def html(code="", text="", row=""):
    return f"""<!doctype html><html lang="en"><title>x</title><style>{STYLE}</style><body><main id="top">
      <h1>x</h1><pre>{WORDS}{code}{WORDS}</pre><p>{WORDS}{text}{WORDS}</p>
      <table>{ROW * 20}{row}{ROW * 50}</table></main>"""


def test_a_fault_is_found_on_a_page_made_thin_in_whatever_theme(browser):
    page = browser.new_page(color_scheme="light")
    for filled in (FAULTS, {}):
        page.set_content(html(**filled))
        thin(page)
        assert page.locator("pre span").count() == 1 + 2 * bool(filled)
        assert page.locator("pre").inner_text().count("word") == 120
        assert page.locator("tr").count() < 40
        for theme, expected in FOUND.items():
            page.emulate_media(color_scheme=theme)
            found = faults(page)
            assert set(re.findall(r"#([\w-]+)", " ".join(found))) == (expected if filled else set())
            assert {fault.partition(":")[0] for fault in found} <= {"color-contrast", "button-name"}
    page.close()
