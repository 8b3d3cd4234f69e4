"""The tests' own eye: of what looks alike one is left, and a fault is found beside or below the others."""

from accessible import faults, leave_one_of_each

ROW = '<tr><td><span class="name">x</span></td><td><a href="#top">link</a></td></tr>'
WORDS = '<span style="color: #333">word</span> ' * 300
PAGE = f"""<!doctype html><html lang="en"><title>x</title><body style="background: #fff">
<main id="top"><h1>x</h1>
<pre>{WORDS}{{poor}}{WORDS}</pre><table>{ROW * 3}{{nameless}}{ROW * 100}</table></main>"""
POOR, NAMELESS = '<span style="color: #ccc">pale</span>', "<tr><td><button></button></td><td></td></tr>"


def test_one_of_each_look_is_left_and_its_faults_are_found(browser):
    page = browser.new_page()
    found = {}
    for poor, nameless in ((POOR, NAMELESS), ("", "")):
        page.set_content(PAGE.format(poor=poor, nameless=nameless))
        whole = {fault.partition(":")[0] for fault in faults(page)}
        leave_one_of_each(page)
        found[poor] = {fault.partition(":")[0] for fault in faults(page)}
        assert found[poor] == whole
        assert page.locator("pre span").count() == 1 + bool(poor)
        assert page.locator("tr").count() < 40
        assert page.locator("pre").inner_text().count("word") == 600
    page.close()
    assert {"color-contrast", "button-name"} <= found[POOR]
    assert found[""] == set()
