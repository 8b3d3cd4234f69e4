"""What the tests of the report share beside `reported`: pages whose figures are not drawn."""

import matplotlib.pyplot as plt
import pytest

from helpers.course import figures


@pytest.fixture
def pixels():
    """Asked for by a test that looks at the figures of a page."""


@pytest.fixture
def letters():
    """Asked for by a test of names that matplotlib might take for mathematics: figures are laid out."""


@pytest.fixture(autouse=True)
def _no_pixels(request, monkeypatch):
    """Figures are made and closed, not drawn: two thirds of a page's time, where a test reads its words."""

    def save(figure, file):
        if "letters" in request.fixturenames:
            figure.draw_without_rendering()
        plt.close(figure)

    if "pixels" not in request.fixturenames:
        monkeypatch.setattr(figures, "save", save)
