"""What the tests of the report share beside `reported`: a page whose figures are not drawn."""

import matplotlib.pyplot as plt
import pytest

from helpers.course import figures


@pytest.fixture
def no_pixels(monkeypatch):
    """Figures are made and closed, not drawn: two thirds of a page's time, where a test reads its words."""
    monkeypatch.setattr(figures, "save", lambda figure, file: plt.close(figure))
