"""JupyterLab in Chromium: a notebook is opened, and a cell is run by the kernel behind its WebSocket.

Only while recording: the page makes up an id for each message, in binary frames, which the kernel repeats.
"""

# /// script
# dependencies = ["jupyterlab==4.6.6", "ipykernel==7.1.0", "playwright==1.65.2"]
# ///

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.apps.support import browsing, finish, serving, while_recording

NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "id": "sum", "source": "6*7", "metadata": {}, "outputs": [], "execution_count": None}
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
TOKEN = "2f7c1e9ab04d5836"
EXPECTED = {
    "the notebook is open": "6*7",
    "the kernel answers": "42",
    "errors in the console": [],
}


@contextlib.contextmanager
def backend() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sum.ipynb").write_text(json.dumps(NOTEBOOK))
        options = ["--no-browser", "--allow-root", "--ServerApp.port=PORT", "--ServerApp.port_retries=0"]
        options += ["--ip=127.0.0.1", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"]
        home = {"HOME": folder, "JUPYTER_RUNTIME_DIR": f"{folder}/run", "IPYTHONDIR": f"{folder}/ipython"}
        with serving(sys.executable, "-m", "jupyterlab", *options, env=home) as origin:
            yield origin


def visit(origin: str) -> Iterator[tuple[str, Any]]:
    with browsing() as (page, errors):
        page.goto(f"{origin}/lab/tree/sum.ipynb?token={TOKEN}")
        cell = page.locator(".jp-Notebook .jp-Cell .cm-content", has_text="6").first
        yield "the notebook is open", cell.inner_text().strip()
        page.locator("#jp-main-statusbar", has_text="Python 3 (ipykernel) | Idle").wait_for()
        page.click("[data-command='notebook:run-cell-and-select-next']")
        yield "the kernel answers", page.locator(".jp-OutputArea-output").first.inner_text().strip()
        yield "errors in the console", errors


if __name__ == "__main__":
    while_recording(backend, visit, EXPECTED)
    finish()
