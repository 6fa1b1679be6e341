"""Fixtures that several test files share."""

import threading
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# The same examples on every run, so that a red build is red again; no deadline, because machines differ.
settings.register_profile(
    "steady", derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def httpbin() -> Iterator[str]:
    """The origin of httpbin under a real WSGI server."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from httpbin import app
        from waitress.server import create_server

    server = create_server(app, host="127.0.0.1", port=0, threads=8, asyncore_use_poll=True)  # else its end may raise
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(5)
