"""The backend that the ranks take, and what they say when it is not the one asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from trainingrun_trainer.config import BackendName, Communication, Ipex
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.worker import backends, ipex
from trainingrun_trainer.worker.backends import Chosen
from trainingrun_trainer.worker.seat import Seat

SECOND_OF_TWO = Seat(1, 2, 1, 2)
CCL = Communication(backend=BackendName.CCL)
NO_MODULE = "the image has no module oneccl_bindings_for_pytorch"


def test_a_backend_that_every_rank_can_have_is_taken() -> None:
    assert backends.choose(CCL, ["", ""]) == Chosen(BackendName.CCL)


def test_all_ranks_use_gloo_when_one_cannot_have_the_backend() -> None:
    assert backends.choose(CCL, ["", NO_MODULE]) == Chosen(
        BackendName.GLOO, f"ccl cannot be had: {NO_MODULE}"
    )


def test_a_backend_that_is_required_and_cannot_be_had_ends_the_run() -> None:
    with pytest.raises(UserError) as refused:
        backends.choose(
            Communication(backend=BackendName.CCL, required=True), [NO_MODULE, NO_MODULE]
        )
    assert refused.value.field == "spec.communication.backend"
    assert refused.value.message == (
        f"the backend ccl cannot be had: {NO_MODULE}; use an image of the runtime xeon with "
        "oneCCL's binding in it, or write gloo"
    )


def test_gloo_does_not_stand_in_for_mpi() -> None:
    with pytest.raises(UserError, match="built without MPI"):
        backends.choose(
            Communication(backend=BackendName.MPI), [backends.mpi_obstacle(False, SECOND_OF_TWO)]
        )


def test_mpi_needs_ranks_that_mpirun_started() -> None:
    assert backends.mpi_obstacle(True, SECOND_OF_TWO) == "no mpirun started the ranks"
    assert backends.mpi_obstacle(True, Seat(1, 2, 1, 2, by_mpi=True)) == ""


def test_oneccl_is_told_its_seat_and_a_fabric_that_every_network_has() -> None:
    assert backends.ccl_environment(SECOND_OF_TWO, {}) == {
        "FI_PROVIDER": "tcp",
        "CCL_ATL_TRANSPORT": "ofi",
        "CCL_WORKER_COUNT": "1",
        "RANK": "1",
        "WORLD_SIZE": "2",
        "LOCAL_RANK": "1",
        "LOCAL_WORLD_SIZE": "2",
        "CCL_PROCESS_LAUNCHER": "none",
        "CCL_LOCAL_RANK": "1",
        "CCL_LOCAL_SIZE": "2",
    }


def test_what_users_tell_oneccl_stays() -> None:
    theirs = {"FI_PROVIDER": "verbs", "CCL_WORKER_COUNT": "4"}
    ours = backends.ccl_environment(SECOND_OF_TWO, theirs)
    assert not set(ours) & set(theirs)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is put back at the end."""
    monkeypatch.setattr(os, "environ", os.environ.copy())


@pytest.mark.usefixtures("environment")
def test_without_its_binding_ccl_cannot_be_had() -> None:
    assert backends.ready(BackendName.CCL, SECOND_OF_TWO) == NO_MODULE


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("raise OSError('libccl.so.1: cannot open shared object file')", "libccl.so.1"),
        ("", "has registered no backend ccl"),
    ],
    ids=["broken", "silent"],
)
def test_a_binding_that_does_not_work_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    name = f"binding_{len(text)}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(backends, "CCL_BINDING", name)
    monkeypatch.setattr(dist.Backend, "backend_list", ["gloo"])
    assert says in backends.ready(BackendName.CCL, SECOND_OF_TWO)


def test_bfloat16_by_ipex_itself_is_not_offered() -> None:
    assert {mode.value for mode in Ipex} == {"off", "float32"}


def test_an_image_without_ipex_says_so() -> None:
    with pytest.raises(UserError, match="no module intel_extension_for_pytorch; use an image of"):
        ipex.check(Ipex.FLOAT32)


def test_ipex_that_ends_the_process_beside_another_torch_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ending_ipex.py").write_text("raise SystemExit(127)")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(ipex, "MODULE", "ending_ipex")
    with pytest.raises(UserError, match="cannot be loaded: 127"):
        ipex.load()


@pytest.mark.usefixtures("environment")
def test_ipex_can_be_loaded_by_a_user_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "naming_ipex.py").write_text("import os; NAME = os.environ['USER']")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(ipex, "MODULE", "naming_ipex")
    monkeypatch.delenv("USER", raising=False)
    assert str(os.getuid()) == ipex.load().NAME


def test_a_model_is_left_alone_where_ipex_is_off() -> None:
    model = torch.nn.Linear(2, 2)
    ipex.optimise(model, torch.optim.SGD(model.parameters()), Ipex.OFF)
    assert type(model) is torch.nn.Linear
