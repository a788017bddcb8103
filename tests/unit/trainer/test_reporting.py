"""Reports to the operator."""

from __future__ import annotations

import threading
from pathlib import Path

from trainingrun_trainer.report import Report, TrainerStatus
from trainingrun_trainer.reporting.post import Endpoint
from trainingrun_trainer.reporting.poster import Poster


def report(percent: int) -> Report:
    return Report(trainer_status=TrainerStatus(progress_percentage=percent))


class Operator:
    """Takes reports, or refuses them all."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.percents: list[int | None] = []
        self.asked = threading.Event()

    def take(self, posted: Report) -> None:
        self.percents.append(posted.trainer_status.progress_percentage)
        self.asked.set()
        if self.refuses:
            raise OSError("nobody there")


def test_reports_that_come_too_fast_are_dropped_but_the_newest() -> None:
    operator = Operator()
    poster = Poster(operator.take, print, every=3600)
    poster.submit(report(1))
    operator.asked.wait()
    for percent in (2, 3, 4):
        poster.submit(report(percent))
    poster.close()
    assert operator.percents == [1, 4]


def test_an_urgent_report_goes_out_at_once() -> None:
    operator = Operator()
    poster = Poster(operator.take, print, every=3600)
    poster.submit(report(1))
    operator.asked.wait()
    operator.asked.clear()
    poster.submit(report(2), urgent=True)
    arrived = operator.asked.wait(10)
    poster.close()
    assert arrived


def test_an_operator_that_does_not_answer_is_mentioned_once() -> None:
    operator, said = Operator(refuses=True), list[str]()
    poster = Poster(operator.take, said.append)
    for percent in (1, 2):
        operator.asked.clear()
        poster.submit(report(percent), urgent=True)
        operator.asked.wait()
    poster.close()
    assert said == ["progress could not be reported: nobody there"]


def test_without_a_url_nothing_is_reported() -> None:
    assert Endpoint.from_env({}) is None


def test_the_endpoint_is_what_the_environment_says() -> None:
    env = {
        "KUBEFLOW_TRAINER_SERVER_URL": "https://operator/run",
        "KUBEFLOW_TRAINER_SERVER_CA_CERT": "/ca",
        "KUBEFLOW_TRAINER_SERVER_TOKEN": "/token",
    }
    assert Endpoint.from_env(env) == Endpoint("https://operator/run", Path("/ca"), Path("/token"))
