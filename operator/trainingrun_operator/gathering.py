"""What is asked of the API server about a run, beside what the watches show anyway.

Each answer is asked for only where something depends on it: before a job is made what the run names
and needs; afterwards nothing, unless its pods do not come.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from trainingrun_operator.cluster.protocol import Cluster, ForbiddenError
from trainingrun_operator.lifecycle.observed import Claim, Observed
from trainingrun_operator.lifecycle.quota import Quota
from trainingrun_operator.lifecycle.wish import Wish

CLASSES_KNOWN_FOR: Final = timedelta(hours=1)
"""How long a priority class that was there is not asked for again. They hardly ever go."""


class Gathering:
    """The questions, and what need not be asked again."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._classes: dict[str, datetime] = {}

    async def gathered(self, seen: Observed, wish: Wish, now: datetime) -> Observed:
        """What is seen, with what had to be asked for.

        Raises:
            ClusterError: the API server does not answer, or may not be asked for the claim.
        """
        if seen.finished or seen.deleting or wish.problem is not None:
            return seen
        if seen.job is not None:
            return await self._why_no_pods(seen, wish, now)
        seen = await self._with_claim(seen, wish)
        if seen.claim is Claim.LOST or (seen.claim is Claim.MISSING and not wish.makes_claim):
            return seen
        seen = await self._with_priority_class(seen, wish, now)
        # A suspended run takes nothing of a quota.
        return seen if wish.policy.suspend else await self._with_quotas(seen, wish)

    async def _with_claim(self, seen: Observed, wish: Wish) -> Observed:
        if wish.claim is None:
            return seen
        phase = await self._cluster.claim_phase(wish.namespace, wish.claim)
        claim = {None: Claim.MISSING, "Lost": Claim.LOST}.get(phase, Claim.FOUND)
        return replace(seen, claim=claim)

    async def _with_priority_class(self, seen: Observed, wish: Wish, now: datetime) -> Observed:
        name = wish.priority_class
        if (
            name is None
            or now - self._classes.get(name, datetime.min.replace(tzinfo=now.tzinfo))
            < CLASSES_KNOWN_FOR
        ):
            return seen
        try:
            found = await self._cluster.has_priority_class(name)
        except ForbiddenError:
            # Priority classes belong to the cluster: an operator of some namespaces may not ask.
            found = True
        if found:
            self._classes[name] = now
        return replace(seen, priority_class_missing=not found)

    async def _with_quotas(self, seen: Observed, wish: Wish) -> Observed:
        try:
            raw = await self._cluster.quotas(wish.namespace)
        except ForbiddenError:
            # What the quotas refuse is then told when the pods are refused.
            return seen
        quotas = tuple(quota for each in raw if (quota := Quota.parse(each)) is not None)
        return replace(seen, quotas=quotas)

    async def _why_no_pods(self, seen: Observed, wish: Wish, now: datetime) -> Observed:
        job = seen.job
        if job is None or not seen.pods_overdue(now):
            return seen
        try:
            refusal = await self._cluster.last_warning(wish.namespace, job.uid)
        except ForbiddenError:
            refusal = None
        return replace(seen, pods_refused=refusal or "")
