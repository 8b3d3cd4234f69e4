"""What the tests of the report share beside `reported`: pages whose figures are not drawn."""

import matplotlib.pyplot as plt
import pytest

from helpers.course import figures


@pytest.fixture
def pixels():
    """Asked for by a test that looks at the figures of a page."""


@pytest.fixture(autouse=True)
def _no_pixels(request, monkeypatch):
    """Figures are made and closed, not drawn: two thirds of a page's time, where a test reads its words."""
    if "pixels" not in request.fixturenames:
        monkeypatch.setattr(figures, "save", lambda figure, file: plt.close(figure))
