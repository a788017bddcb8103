"""Which rank a process is, in the words of each launcher."""

from __future__ import annotations

import pytest

from trainingrun_trainer.errors import UserError
from trainingrun_trainer.worker.__main__ import meeting_point
from trainingrun_trainer.worker.seat import Seat, SeatError

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
INTEL = {"PMI_RANK": "3", "PMI_SIZE": "4", "MPI_LOCALRANKID": "1", "MPI_LOCALNRANKS": "2"}
OPEN = {
    "OMPI_COMM_WORLD_RANK": "3",
    "OMPI_COMM_WORLD_SIZE": "4",
    "OMPI_COMM_WORLD_LOCAL_RANK": "1",
    "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
}


@pytest.mark.parametrize(
    ("env", "by_mpi"), [(TORCHRUN, False), (INTEL, True), (OPEN, True)], ids=["torch", "in", "om"]
)
def test_every_launcher_tells_the_seat_in_its_own_words(env: dict[str, str], by_mpi: bool) -> None:
    assert Seat.of(env) == Seat(3, 4, 1, 2, by_mpi)


def test_a_process_that_no_launcher_started_is_the_only_rank() -> None:
    assert Seat.of({}) == Seat(0, 1, 0, 1)


def test_torchrun_below_mpirun_is_the_launcher_of_the_ranks() -> None:
    assert not Seat.of({**OPEN, **TORCHRUN}).by_mpi


def test_what_the_training_operator_sets_alone_is_no_seat() -> None:
    assert Seat.of({"RANK": "1", "WORLD_SIZE": "2", **INTEL}).by_mpi


def test_torch_reads_the_seat_that_mpi_gave() -> None:
    assert Seat.of(INTEL).variables() == TORCHRUN


def test_a_variable_that_is_no_number_is_named() -> None:
    with pytest.raises(SeatError, match="PMI_SIZE is 'four'"):
        Seat.of({**INTEL, "PMI_SIZE": "four"})


def test_a_rank_beyond_the_world_is_refused() -> None:
    with pytest.raises(SeatError, match=r"RANK=4, WORLD_SIZE=4.*no such rank"):
        Seat.of({**TORCHRUN, "RANK": "4"})


def test_ranks_on_one_machine_meet_there_at_torchs_port() -> None:
    assert meeting_point(Seat(0, 2, 0, 2), {}) == ("127.0.0.1", 29500)


def test_ranks_on_several_machines_must_be_told_where_to_meet() -> None:
    with pytest.raises(UserError, match="set MASTER_ADDR to the name of the machine of rank 0"):
        meeting_point(Seat(0, 4, 0, 2), {})


def test_ranks_meet_where_they_are_told() -> None:
    env = {"MASTER_ADDR": "node-0", "MASTER_PORT": "12345"}
    assert meeting_point(Seat(3, 4, 1, 2), env) == ("node-0", 12345)


def test_a_port_that_is_no_number_is_refused_by_name() -> None:
    with pytest.raises(UserError, match="MASTER_PORT is 'x'; write a port number"):
        meeting_point(Seat(0, 1, 0, 1), {"MASTER_PORT": "x"})
