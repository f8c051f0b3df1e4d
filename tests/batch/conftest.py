"""What the tests of a run share."""

import signal

import pytest


@pytest.fixture(autouse=True)
def in_front():
    """Ctrl-C is heard, as by a job in front, even where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
