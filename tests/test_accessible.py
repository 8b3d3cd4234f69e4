"""The tests' own eye: it looks at few of what looks alike, and finds a fault among the others."""

import re

from accessible import faults, thin

ROW = '<tr><td><span class="name">x</span></td><td><a href="#top">link</a></td></tr>'
WORDS = '<span class="word">word</span> ' * 60
STYLE = """body { background: #fff; color: #333; } a { color: inherit; }
.pale { color: #ccc; } .hidden { display: none; } .own { background: #ddd; }
pre { background-image: linear-gradient(90deg, #0001, #0000 1em); white-space: pre-wrap; }
.list { position: relative; color: #bbb; } .list b { display: block; height: 20px; }
.list i { position: absolute; top: 0; height: 70px; width: 100%; background: #fff; }
@media (prefers-color-scheme: dark) {
  .list { color: #eee; } .list i { background: #111; }
  body { background: #111; color: #eee; } .dim { color: #333; } .own { background: #444; }
}"""
FAULTS = {
    "code": '<span class="pale" id="pale-code">pale</span> <span class="dim" id="dim-code">dim</span>',
    "text": '<em class="pale hidden">pale</em>' * 9 + '<em class="pale" id="pale-text">pale</em>'
    '<b class="dim" id="dim-text">dim</b> <em class="own"><b class="dim" id="dim-on-its-own">dim</b></em>',
    "listed": '<div class="list">'
    + "".join(f'<b id="listed-{k}">word</b>' for k in range(1, 18))
    + "<i></i></div>",
    "row": '<tr><td><button id="nameless"></button></td><td></td></tr>',
}
FOUND = {
    "light": {"pale-code", "pale-text", "listed-8", "listed-16", "nameless"},
    "dark": {"dim-code", "dim-text", "dim-on-its-own", "nameless"},
}


def html(code="", text="", listed="", row=""):
    return f"""<!doctype html><html lang="en"><title>x</title><style>{STYLE}</style><body><main id="top">
      <h1>x</h1><pre>{WORDS}{code}{WORDS}</pre><p>{WORDS}{text}{WORDS}</p>{listed}
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
