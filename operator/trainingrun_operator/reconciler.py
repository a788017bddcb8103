"""One look at one run: gather, decide, act, write the status once, tell of it.

Level-triggered: what is done follows from what is seen now, never from which event came. Any
number of repeats, at any moment, by any number of operators, leads to the same end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from pydantic import ValidationError

from trainingrun_operator.api.conditions import ConditionType
from trainingrun_operator.api.policy import Policy
from trainingrun_operator.api.problems import problems
from trainingrun_operator.api.status import Status
from trainingrun_operator.api.v1alpha1 import TrainingRun
from trainingrun_operator.cluster.protocol import (
    Cluster,
    ClusterError,
    ConflictError,
    ForbiddenError,
    GoneError,
    Manifest,
    NameTakenError,
    RefusedError,
    UnavailableError,
)
from trainingrun_operator.gathering import Gathering
from trainingrun_operator.keys import Key
from trainingrun_operator.lifecycle import say
from trainingrun_operator.lifecycle.account import (
    next_status,
    only_progress_differs,
    workers_are_changing,
)
from trainingrun_operator.lifecycle.checks import decide
from trainingrun_operator.lifecycle.decision import (
    Activity,
    AdjustJob,
    ApplyChildren,
    Decision,
    DeleteJob,
    DeletePods,
    DeleteRun,
)
from trainingrun_operator.lifecycle.events import events
from trainingrun_operator.lifecycle.observed import (
    Claim,
    Job,
    Observed,
    Pod,
    ReceivedReport,
    Termination,
    parse_status,
)
from trainingrun_operator.lifecycle.wish import Wish
from trainingrun_operator.plan import LaunchPlan, PlanError, Settings, launch_plan
from trainingrun_operator.render import claims, config_map, render, with_workers

PROGRESS_INTERVAL: Final = timedelta(seconds=5)
"""The shortest time between two status writes that differ in progress only."""
SETTLING: Final = timedelta(seconds=1)
"""How long a status that the next pod will change waits for it: pods come and go in groups."""
ECHO_PATIENCE: Final = timedelta(seconds=30)
"""How long a job that was just made counts as there before the watch has shown it."""

logger = logging.getLogger(__name__)


class World(Protocol):
    """What the watches show, without a request."""

    def run(self, key: Key) -> Mapping[str, Any] | None:
        """The raw TrainingRun."""

    def job(self, key: Key) -> Job | None:
        """The PyTorchJob of the run's name, of those that carry our label."""

    def pods(self, key: Key) -> tuple[Pod, ...]:
        """The pods that carry the run's label."""


class Reports(Protocol):
    """Progress posts, the newest of each run."""

    def newest(self, key: Key, uid: str) -> ReceivedReport | None:
        """The newest report of this very run."""

    def forget(self, key: Key) -> None:
        """Drop what is kept of a run."""


@dataclass
class Memory:
    """What is kept of a run between two looks. Losing it costs a request or a moment, no truth."""

    written: Mapping[str, Any] | None = None
    """The run as our last status write returned it, until the watch has caught up."""
    written_at: datetime | None = None
    unsettled_since: datetime | None = None
    """When workers began to change, if the status does not yet say so."""
    made: Job | None = None
    """The job as it was just made, until the watch has shown it."""
    made_at: datetime | None = None
    last_failure: Termination | None = None
    pods_missing_since: datetime | None = None


class Reconciler:
    """Brings one run at a time to what its spec says."""

    def __init__(
        self,
        world: World,
        cluster: Cluster,
        reports: Reports,
        settings: Callable[[], Settings],
        clock: Callable[[], datetime],
    ) -> None:
        """`clock` gives the present time with a time zone."""
        self._world = world
        self._cluster = cluster
        self._gathering = Gathering(cluster)
        self._reports = reports
        self._settings = settings
        self._clock = clock
        self._began = clock()
        self._memories: dict[Key, Memory] = {}

    def note_pod(self, key: Key, pod: Pod) -> None:
        """Remember how a worker failed: its pod may be gone before the next look."""
        if pod.termination is not None and pod.termination.exit_code != 0:
            self._memories.setdefault(key, Memory()).last_failure = pod.termination

    async def reconcile(self, key: Key) -> timedelta | None:
        """Look once. Returns when to look again by itself, None for only after an event.

        Raises:
            ClusterError: something could not be done now; a later look may.
        """
        shown = self._world.run(key)
        if shown is None:
            self._memories.pop(key, None)
            self._reports.forget(key)
            return None
        memory = self._memories.setdefault(key, Memory())
        raw = self._newest(shown, memory)
        wish, plan = self._wish(raw)
        wish = wish.with_annotations(raw["metadata"].get("annotations") or {})
        now = self._clock()
        wish = wish.as_job_was_made(self._job(key, memory, now), _uid(raw))
        seen = self._observed(key, raw, wish, memory, now)
        try:
            seen = await self._gathering.gathered(seen, wish, now)
            decision = decide(seen, wish, now)
        except ForbiddenError as error:
            wait = say.patience(seen, now, ConditionType.JOB_CREATED)
            decision = say.job_refused(str(error), wait)
        if decision.attempt is not None:
            memory.last_failure = None
        seen, decision = await self._act(key, seen, decision, plan, memory, now)
        status = next_status(seen, wish, decision, now)
        return await self._write(key, raw, seen, decision, status, memory, now)

    def _newest(self, shown: Mapping[str, Any], memory: Memory) -> Mapping[str, Any]:
        """The run as the watch shows it, or as we wrote it if the watch is not that far yet."""
        written = memory.written
        if written is None or _uid(written) != _uid(shown) or _version(shown) >= _version(written):
            memory.written = None
            return shown
        return written

    def _wish(self, raw: Mapping[str, Any]) -> tuple[Wish, LaunchPlan | None]:
        meta = raw["metadata"]
        refused = Wish(
            name=meta["name"],
            namespace=meta["namespace"],
            generation=meta.get("generation", 0),
            reports=bool(self._settings().progress_url),
        )
        try:
            # The status is read apart: whatever stands in it, the spec can be carried out.
            run = TrainingRun.parse({k: v for k, v in raw.items() if k != "status"})
            plan = launch_plan(run, self._settings())
        except ValidationError as error:
            problem = "; ".join(str(problem) for problem in problems(error))
            return replace(refused, policy=_policy(raw), problem=problem), None
        except PlanError as error:
            return replace(refused, policy=run.spec.policy, problem=str(error)), None
        return Wish.of(run, plan), plan

    def _observed(
        self, key: Key, raw: Mapping[str, Any], wish: Wish, memory: Memory, now: datetime
    ) -> Observed:
        uid = _uid(raw)
        job = self._job(key, memory, now)
        seen = Observed(
            uid=uid,
            status=parse_status(raw),
            deleting="deletionTimestamp" in raw["metadata"],
            job=job,
            pods=tuple(p for p in self._world.pods(key) if job and p.owner_uid == job.uid),
            report=self._reports.newest(key, uid),
            last_failure=memory.last_failure,
            watched_since=self._began,
        )
        memory.pods_missing_since = _pods_missing_since(seen, wish, memory, now)
        return replace(seen, pods_missing_since=memory.pods_missing_since)

    def _job(self, key: Key, memory: Memory, now: datetime) -> Job | None:
        shown = self._world.job(key)
        if shown is not None or memory.made_at is None or now - memory.made_at > ECHO_PATIENCE:
            memory.made = memory.made_at = None
            return shown
        return memory.made

    async def _act(
        self,
        key: Key,
        seen: Observed,
        decision: Decision,
        plan: LaunchPlan | None,
        memory: Memory,
        now: datetime,
    ) -> tuple[Observed, Decision]:
        """Do what was decided; what is in the way becomes the decision."""
        for action in decision.actions:
            if not isinstance(action, ApplyChildren):
                try:
                    await self._do(action, key, seen, plan)
                except (RefusedError, ForbiddenError) as error:
                    if seen.finished or decision.activity is Activity.ENDED:
                        raise
                    return seen, say.change_refused(str(error), say.patience(seen, now))
            elif plan is not None:
                try:
                    if seen.claim is Claim.MISSING:
                        await self._apply_all(claims(plan), seen.uid)
                    made = await self._made(replace(plan, attempt=seen.status.attempt), seen.uid)
                except NameTakenError as error:
                    wait = say.patience(seen, now)
                    return seen, say.name_taken(seen, error.kind, error.name, wait)
                except (RefusedError, ForbiddenError, UnavailableError) as error:
                    wait = say.patience(seen, now, ConditionType.JOB_CREATED)
                    return seen, say.job_refused(str(error), wait)
                memory.made, memory.made_at = Job.parse(made), now
                seen = replace(seen, job=memory.made)
        return seen, decision

    async def _do(
        self,
        action: AdjustJob | DeleteJob | DeletePods | DeleteRun,
        key: Key,
        seen: Observed,
        plan: LaunchPlan | None,
    ) -> None:
        match action:
            case AdjustJob(workers=workers, suspend=suspend):
                if plan is not None and seen.job and seen.job.workers != workers:
                    await self._tell_workers_to_come(plan, workers, seen.uid)
                if meet := seen.job.rendezvous if seen.job else "":
                    await self._cluster.suspend_rendezvous(key.namespace, meet, suspend=suspend)
                await self._cluster.adjust_job(key, workers, suspend=suspend)
            case DeleteJob(uid=uid):
                if meet := seen.job.rendezvous if seen.job else "":
                    await self._cluster.delete_rendezvous(key.namespace, meet)
                await self._cluster.delete_job(key, uid)
            case DeletePods(pods=pods, at_once=at_once):
                for name, uid in pods:
                    await self._cluster.delete_pod(key.namespace, name, uid, at_once=at_once)
            case DeleteRun(uid=uid):
                await self._cluster.delete_run(key, uid)

    async def _tell_workers_to_come(self, plan: LaunchPlan, workers: int, owner_uid: str) -> None:
        there = await self._cluster.config_map(plan.namespace, plan.config_map)
        resized = None if there is None else with_workers(there, workers)
        await self._cluster.apply(resized or config_map(plan), owner_uid)

    async def _made(self, plan: LaunchPlan, owner_uid: str) -> Manifest:
        *others, job = render(plan)
        await self._apply_all(others, owner_uid)
        return await self._cluster.apply(job, owner_uid)

    async def _apply_all(self, manifests: Iterable[Manifest], owner_uid: str) -> None:
        for manifest in manifests:
            await self._cluster.apply(manifest, owner_uid)

    async def _write(
        self,
        key: Key,
        raw: Mapping[str, Any],
        seen: Observed,
        decision: Decision,
        status: Status,
        memory: Memory,
        now: datetime,
    ) -> timedelta | None:
        again = decision.recheck_after
        if status == seen.status:
            return again
        if (left := _may_wait(status, seen.status, memory, now)) > timedelta():
            return left if again is None else min(left, again)
        body = status.model_dump(mode="json", by_alias=True, exclude_none=True)
        try:
            version = str(raw["metadata"]["resourceVersion"])
            memory.written = await self._cluster.write_status(key, version, body)
        except GoneError:
            return None
        except ConflictError:
            # The watch will show what is newer; the same look then comes to its own status.
            logger.debug("%s changed while it was looked at", key)
            raise
        memory.written_at, memory.unsettled_since = now, None
        await self._tell(key, seen, decision, status)
        return again

    async def _tell(self, key: Key, seen: Observed, decision: Decision, status: Status) -> None:
        for event in events(seen.uid, seen.status, status, decision):
            try:
                await self._cluster.emit(key, seen.uid, event)
            except ClusterError as error:
                # The status says the same; an event is not worth another look.
                logger.warning("%s: %s", key, error)


def _may_wait(status: Status, before: Status, memory: Memory, now: datetime) -> timedelta:
    """How long the status need not be written yet."""
    if only_progress_differs(status, before):
        since = memory.written_at
        return timedelta() if since is None else since + PROGRESS_INTERVAL - now
    if workers_are_changing(status, before):
        memory.unsettled_since = memory.unsettled_since or now
        return memory.unsettled_since + SETTLING - now
    return timedelta()


def _pods_missing_since(
    seen: Observed, wish: Wish, memory: Memory, now: datetime
) -> datetime | None:
    """Since when pods are missing that nobody has asked to leave."""
    job = seen.job
    if job is None or job.suspended or job.finished or job.deleting or wish.policy.suspend:
        return None
    there = sum(pod.phase == "Succeeded" or not (pod.ended or pod.deleting) for pod in seen.pods)
    return None if there >= wish.min_workers else memory.pods_missing_since or now


def _policy(raw: Mapping[str, Any]) -> Policy:
    """The policy of a spec that is wrong elsewhere."""
    try:
        return Policy.model_validate(raw["spec"]["policy"], by_alias=True, by_name=False)
    except (ValidationError, LookupError, TypeError):
        return Policy()


def _uid(raw: Mapping[str, Any]) -> str:
    return str(raw["metadata"]["uid"])


def _version(raw: Mapping[str, Any]) -> int:
    # Comparable as numbers for objects of one resource since Kubernetes 1.35, in effect ever since.
    return int(raw["metadata"]["resourceVersion"])
