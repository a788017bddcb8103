"""The operator's environment variables."""

from __future__ import annotations

import pytest

from trainingrun_operator.options import OptionError, Options

GOOD = {"TRAININGRUN_IMAGE_CPU": "trainer:1", "POD_NAMESPACE": "system"}


def test_what_the_chart_sets_is_read() -> None:
    options = Options.from_environment(
        {**GOOD, "TRAININGRUN_NAMESPACES": "a, b,", "TRAININGRUN_PROGRESS_URL": "https://op.svc:1"}
    )

    assert options.namespaces == ("a", "b")
    assert options.progress_host == "op.svc"
    assert options.progress_address == "0.0.0.0:8443"
    assert options.image_xeon == ""


def test_there_may_be_an_image_for_xeon() -> None:
    assert Options.from_environment({**GOOD, "TRAININGRUN_IMAGE_XEON": "x:1"}).image_xeon == "x:1"


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"TRAININGRUN_IMAGE_CPU": ""}, "TRAININGRUN_IMAGE_CPU"),
        ({"TRAININGRUN_PROGRESS_URL": "http://op"}, "TRAININGRUN_PROGRESS_URL"),
        ({"TRAININGRUN_LOG_FORMAT": "xml"}, "TRAININGRUN_LOG_FORMAT"),
    ],
)
def test_a_wrong_variable_is_named(wrong: dict[str, str], name: str) -> None:
    with pytest.raises(OptionError, match=name):
        Options.from_environment({**GOOD, **wrong})
