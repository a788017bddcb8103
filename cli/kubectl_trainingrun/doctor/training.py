"""Troubles of pods that run or ran: memory, disk, data, the rendezvous, progress, stalls."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from kubectl_trainingrun.doctor.snapshot import Snapshot, Trouble
from trainingrun_operator.api.conditions import ConditionType, Phase, Reason
from trainingrun_operator.lifecycle.words import duration
from trainingrun_trainer.report import RestartCause

QUIET: Final = timedelta(minutes=2)
"""Without a report for so long, something keeps reports away: trainers post every few seconds."""
STANDING: Final = timedelta(minutes=10)
"""Without a step for so long a run is worth a look, whatever it does."""


def out_of_memory(seen: Snapshot) -> Trouble | None:
    """The kernel has killed a container or a rank."""
    killed = next(
        (p for p in seen.pods if p.termination and p.termination.reason == "OOMKilled"), None
    )
    said = seen.saying("OOMKilled", "killed for memory", "out of memory", "cannot allocate memory")
    restart = next(
        (r for r in seen.run.status.restarts.recent if "killed for memory" in r.detail), None
    )
    if killed is None and said is None and restart is None:
        return None
    what = said or (restart.detail if restart else "")
    return Trouble(
        "out-of-memory",
        f"{killed.name} was killed for want of memory" if killed else what,
        "raise spec.workers.resources.memory, or train with less at a time: a smaller per-device "
        "batch, a shorter block, activation checkpointing",
    )


def disk_full(seen: Snapshot) -> Trouble | None:
    """The claim, or the node's own disk, has no room."""
    said = seen.saying("no space left on device", "disk quota exceeded", "ephemeral-storage")
    pressed = [node.name for node in seen.nodes or () if "DiskPressure" in node.pressures]
    if said is None and not pressed:
        return None
    return Trouble(
        "disk-full",
        said or f"nodes under disk pressure: {', '.join(pressed)}",
        "make room on the claim, lower spec.checkpoints.keep, or enlarge the claim; checkpoints "
        "that were not finished are set aside, the run goes on from the newest that verifies",
    )


def wrong_data(seen: Snapshot) -> Trouble | None:
    """The run has ended over its data."""
    return _user_error(
        seen,
        "wrong-data",
        "spec.data",
        "correct the data or the field named, and make a new run: the data of a run cannot change",
    )


def wrong_spec(seen: Snapshot) -> Trouble | None:
    """The run has ended over something else that the user wrote."""
    return _user_error(
        seen,
        "user-error",
        "",
        "correct what is named, then kubectl trainingrun retry, or make a "
        "new run where the field cannot change",
    )


def given_up(seen: Snapshot) -> Trouble | None:
    """The run has failed too often, or for too long."""
    said = seen.said(
        ConditionType.FAILED,
        Reason.RESTARTS_EXHAUSTED,
        Reason.POD_RESTARTS_EXHAUSTED,
        Reason.JOB_FAILED,
        Reason.DEADLINE_EXCEEDED,
    )
    if said is None:
        return None
    return Trouble(
        "given-up",
        said,
        "mend the cause that is named (kubectl trainingrun logs NAME --all-ranks has the "
        "traceback), then kubectl trainingrun retry",
    )


def rendezvous_failing(seen: Snapshot) -> Trouble | None:
    """Workers run and do not find each other."""
    last = next(
        (line for line in reversed(seen.log) if "waiting: " in line or "looking for " in line), None
    )
    trains = (
        seen.log
        and last is not None
        and any(line.startswith("step ") for line in seen.log[seen.log.index(last) :])
    )
    if last is None or trains or seen.run.over:
        return None
    running = sum(pod.running for pod in seen.pods)
    return Trouble(
        "rendezvous",
        f"{running} worker(s) run and do not meet; worker 0 says: {last}",
        "see whether all workers run and can reach each other: the run's NetworkPolicy allows it, "
        "another policy of the namespace, a mesh sidecar or DNS may not",
    )


def reports_refused(seen: Snapshot) -> Trouble | None:
    """The operator does not take the reports: a token that is expired, or a network in between."""
    said = next((x for x in reversed(seen.log) if "progress could not be reported" in x), None)
    if said is None or not _quiet(seen):
        return None
    if "answers 401" in said:
        return Trouble(
            "token-expired",
            f"the operator refuses the workers' token: {said}",
            "the kubelet renews it each hour: see its log on the node, and whether the clocks of "
            "node and API server agree. Training goes on, and its end will be known",
        )
    return Trouble(
        "reports-lost",
        said,
        "see whether the operator's service has endpoints and no NetworkPolicy keeps the pods "
        "from port 8443. Training goes on, and its end will be known",
    )


def stalled(seen: Snapshot) -> Trouble | None:
    """Workers run, and no step is done."""
    status = seen.run.status
    told = seen.said(ConditionType.PROGRESSING, Reason.STALLED) or seen.said(
        ConditionType.FAILED, Reason.STALLED
    )
    hung = [
        restart
        for restart in status.restarts.recent
        if restart.cause is RestartCause.RANK_HUNG and seen.now - restart.at <= STANDING
    ]
    since = status.progress.step_at if status.progress else None
    still = since is not None and seen.now - since > STANDING and status.phase is Phase.RUNNING
    if not (told or still or (hung and not seen.run.over)):
        return None
    standing = duration(seen.now - since) if since else "some time"
    step = status.progress.step if status.progress else 0
    what = told or (
        f"no new step for {standing}, at step {step}"
        if still
        else f"a rank hung: {hung[-1].detail}"
    )
    return Trouble(
        "stalled",
        what,
        "kubectl trainingrun logs NAME --all-ranks shows the rank that is behind; "
        "spec.policy.stallTimeoutSeconds has such pods made anew",
    )


def stack_differs(seen: Snapshot) -> Trouble | None:
    """The pods found something else than was planned: it trains, and slower than it could."""
    said = seen.said(ConditionType.STACK_VERIFIED, Reason.STACK_DIFFERS)
    if said is None or seen.run.over:
        return None
    return Trouble("stack", said, "use an image and nodes that have what the plan needs")


def suspended(seen: Snapshot) -> Trouble | None:
    """The run is suspended."""
    if not seen.is_true(ConditionType.SUSPENDED):
        return None
    return Trouble(
        "suspended", "the run is suspended", f"kubectl trainingrun resume {seen.run.name}"
    )


def _user_error(seen: Snapshot, name: str, field: str, mend: str) -> Trouble | None:
    said = seen.said(ConditionType.FAILED, Reason.USER_ERROR)
    return None if said is None or field not in said else Trouble(name, said, mend)


def _quiet(seen: Snapshot) -> bool:
    progress = seen.run.status.progress
    told = progress.updated_at if progress else None
    return told is None or seen.now - told > QUIET
