"""One worker's agent: torch's elastic agent starts, watches and stops the ranks; the loop is ours.

Torch's own loop counts each agent's restarts by itself and knows neither whose fault a failure is
nor that a worker may be asked to leave, so `follow` takes the place of its `run`.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from torch.distributed.elastic.agent.server.api import RunResult, WorkerSpec, WorkerState
from torch.distributed.elastic.agent.server.local_elastic_agent import LocalElasticAgent
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
from torch.distributed.elastic.multiprocessing.api import MultiprocessContext
from torch.distributed.elastic.rendezvous.api import RendezvousConnectionError

from trainingrun_trainer.config import AnyConfig, ScriptConfig
from trainingrun_trainer.handover import (
    FailureNote,
    FaultKind,
    Orders,
    Outcome,
    OutcomeKind,
)
from trainingrun_trainer.heartbeat import Activity, Beat
from trainingrun_trainer.launcher import ending, memory, ranks
from trainingrun_trainer.launcher.arrivals import EndKind, RoundEnd
from trainingrun_trainer.launcher.ending import Ending
from trainingrun_trainer.launcher.forkserver import START_METHOD
from trainingrun_trainer.launcher.hang import hang
from trainingrun_trainer.launcher.judgement import Budget, judge
from trainingrun_trainer.launcher.ranks import Ranks
from trainingrun_trainer.launcher.rendezvous import (
    RETURN_WITHIN_SECONDS,
    AskedToLeaveError,
    JudgedError,
    Rendezvous,
)
from trainingrun_trainer.launcher.vigil import Sight, Vigil
from trainingrun_trainer.report import ExitCode

WATCH_EVERY_SECONDS: Final = 0.05
PLEASE_LEAVE: Final = signal.SIGUSR1
"""Asks a rank to save and stop. Not SIGTERM: that must end a rank at once, also one that sits in
a collective where no Python runs."""
FIRST_WORD_SECONDS: Final = 0.3
"""Ranks whose peer has failed may be gone before the peer itself has left word of why."""
OTHERS_NOTICE_SECONDS: Final = 1.0
"""Workers notice a hang at about the same time. Who ended its ranks at once would have those of the
others fail before their stacks are kept."""

AGAIN: Final = "again"
Over = Ending | Literal["again"]
"""What a look at the ranks found: this worker's part is over, or another round shall follow."""


class Agent(LocalElasticAgent):
    """Ranks of one worker, from the first round to the end."""

    def __init__(
        self,
        config: AnyConfig,
        entrypoint: Callable[[Orders], Outcome],
        rendezvous: Rendezvous,
        scratch: Path,
        leaving: Callable[[], bool],
        say: Callable[[str], None],
    ) -> None:
        self._config = config
        self._runs_a_script = isinstance(config, ScriptConfig)
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
        meeting, processes = self._rendezvous_handler, self._config.processes
        budget = Budget(processes.max_restarts, processes.reset_restarts_after_steps)
        judgement = judge(meeting.members, budget)
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
            f"round {meeting.round}: {workers} of {processes.workers} workers, {world} ranks{why}"
        )
        self._killed_for_memory = memory.kills()
        pids = self._start_workers(group)
        for local_rank, pid in pids.items():
            group.workers[local_rank].id = pid
        group.state = WorkerState.HEALTHY
        self._ranks = Ranks(pids, group.workers[0].global_rank, orders)
        self._vigil = Vigil(processes.hang_timeout_seconds)
        return None

    def _watch_round(self) -> Ending | None:
        """Returns when the ranks are gone; None if another round shall follow."""
        self._asked = False
        while True:
            time.sleep(WATCH_EVERY_SECONDS)
            self._pass_on_leaving()
            for look in (self._failures, self._hangs, self._returns, self._calls):
                over = look()
                if over is AGAIN:
                    return ending.preempted() if self._asked else None
                if isinstance(over, Ending):
                    return over

    def _pass_on_leaving(self) -> None:
        if self._leaving() and not self._asked:
            self._asked = True
            self._say("asked to leave: ranks save a checkpoint and stop")
            self._ranks.send(signal.SIGTERM if self._runs_a_script else PLEASE_LEAVE)

    def _failures(self) -> Over | None:
        """Ranks that failed."""
        codes = self._failed()
        if not codes or (self._asked and self._programs_still_run()):
            return None
        self._end_ranks()
        return AGAIN if self._asked else self._after_failure(codes)

    def _hangs(self) -> Over | None:
        """Ranks that hang."""
        sights = self._ranks.sights()
        hanging = self._vigil.hanging(sights, time.monotonic())
        return self._after_hang(hanging, sights) if hanging else None

    def _returns(self) -> Over | None:
        """Ranks that have all done their work."""
        result = self._monitor_workers(self._worker_group)
        if result.state is WorkerState.HEALTHY:
            return None
        if result.state is WorkerState.SUCCEEDED:
            return self._after_return(result)
        codes = {local: failure.exitcode for local, failure in result.failures.items()}
        return AGAIN if self._asked else self._after_failure(codes)

    def _calls(self) -> Over | None:
        """The rendezvous: the run is over, a new round is wanted, or its store is lost."""
        meeting = self._rendezvous_handler
        wanted = meeting.num_nodes_waiting()
        verdict = meeting.verdict
        if verdict is not None and (wanted or verdict.failure is not None):
            self._end_ranks()
            return ending.by_verdict(verdict)
        if not wanted:
            return None
        self._end_ranks()
        kind = EndKind.CUT_OFF if meeting.lost else EndKind.ASKED
        detail = "the rendezvous was lost" if meeting.lost else "the workers changed"
        return self._come_again(kind, detail)

    def _programs_still_run(self) -> bool:
        """Whether a user's program, which was told by SIGTERM to leave, has not yet done so."""
        sights = self._ranks.sights().values()
        return self._runs_a_script and any(
            sight.alive and sight.beat.activity is Activity.PREPARING for sight in sights
        )

    def _failed(self) -> dict[int, int]:
        """Exit codes of ranks that failed, by local rank, before anybody is ended for it."""
        codes = self._exit_codes()
        end = time.monotonic() + FIRST_WORD_SECONDS
        while codes and time.monotonic() < end and self._only_victims(codes):
            time.sleep(WATCH_EVERY_SECONDS / 5)
            codes = self._exit_codes()
        return codes

    def _only_victims(self, codes: Mapping[int, int]) -> bool:
        """Whether those that failed all blame another one, which may still be here."""
        if len(codes) == len(self._ranks.pids) or not all(map(self._left_a_note, codes)):
            return False
        return all(note.kind is FaultKind.PEER for note in self._notes())

    def _exit_codes(self) -> dict[int, int]:
        # Torch itself, at the first failure, waits 30 s for the others to end by SIGTERM, and
        # tells of whichever failed rank comes first in its list.
        context = self._pcontext
        if not isinstance(context, MultiprocessContext) or context._pc is None:
            return {}
        return {local: p.exitcode for local, p in enumerate(context._pc.processes) if p.exitcode}

    def _end_ranks(self) -> None:
        """SIGKILL: a rank that is stopped takes no other signal, and none has more to do."""
        self._shutdown(signal.SIGKILL)

    def _after_return(self, result: RunResult) -> Over:
        if self._runs_a_script and self._asked:
            return ending.preempted()  # its program may have left in order without being done
        within = math.inf if self._runs_a_script else RETURN_WITHIN_SECONDS
        if not self._rendezvous_handler.await_all_returned(within):
            return self._come_again(EndKind.ASKED, "the workers changed")
        outcomes: list[Outcome] = [result.return_values[r] for r in sorted(result.return_values)]
        if outcomes[0].kind is OutcomeKind.FINISHED:
            return Ending(ExitCode.SUCCEEDED, summary=outcomes[0].summary)
        return self._come_again(EndKind.LEFT, "a worker was asked to leave")

    def _after_failure(self, codes: Mapping[int, int]) -> Over:
        notes = self._notes()
        own = [note for note in notes if note.kind is not FaultKind.PEER]
        if own:
            return self._after_exception(own[0])
        killed = [local for local in codes if not self._left_a_note(local)]
        if killed:
            rank = self._ranks.first + killed[0]
            code = codes[killed[0]]
            for_memory = code == -signal.SIGKILL and memory.kills() > self._killed_for_memory
            detail = f"rank {rank} {ending.how_it_ended(code, for_memory=for_memory)}"
            self._say(detail)
            return self._come_again(EndKind.FAILED, detail, rank=rank)
        first = notes[0] if notes else None
        return self._come_again(
            EndKind.VICTIM,
            first.message if first else "a rank is gone",
            rank=first.rank if first else None,
        )

    def _after_hang(self, hanging: Mapping[int, float], sights: Mapping[int, Sight]) -> Over:
        dumps = self._ranks.dumps()
        found = hang(hanging, sights, dumps, self._ranks.first)
        folder = Path(self._config.folder)
        place = ranks.keep(dumps, self._ranks.first, folder, datetime.now(UTC))
        if len(self._rendezvous_handler.members) > 1:
            time.sleep(OTHERS_NOTICE_SECONDS)
        self._end_ranks()
        kept = f"; stacks of all ranks are in {place}" if place is not None else ""
        self._say(f"{found.detail}{kept}")
        kind = EndKind.WAITED if found.rank is None else EndKind.HUNG
        return self._come_again(kind, f"{found.detail}{kept}", rank=found.rank)

    def _after_exception(self, note: FailureNote) -> Over:
        if note.kind is FaultKind.USER:
            over = ending.user_error(note.message, note.field, note.rank)
            self._rendezvous_handler.pronounce(over.verdict)
            return over
        self._say(f"rank {note.rank} failed at step {note.step}: {note.message}")
        return self._come_again(
            EndKind.FAILED,
            note.message,
            rank=note.rank,
            at=note.at,
            signature=f"{note.signature} at step {note.step}",
        )

    def _come_again(
        self,
        kind: EndKind,
        detail: str,
        *,
        rank: int | None = None,
        at: float | None = None,
        signature: str = "",
    ) -> Literal["again"]:
        """Sets what this worker says at the next rendezvous."""
        self._rendezvous_handler.reason = RoundEnd(
            kind=kind,
            at=time.time() if at is None else at,
            step=max(self._steps(), default=0),
            rank=rank,
            detail=detail[:1024],
            signature=signature[:1024],
        )
        return AGAIN

    def _local_ranks(self) -> range:
        return range(self._worker_group.spec.local_world_size)

    def _steps(self) -> list[int]:
        return [Beat.read(self._ranks.orders.heart_path(n)).step for n in self._local_ranks()]

    def _left_a_note(self, local_rank: int) -> bool:
        return self._ranks.orders.note_path(local_rank).exists()

    def _notes(self) -> list[FailureNote]:
        """The notes of failed ranks, oldest first."""
        notes = []
        for local_rank in self._local_ranks():
            with contextlib.suppress(FileNotFoundError):
                text = self._ranks.orders.note_path(local_rank).read_bytes()
                notes.append(FailureNote.model_validate_json(text))
        return sorted(notes, key=lambda note: note.at)
