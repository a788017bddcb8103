"""Reports to the operator."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.progress_endpoint import ProgressEndpoint
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
    poster = Poster(operator.take, print, every=3600, apart=0)
    poster.submit(report(1))
    operator.asked.wait()
    for percent in (2, 3, 4):
        poster.submit(report(percent))
    poster.close()
    assert operator.percents == [1, 4]


def test_an_urgent_report_goes_out_at_once() -> None:
    operator = Operator()
    poster = Poster(operator.take, print, every=3600, apart=0)
    poster.submit(report(1))
    operator.asked.wait()
    operator.asked.clear()
    poster.submit(report(2), urgent=True)
    arrived = operator.asked.wait(10)
    poster.close()
    assert arrived


def test_an_operator_that_does_not_answer_is_mentioned_once() -> None:
    operator, said = Operator(refuses=True), list[str]()
    poster = Poster(operator.take, said.append, every=0.01, apart=0, close_within=0.05)
    for percent in (1, 2):
        operator.asked.clear()
        poster.submit(report(percent), urgent=True)
        operator.asked.wait()
    poster.close()
    assert said == ["progress could not be reported, training goes on: nobody there"]


def test_a_report_that_did_not_arrive_is_sent_again() -> None:
    operator = Operator(refuses=True)
    poster = Poster(operator.take, lambda _: None, every=0.01, apart=0)
    poster.submit(report(1))
    operator.asked.wait()
    operator.refuses = False
    poster.close()
    assert set(operator.percents) == {1}
    assert len(operator.percents) > 1


def test_a_report_that_did_not_arrive_gives_way_to_a_newer_one() -> None:
    operator = Operator(refuses=True)
    poster = Poster(operator.take, lambda _: None, every=3600, apart=0)
    poster.submit(report(1))
    operator.asked.wait()
    operator.refuses = False
    poster.submit(report(2))
    poster.close()
    assert operator.percents == [1, 2]


def test_whoever_reports_does_not_wait_for_an_operator_that_hangs() -> None:
    answer = threading.Event()

    def hang(_: Report) -> None:
        answer.wait(30)

    poster = Poster(hang, print, every=0, apart=0, close_within=30)
    for percent in range(100):
        poster.submit(report(percent), urgent=True)
    still_hanging = not answer.is_set()
    answer.set()
    poster.close()
    assert still_hanging


def test_without_a_url_nothing_is_reported() -> None:
    assert Endpoint.from_env({}) is None


def test_the_endpoint_is_what_the_environment_says() -> None:
    env = {
        "KUBEFLOW_TRAINER_SERVER_URL": "https://operator/run",
        "KUBEFLOW_TRAINER_SERVER_CA_CERT": "/ca",
        "KUBEFLOW_TRAINER_SERVER_TOKEN": "/token",
    }
    assert Endpoint.from_env(env) == Endpoint("https://operator/run", Path("/ca"), Path("/token"))


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[ProgressEndpoint]:
    opened = ProgressEndpoint(tmp_path)
    yield opened
    opened.end()


def sender(endpoint: ProgressEndpoint) -> Endpoint:
    """What a pod posts with."""
    made = Endpoint.from_env(endpoint.env)
    assert made is not None
    return made


def test_the_operators_endpoint_takes_a_report(endpoint: ProgressEndpoint) -> None:
    sender(endpoint).post(report(7))
    assert endpoint.accepted == [report(7)]


def test_a_refusal_says_why(endpoint: ProgressEndpoint) -> None:
    endpoint.token.write_text("forged")
    with pytest.raises(OSError, match="answers 401: the token is of no pod of a TrainingRun"):
        sender(endpoint).post(report(7))


def test_a_token_that_was_renewed_is_read_again(endpoint: ProgressEndpoint) -> None:
    pod = sender(endpoint)
    endpoint.token.write_text("forged")
    with pytest.raises(OSError, match="401"):
        pod.post(report(7))
    endpoint.token.write_text("good")
    pod.post(report(8))
    assert endpoint.accepted == [report(8)]


def test_a_proxy_for_the_hub_is_not_asked(
    endpoint: ProgressEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    sender(endpoint).post(report(7))
    assert endpoint.accepted == [report(7)]


def test_a_server_of_another_authority_gets_no_token(
    endpoint: ProgressEndpoint, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    stranger = ProgressEndpoint(other)
    pod = Endpoint.from_env(
        {**endpoint.env, "KUBEFLOW_TRAINER_SERVER_URL": stranger.env["KUBEFLOW_TRAINER_SERVER_URL"]}
    )
    assert pod is not None
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        pod.post(report(7))
    stranger.end()


def test_an_operator_that_was_away_gets_the_final_state(endpoint: ProgressEndpoint) -> None:
    away = threading.Event()
    poster = Poster(sender(endpoint).post, lambda _: away.set(), every=0.05, apart=0.6)
    poster.submit(report(1))
    endpoint.until_accepted(1)
    endpoint.close()
    poster.submit(report(99))
    assert away.wait(30)
    endpoint.open()
    poster.submit(report(100), urgent=True)
    poster.close()
    assert endpoint.accepted[-1] == report(100)
