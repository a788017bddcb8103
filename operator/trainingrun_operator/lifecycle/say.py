"""Decisions by their meaning: which conditions belong together, and the words in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from trainingrun_operator.api.conditions import ConditionType, Reason
from trainingrun_operator.lifecycle.decision import Action, Activity, Decision, Verdict
from trainingrun_operator.lifecycle.observed import Observed, Termination, Waiting
from trainingrun_operator.lifecycle.references import missing
from trainingrun_operator.lifecycle.wish import Wish
from trainingrun_operator.lifecycle.words import shortened
from trainingrun_trainer.report import Summary

SHORTEST_PATIENCE: Final = timedelta(seconds=2)
LONGEST_PATIENCE: Final = timedelta(seconds=30)
RAW_MESSAGE_LENGTH: Final = 512

_ACCEPTED = Verdict(ConditionType.ACCEPTED, "True", Reason.VALID, "the spec can be carried out")
_NO_PROGRESS = Verdict(
    ConditionType.PROGRESSING, "False", Reason.NO_PROGRESS_YET, "no progress was reported yet"
)


def patience(
    seen: Observed, now: datetime, kind: ConditionType = ConditionType.ACCEPTED
) -> timedelta:
    """How long to wait before a try that costs a request: half of how long it has been so."""
    known = seen.condition(kind)
    if known is None or known.status != "False":
        return SHORTEST_PATIENCE
    return min(max((now - known.last_transition_time) / 2, SHORTEST_PATIENCE), LONGEST_PATIENCE)


def refused(
    seen: Observed, reason: Reason, message: str, recheck_after: timedelta | None = None
) -> Decision:
    """The run has no job and cannot be carried out as it is; nothing is made."""
    kinds = [ConditionType.ACCEPTED, ConditionType.JOB_CREATED]
    # What was true of a job that is gone is not true any more.
    ended = (ConditionType.RUNNING, ConditionType.PROGRESSING, ConditionType.SUSPENDED)
    kinds += [kind for kind in ended if seen.is_true(kind)]
    verdicts = tuple(Verdict(kind, "False", reason, message) for kind in kinds)
    return Decision(verdicts, activity=Activity.IDLE, recheck_after=recheck_after)


def with_edit_refused(decided: Decision, problem: str) -> Decision:
    """The decision by the spec that the job was made from, while the present one is refused."""
    if decided.activity is Activity.ENDED or not decided.verdicts:
        return decided
    message = f"{problem}. The edit is refused; the run goes on by the spec its job was made from"
    refusal = Verdict(ConditionType.ACCEPTED, "False", Reason.INVALID_SPEC, message)
    others = tuple(v for v in decided.verdicts if v.type is not ConditionType.ACCEPTED)
    return replace(decided, verdicts=(*others, refusal))


def with_notices(decided: Decision, notices: tuple[str, ...]) -> Decision:
    """The decision with what the user should know beside `Accepted=True`."""
    if not notices:
        return decided
    verdicts = tuple(
        replace(v, message="; ".join((v.message, *notices))) if v == _ACCEPTED else v
        for v in decided.verdicts
    )
    return replace(decided, verdicts=verdicts)


def name_taken(seen: Observed, kind: str, name: str, recheck_after: timedelta) -> Decision:
    """An object of the name is there that this run does not own."""
    message = (
        f"{kind} {name} exists and is not this run's; it is left alone. Delete it, and the run "
        "starts by itself, or give the run another name"
    )
    return refused(seen, Reason.NAME_CONFLICT, message, recheck_after)


def job_refused(message: str, recheck_after: timedelta) -> Decision:
    """The API server or an admission webhook did not take what was to be made."""
    return Decision(
        (Verdict(ConditionType.JOB_CREATED, "False", Reason.JOB_REFUSED, message), _ACCEPTED),
        activity=Activity.IDLE,
        recheck_after=recheck_after,
    )


def change_refused(message: str, recheck_after: timedelta) -> Decision:
    """The API server does not take what is to be changed of a run that has its job."""
    verdict = Verdict(ConditionType.ACCEPTED, "False", Reason.JOB_REFUSED, message)
    return Decision((verdict,), recheck_after=recheck_after)


def suspended(wish: Wish, actions: tuple[Action, ...]) -> Decision:
    """The pods go, or are gone; time stands still."""
    message = "suspended; set spec.policy.suspend to false to go on from the last checkpoint"
    return Decision(
        (
            Verdict(ConditionType.SUSPENDED, "True", Reason.SUSPENDED, message),
            _ACCEPTED,
            _job_made(wish),
            Verdict(ConditionType.RUNNING, "False", Reason.SUSPENDED, message),
            Verdict(ConditionType.PROGRESSING, "False", Reason.SUSPENDED, message),
        ),
        activity=Activity.IDLE,
        actions=actions,
    )


def resumed(seen: Observed) -> tuple[Verdict, ...]:
    """What ends a suspension in the conditions; nothing if there never was one."""
    if not seen.is_true(ConditionType.SUSPENDED):
        return ()
    return (
        Verdict(ConditionType.SUSPENDED, "False", Reason.NOT_SUSPENDED, "the run goes on"),
        Verdict(ConditionType.RUNNING, "False", Reason.WAITING_FOR_PODS, "its pods are made anew"),
    )


def starting(seen: Observed, wish: Wish, actions: tuple[Action, ...] = ()) -> Decision:
    """The job is there, or is made just now; its pods are not yet up."""
    message = f"{_job_made(wish).message}; its {wish.workers} workers are awaited"
    return Decision(
        (
            Verdict(ConditionType.JOB_CREATED, "True", Reason.JOB_CREATED, message),
            _ACCEPTED,
            *resumed(seen)[:1],
            Verdict(ConditionType.RUNNING, "False", Reason.WAITING_FOR_PODS, message),
        ),
        activity=Activity.ACTIVE,
        actions=actions,
    )


def replacing(message: str, actions: tuple[Action, ...] = ()) -> Decision:
    """The job goes, so that another can be made; its pods are not lost but given up."""
    return Decision(
        (
            Verdict(ConditionType.RUNNING, "False", Reason.RESTARTING, message),
            _ACCEPTED,
            Verdict(ConditionType.JOB_CREATED, "False", Reason.RESTARTING, message),
        ),
        activity=Activity.IDLE,
        actions=actions,
    )


def not_running(seen: Observed, wish: Wish, reason: Reason, message: str) -> Decision:
    """The job is there, but fewer workers run than training needs."""
    return Decision(
        (
            Verdict(ConditionType.RUNNING, "False", reason, message),
            _ACCEPTED,
            _job_made(wish),
            *resumed(seen)[:1],
        ),
        activity=Activity.ACTIVE,
    )


def cannot_start(
    seen: Observed, wish: Wish, reason: Reason, pod: str, waiting: Waiting
) -> Decision:
    """A container does not start, for what the kubelet says."""
    told = shortened(waiting.message, RAW_MESSAGE_LENGTH) or waiting.reason
    if reason is Reason.IMAGE_PULL_FAILED:
        message = (
            f"image {waiting.image} cannot be pulled for {pod}: {told}; "
            f"correct spec.image.name, {_pull_secrets(wish)}, or push the image"
        )
    elif (lack := missing(waiting.message, wish.references)) is not None:
        reason, message = lack.reason, lack.message
    else:
        message = f"the container of {pod} cannot be made: {told}; make what is missing"
    return not_running(seen, wish, reason, message)


def _pull_secrets(wish: Wish) -> str:
    if not wish.pull_secrets:
        return "name a secret for its registry in spec.image.pullSecrets"
    return f"see whether {', '.join(wish.pull_secrets)} of spec.image.pullSecrets exist and fit"


def running(seen: Observed, wish: Wish) -> Decision:
    """Enough workers run to train."""
    message = f"{seen.running} of {wish.workers} workers run"
    if seen.running < wish.workers and (left_out := _what_keeps_away(seen)):
        message = f"{message}; {left_out}"
    reports = seen.report is not None or seen.status.progress is not None
    training = Verdict(
        ConditionType.PROGRESSING, "True", Reason.TRAINING, "the run reports progress"
    )
    return Decision(
        (
            Verdict(ConditionType.RUNNING, "True", Reason.WORKERS_RUNNING, message),
            _ACCEPTED,
            _job_made(wish),
            *resumed(seen)[:1],
            training if reports else _NO_PROGRESS,
        ),
        activity=Activity.ACTIVE,
    )


def _job_made(wish: Wish) -> Verdict:
    message = f"PyTorchJob {wish.name} is made"
    return Verdict(ConditionType.JOB_CREATED, "True", Reason.JOB_CREATED, message)


def _what_keeps_away(seen: Observed) -> str:
    """Why a worker is not there though enough others are; "" if nothing is known."""
    for pod in seen.pods:
        if pod.unschedulable is not None and not pod.deleting:
            return f"{pod.name} fits on no node: {pod.unschedulable}"
        if pod.waiting is not None and pod.waiting.message:
            return f"{pod.name} waits: {shortened(pod.waiting.message, RAW_MESSAGE_LENGTH)}"
    return ""


def stalled(step: int, message: str, actions: tuple[Action, ...]) -> Decision:
    """The workers run and get nowhere."""
    return Decision(
        (Verdict(ConditionType.PROGRESSING, "False", Reason.STALLED, message), _ACCEPTED),
        activity=Activity.ACTIVE,
        actions=actions,
        stalled_at=step,
    )


def unheard(reason: Reason, message: str) -> Decision:
    """What is now asked of a run that has ended is not done."""
    return Decision((Verdict(ConditionType.ACCEPTED, "False", reason, message),))


def retried(attempt: int, actions: tuple[Action, ...]) -> Decision:
    """A failed run begins anew."""
    message = f"retry {attempt} is asked for; the run goes on from its last checkpoint"
    return Decision(
        (
            Verdict(ConditionType.FAILED, "False", Reason.RETRIED, message),
            _ACCEPTED,
            Verdict(ConditionType.JOB_CREATED, "False", Reason.RETRIED, message),
            Verdict(ConditionType.RUNNING, "False", Reason.RESTARTING, message),
        ),
        activity=Activity.IDLE,
        actions=actions,
        attempt=attempt,
    )


def succeeded(summary: Summary | None) -> Decision:
    """The run is done."""
    message = "training is done" if summary is None else f"{summary.steps} steps are done"
    if summary is not None and summary.last_loss is not None:
        message = f"{message}, last loss {summary.last_loss:.4g}"
    return _ended(Verdict(ConditionType.SUCCEEDED, "True", Reason.COMPLETED, message))


def failed(reason: Reason, message: str, actions: tuple[Action, ...] = ()) -> Decision:
    """The run is over without its result."""
    return _ended(Verdict(ConditionType.FAILED, "True", reason, message), actions)


def cause(ended: Termination) -> str:
    """Why a worker ended, as it said itself, or as Kubernetes tells it."""
    if ended.message is not None and (failure := ended.message.failure) is not None:
        rank = "" if failure.rank is None else f" (rank {failure.rank})"
        field = f"{failure.field}: " if failure.field else ""
        return f"{field}{failure.message}{rank}"
    text = f"{ended.pod} ended with exit code {ended.exit_code}"
    if ended.reason == "OOMKilled":
        return f"{text}: out of memory; raise spec.workers.resources.memory"
    told = shortened(ended.text.strip(), RAW_MESSAGE_LENGTH)
    return f"{text}: {told}" if told else f"{text}; see kubectl logs {ended.pod}"


def _ended(verdict: Verdict, actions: tuple[Action, ...] = ()) -> Decision:
    over = "the run is over"
    return Decision(
        (
            verdict,
            Verdict(ConditionType.RUNNING, "False", Reason.FINISHED, over),
            Verdict(ConditionType.PROGRESSING, "False", Reason.FINISHED, over),
        ),
        activity=Activity.ENDED,
        actions=actions,
    )
