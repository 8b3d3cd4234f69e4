"""In a real JupyterLab, driven in Chromium: notebooks open, show their MyST, and run from top to bottom."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ["01_the_question", "13_your_own_data", "explorer"]
CODE = '[...window.jupyterapp.shell.currentWidget.content.model.cells].filter((cell) => cell.type === "code")'
OUTPUTS = f"""() => {CODE}.map((cell) => ({{
  source: cell.sharedModel.getSource(),
  outputs: cell.outputs.toJSON(),
}}))"""
COMMANDS = "window.jupyterapp?.commands"
IDLE = """(path) => {
  const panel = window.jupyterapp.shell.currentWidget, kernel = panel?.sessionContext?.session?.kernel;
  return kernel?.status === "idle" && panel.context.path === path && panel.content.model.cells.length > 1;
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab over a copy of the notebooks: what it saves does not come back here."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "RUNTIME")}
    command = [
        sys.executable,
        "-m",
        "jupyter",
        "lab",
        "--no-browser",
        "--allow-root",
        "--expose-app-in-browser",
    ]
    command += [f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", "--IdentityProvider.token="]
    command += [f"--ServerApp.root_dir={folder}", "--LabApp.news_url=", "--LabApp.check_for_updates_class="
                "jupyterlab.NeverCheckForUpdate"]  # fmt: skip
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | own | {"PYTHONPATH": str(ROOT)}
        )
        try:
            yield _when_up(f"http://127.0.0.1:{port}", server, folder / "log")
        finally:
            server.terminate()
            server.wait(30)


def _when_up(address, server, log):
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{address}/api", timeout=5).close()
        except OSError:
            assert server.poll() is None, log.read_text()
            time.sleep(0.25)
        else:
            return address
    pytest.fail(f"JupyterLab does not answer:\n{log.read_text()}")


@pytest.fixture(scope="module")
def window(lab, browser):
    """The Lab in Chromium, once for all: it takes longest to load. A request to another host fails."""
    context, foreign = browser.new_context(viewport={"width": 1400, "height": 1000}), []
    context.on("request", lambda r: r.url.startswith((lab, "data:", "blob:")) or foreign.append(r.url))
    page = context.new_page()
    page.goto(f"{lab}/lab", timeout=90_000)
    page.wait_for_function(f"() => {COMMANDS}?.hasCommand('docmanager:open')", timeout=90_000)
    yield page
    context.close()
    assert not foreign


@pytest.fixture
def opened(window):
    """Open a notebook in the Lab; it is closed unsaved, its kernel with it."""

    def open_(name):
        path = f"notebooks/{name}.ipynb"
        window.evaluate(f"(path) => void {COMMANDS}.execute('docmanager:open', {{ path }})", path)
        window.wait_for_function(f"(path) => ({IDLE})(path)", arg=path, timeout=90_000)
        return window

    yield open_
    window.evaluate("""async () => {
      const { shell } = window.jupyterapp, panel = shell.currentWidget;
      await panel.sessionContext.shutdown();
      panel.dispose();
    }""")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_run_all_runs_all_and_gives_the_outputs_that_are_stored(opened, name):
    page = opened(name)
    before = page.evaluate(OUTPUTS)
    page.get_by_role("menuitem", name="Edit", exact=True).click()
    page.get_by_role("menuitem", name="Clear Outputs of All Cells").click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Restart Kernel and Run All Cells…").click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.wait_for_function(
        f"(path) => {CODE}.every((cell, k) => cell.executionCount === k + 1) && ({IDLE})(path)",
        arg=f"notebooks/{name}.ipynb",
        timeout=180_000,
        polling=500,
    )
    for was, now in zip(before, page.evaluate(OUTPUTS), strict=True):
        assert text(now) == text(was), now["source"]


def text(cell):
    """What a cell printed; tables and figures by their text form."""
    outputs = cell["outputs"]
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"], cell[
        "source"
    ]
    shown = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs]
    return "".join("".join(part) for part in shown)


def test_myst_is_rendered(opened):
    page = opened("01_the_question")
    note = page.get_by_text("How R draws", exact=True).first
    note.wait_for(timeout=30_000)
    assert ":::" not in page.locator(".jp-Notebook").inner_text()
    assert page.locator(".jp-Notebook .katex").count() > 3


def test_the_explorer_is_alive_in_a_cell(opened):
    page = opened("explorer")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    slider = page.locator("se-explorer input[type=range][name=n]")
    page.wait_for_function("() => document.querySelector('se-explorer input[name=n]')?.disabled === false")
    slider.press("ArrowRight")
    assert page.locator("se-explorer input[type=text][name=n]").input_value() == "11"
    assert page.locator("se-explorer [role=status]").inner_text().startswith("F = 6.126")
