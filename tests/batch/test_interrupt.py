"""Ctrl-C once finishes the studies in hand, twice stops at once; a request to end stops at once."""

import os
import signal
from threading import Event, Thread
from types import SimpleNamespace

import pytest

from grading.batch import Limits, crew
from grading.batch.crew import local_crew, run_locally
from grading.batch.interrupt import stopping_gently
from grading.errors import ConfigurationError
from grading.settings import Settings


def test_the_first_interrupt_asks_and_the_second_insists():
    told = []
    with stopping_gently(lambda: told.append(True)) as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_set()
        assert told == [True]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_job_in_the_background_goes_on_when_the_one_in_front_is_interrupted():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with stopping_gently(lambda: None) as stop:
        os.kill(os.getpid(), signal.SIGINT)
    assert not stop.is_set()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_request_to_end_is_heard_at_once():
    with stopping_gently(lambda: None), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_thread_that_hears_no_signals_works_all_the_same():
    seen = []

    def work():
        with stopping_gently(lambda: None) as stop:
            seen.append(stop.is_set())

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


@pytest.fixture
def jobs(monkeypatch):
    """Nine jobs, whose workers give their names back; "bad" ends the run."""

    class Worker:
        def __init__(self, *_):
            self.closed = self.started = False

        def start(self):
            self.started = True

        def run(self, job):
            if job.name == "bad":
                raise ConfigurationError("no space")
            return job.name

        def close(self):
            self.closed = True

    monkeypatch.setattr(crew, "Worker", Worker)
    return [SimpleNamespace(name=f"s{n}", settings=Settings()) for n in range(9)]


@pytest.mark.parametrize("workers", [1, 2, 20])
def test_every_job_is_done_once_by_however_many_workers(jobs, workers):
    done = list(run_locally(jobs, local_crew(workers, Limits()), Event()))
    assert sorted(done) == [job.name for job in jobs]


@pytest.mark.usefixtures("jobs")
def test_one_process_loads_its_libraries_before_there_is_work():
    assert [worker.started for worker in local_crew(3, Limits())] == [True, False, False]


def test_no_study_is_begun_after_the_user_asked_to_stop(jobs):
    stop = Event()
    stop.set()
    assert not list(run_locally(jobs, local_crew(2, Limits()), stop))


def test_what_concerns_every_study_ends_the_run(jobs):
    jobs[3].name = "bad"
    with pytest.raises(ConfigurationError, match="no space"):
        list(run_locally(jobs, local_crew(2, Limits()), Event()))
