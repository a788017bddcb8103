"""Which backend a run gets: as asked, another with a reason, or none."""

from __future__ import annotations

import pytest

from trainingrun_operator.api.communication import CommunicationSpec
from trainingrun_operator.plan import PlanError
from trainingrun_operator.plan.backend import Backend, choose_backend
from trainingrun_operator.plan.refusal import Refusals
from trainingrun_trainer.image_manifest import Runtime


def chosen(asked: CommunicationSpec, runtime: Runtime) -> Backend:
    refusals = Refusals()
    backend = choose_backend(asked, runtime, refusals)
    refusals.raise_any()
    return backend


@pytest.mark.parametrize(
    ("asked", "runtime", "given"),
    [
        ("auto", Runtime.CPU, "gloo"),
        ("gloo", Runtime.CPU, "gloo"),
        ("auto", Runtime.XEON, "ccl"),
        ("ccl", Runtime.XEON, "ccl"),
        ("gloo", Runtime.XEON, "gloo"),
    ],
)
def test_a_runtime_gives_the_backends_it_has(asked: str, runtime: Runtime, given: str) -> None:
    backend = chosen(CommunicationSpec.model_validate({"backend": asked}), runtime)
    assert (backend.name, backend.fallback) == (given, "")


def test_ccl_where_there_is_none_becomes_gloo_and_says_so() -> None:
    backend = chosen(CommunicationSpec(backend="ccl"), Runtime.CPU)
    assert backend.name == "gloo"
    assert backend.fallback == (
        "spec.communication.backend: runtime cpu has no ccl (oneCCL's binding needs torch 2.8); "
        "gloo takes its place"
    )
    assert backend.choice.reason == backend.fallback


def test_ccl_that_is_required_and_not_there_is_refused() -> None:
    with pytest.raises(PlanError) as caught:
        chosen(CommunicationSpec(backend="ccl", required=True), Runtime.CPU)
    assert str(caught.value) == (
        "spec.communication.backend: runtime cpu has no ccl (oneCCL's binding needs torch 2.8), "
        "and spec.communication.required is true; write gloo or auto"
    )


@pytest.mark.parametrize("runtime", list(Runtime))
def test_mpi_is_refused_with_the_reason(runtime: Runtime) -> None:
    with pytest.raises(PlanError, match=r"built without MPI.*; write gloo"):
        chosen(CommunicationSpec(backend="mpi"), runtime)
