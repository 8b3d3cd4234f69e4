"""What the tests of parts of pages share: a page of Chromium that shows a part alone."""

import pytest


@pytest.fixture(scope="module")
def window(browser):
    """One for all tests of a module, for a new one takes three times as long; and what it said."""
    page, said = browser.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page, said
    page.close()


@pytest.fixture
def show(window):
    """Put the text of a page on the window; a console message or an error fails the test."""
    page, said = window
    said.clear()

    def put(text):
        page.unroute_all()
        page.route("**/*", lambda route: route.fulfill(content_type="text/html; charset=utf-8", body=text))
        page.set_viewport_size({"width": 1000, "height": 1400})
        page.goto("http://explorer.invalid/")
        return page

    yield put
    assert not said
