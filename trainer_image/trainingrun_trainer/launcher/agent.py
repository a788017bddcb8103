"""One worker's agent: torch's elastic agent starts, watches and stops the ranks; the loop is ours.

Torch's own loop counts each agent's restarts by itself and knows neither whose fault a failure is
nor that a worker may be asked to leave, so `follow` takes the place of its `run`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from torch.distributed.elastic.agent.server.api import RunResult, WorkerSpec, WorkerState
from torch.distributed.elastic.agent.server.local_elastic_agent import LocalElasticAgent
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
from torch.distributed.elastic.rendezvous.api import RendezvousConnectionError

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.handover import (
    FailureNote,
    FaultKind,
    Orders,
    Outcome,
    OutcomeKind,
    StepCounter,
)
from trainingrun_trainer.launcher import ending
from trainingrun_trainer.launcher.arrivals import EndKind, RoundEnd
from trainingrun_trainer.launcher.ending import Ending
from trainingrun_trainer.launcher.forkserver import START_METHOD
from trainingrun_trainer.launcher.judgement import judge
from trainingrun_trainer.launcher.rendezvous import AskedToLeaveError, JudgedError, Rendezvous
from trainingrun_trainer.report import ExitCode

WATCH_EVERY_SECONDS: Final = 0.05
PLEASE_LEAVE: Final = signal.SIGUSR1
"""Asks a rank to save and stop. Not SIGTERM: that must end a rank at once, also one that sits in
a collective where no Python runs."""


class Agent(LocalElasticAgent):
    """Ranks of one worker, from the first round to the end."""

    def __init__(
        self,
        config: RunConfig,
        entrypoint: Callable[[Orders], Outcome],
        rendezvous: Rendezvous,
        scratch: Path,
        leaving: Callable[[], bool],
        say: Callable[[str], None],
    ) -> None:
        self._config = config
        self._rendezvous_handler = rendezvous
        self._scratch = scratch
        self._leaving = leaving
        self._say = say
        spec = WorkerSpec(
            role="rank",
            local_world_size=config.processes.per_worker,
            rdzv_handler=rendezvous,
            entrypoint=entrypoint,
            monitor_interval=WATCH_EVERY_SECONDS,
        )
        logs = DefaultLogsSpecs(log_dir=os.devnull)
        super().__init__(spec, logs, start_method=START_METHOD)

    def follow(self) -> Ending:
        """Runs rounds until the run, or this worker's part in it, is over."""
        try:
            while True:
                self._rendezvous(self._worker_group)
                if (over := self._start_round()) is not None:
                    return over
                if (over := self._watch_round()) is not None:
                    return over
        except JudgedError as judged:
            return ending.by_verdict(judged.verdict)
        except AskedToLeaveError:
            return ending.preempted()
        except RendezvousConnectionError as error:
            return ending.infrastructure("RendezvousLost", str(error))
        finally:
            self._shutdown()

    def _start_round(self) -> Ending | None:
        """Starts the ranks, or tells that the round's members have nothing more to do."""
        meeting = self._rendezvous_handler
        judgement = judge(meeting.members, self._config.processes.max_restarts)
        meeting.history = judgement.history
        if judgement.verdict is not None:
            meeting.pronounce(judgement.verdict)
            return ending.by_verdict(judgement.verdict)
        for leftover in self._scratch.iterdir():
            leftover.unlink()
        group = self._worker_group
        host, port = meeting.store_address
        orders = Orders(
            config_json=self._config.to_json(),
            store_host=host,
            store_port=port,
            store_prefix=meeting.store_prefix,
            restart=judgement.restart,
            first_round=judgement.restart is None,
            scratch=self._scratch,
        )
        group.spec.args = (orders,)
        workers = len(meeting.members)
        world = workers * group.spec.local_world_size
        why = ""
        if restart := judgement.restart:
            why = f" after {restart.cause}: {restart.detail}".rstrip(": ")
        self._say(
            f"round {meeting.round}: {workers} of "
            f"{self._config.processes.workers} workers, {world} ranks{why}"
        )
        for local_rank, pid in self._start_workers(group).items():
            group.workers[local_rank].id = pid
        group.state = WorkerState.HEALTHY
        self._orders = orders
        return None

    def _watch_round(self) -> Ending | None:
        """Returns when the ranks are gone; None if another round shall follow."""
        meeting = self._rendezvous_handler
        asked = False
        while True:
            time.sleep(WATCH_EVERY_SECONDS)
            if self._leaving() and not asked:
                asked = True
                self._ask_ranks_to_leave()
            result = self._monitor_workers(self._worker_group)
            if result.state is WorkerState.SUCCEEDED:
                return self._after_return(result)
            if result.state is not WorkerState.HEALTHY:
                return ending.preempted() if asked else self._after_failure(result)
            if (verdict := meeting.verdict) is not None and verdict.failure is not None:
                self._stop_workers(self._worker_group)
                return ending.by_verdict(verdict)
            if meeting.num_nodes_waiting():
                self._stop_workers(self._worker_group)
                if (verdict := meeting.verdict) is not None:
                    return ending.by_verdict(verdict)
                if asked:
                    return ending.preempted()
                kind = EndKind.CUT_OFF if meeting.lost else EndKind.ASKED
                detail = "the rendezvous was lost" if meeting.lost else "the workers changed"
                self._come_again(kind, detail)
                return None

    def _after_return(self, result: RunResult) -> Ending | None:
        self._rendezvous_handler.await_all_returned()
        outcomes: list[Outcome] = [result.return_values[r] for r in sorted(result.return_values)]
        if outcomes[0].kind is OutcomeKind.FINISHED:
            return Ending(ExitCode.SUCCEEDED, summary=outcomes[0].summary)
        if self._leaving():
            return ending.preempted()
        self._come_again(EndKind.LEFT, "a worker was asked to leave")
        return None

    def _after_failure(self, result: RunResult) -> Ending | None:
        notes = self._notes()
        own = [note for note in notes if note.kind is not FaultKind.PEER]
        if own:
            return self._after_exception(own[0])
        killed = [f for f in result.failures.values() if not self._left_a_note(f.local_rank)]
        if killed:
            rank = next(r for r, f in result.failures.items() if f is killed[0])
            detail = f"rank {rank} {ending.signal_name(killed[0].exitcode)}"
            self._say(detail)
            self._come_again(EndKind.FAILED, detail, rank=rank)
            return None
        first = notes[0] if notes else None
        self._come_again(
            EndKind.VICTIM,
            first.message if first else "a rank is gone",
            rank=first.rank if first else None,
        )
        return None

    def _after_exception(self, note: FailureNote) -> Ending | None:
        if note.kind is FaultKind.USER:
            over = ending.user_error(note.message, note.field, note.rank)
            self._rendezvous_handler.pronounce(over.verdict)
            return over
        self._say(f"rank {note.rank} failed at step {note.step}: {note.message}")
        self._come_again(
            EndKind.FAILED,
            note.message,
            rank=note.rank,
            at=note.at,
            signature=f"{note.signature} at step {note.step}",
        )
        return None

    def _come_again(
        self,
        kind: EndKind,
        detail: str,
        *,
        rank: int | None = None,
        at: float | None = None,
        signature: str = "",
    ) -> None:
        """Sets what this worker says at the next rendezvous."""
        self._rendezvous_handler.reason = RoundEnd(
            kind=kind,
            at=time.time() if at is None else at,
            step=max(self._steps(), default=0),
            rank=rank,
            detail=detail[:1024],
            signature=signature[:1024],
        )

    def _local_ranks(self) -> range:
        return range(self._worker_group.spec.local_world_size)

    def _steps(self) -> list[int]:
        return [StepCounter.read(self._orders.step_path(n)) for n in self._local_ranks()]

    def _left_a_note(self, local_rank: int) -> bool:
        return self._orders.note_path(local_rank).exists()

    def _notes(self) -> list[FailureNote]:
        """The notes of failed ranks, oldest first."""
        notes = []
        for local_rank in self._local_ranks():
            with contextlib.suppress(FileNotFoundError):
                text = self._orders.note_path(local_rank).read_bytes()
                notes.append(FailureNote.model_validate_json(text))
        return sorted(notes, key=lambda note: note.at)

    def _ask_ranks_to_leave(self) -> None:
        self._say("asked to leave: ranks save a checkpoint and stop")
        for worker in self._worker_group.workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.id, PLEASE_LEAVE)
