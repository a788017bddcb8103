"""Troubles before any pod runs: controllers, the spec, the claim, the quota, the nodes."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from kubectl_trainingrun.doctor.snapshot import Snapshot, Trouble
from trainingrun_operator.api.conditions import ConditionType, Reason
from trainingrun_operator.lifecycle.checks.pods import CONFIG_REASONS, IMAGE_REASONS

PROMPT: Final = timedelta(seconds=30)
"""By then a controller that runs has done what is its turn."""


def operator_down(seen: Snapshot) -> Trouble | None:
    """The operator does not run, or has not looked at the run."""
    unseen = seen.run.status.phase is None and seen.age > PROMPT
    if seen.operator_up is not False and not unseen:
        return None
    what = (
        "the TrainingRun operator does not run"
        if seen.operator_up is False
        else ("the operator has not looked at this run; it may not watch this namespace")
    )
    return Trouble(
        "operator-down",
        what,
        "see kubectl get deploy,pods -A -l app.kubernetes.io/name=trainingrun-operator, its log, "
        "and watchNamespaces of its chart. Pods that train go on meanwhile",
    )


def training_operator_down(seen: Snapshot) -> Trouble | None:
    """Nobody makes the job's pods."""
    waits = (
        seen.job is not None
        and not (seen.pods or seen.job.finished or seen.job.suspended or seen.job.deleting)
        and (seen.job.created_at is None or seen.now - seen.job.created_at > PROMPT)
        and not seen.saying("exceeded quota", "forbidden")
    )
    lacking = seen.saying("no matches for kind", "could not find the requested resource")
    if not waits and not lacking and seen.said(ConditionType.RUNNING, Reason.PODS_MISSING) is None:
        return None
    state = {True: "runs", False: "does not run", None: "may not run"}[seen.training_operator_up]
    return Trouble(
        "training-operator-down",
        f"PyTorchJob {seen.run.name} has no pods: the Kubeflow training operator {state}",
        "see kubectl get deploy,pods -A -l control-plane=kubeflow-training-operator and its log; "
        "it must be v1.9 with PyTorchJob enabled",
    )


def invalid_spec(seen: Snapshot) -> Trouble | None:
    """The operator cannot carry out what is written."""
    said = seen.said(
        ConditionType.ACCEPTED,
        Reason.INVALID_SPEC,
        Reason.NAME_CONFLICT,
        Reason.PRIORITY_CLASS_NOT_FOUND,
        Reason.CHANGED_AFTER_END,
        Reason.INVALID_RETRY,
    )
    if said is None:
        return None
    return Trouble("refused-spec", said, "correct the field that is named, and apply again")


def claim_in_the_way(seen: Snapshot) -> Trouble | None:
    """The claim is missing, unbound or lost."""
    name, phase = seen.claim_name, seen.claim_phase
    if name is None or phase is None or phase == "Bound" or seen.run.over:
        return None
    told = next(
        (e.message for e in seen.events if e.object.endswith(f"/{name}") and e.type == "Warning"),
        "",
    )
    what = f"claim {name} {f'is {phase}' if phase else 'does not exist'}"
    return Trouble(
        "claim",
        f"{what}: {told}" if told else what,
        f"make it, or name another in spec.storage.claimName; kubectl describe pvc {name} says "
        "what a pending one waits for: a storage class, or, under WaitForFirstConsumer, its pod",
    )


def quota_exceeded(seen: Snapshot) -> Trouble | None:
    """The namespace's quota leaves no room."""
    said = seen.said(ConditionType.JOB_CREATED, Reason.QUOTA_EXCEEDED) or seen.saying(
        "exceeded quota"
    )
    if said is None or seen.run.over:
        return None
    return Trouble(
        "quota",
        said,
        "lower spec.workers.count or spec.workers.resources, let another run end, or have the "
        "quota raised: kubectl describe resourcequota",
    )


def unschedulable(seen: Snapshot) -> Trouble | None:
    """No node takes a pod."""
    stuck = [pod for pod in seen.pods if pod.unschedulable is not None and not pod.deleting]
    if not stuck:
        return None
    nodes = (
        ""
        if seen.nodes is None
        else (f" ({sum(node.ready for node in seen.nodes)} of {len(seen.nodes)} nodes are ready)")
    )
    return Trouble(
        "unschedulable",
        f"{len(stuck)} worker(s) fit on no node{nodes}: {stuck[0].unschedulable}",
        "lower spec.workers.resources, correct spec.workers.nodeSelector and tolerations, or free "
        "or add a node",
    )


def image_not_pulled(seen: Snapshot) -> Trouble | None:
    """An image cannot be pulled."""
    for pod in seen.pods:
        if pod.waiting is not None and pod.waiting.reason in IMAGE_REASONS:
            return Trouble(
                "image",
                f"{pod.name} cannot pull {pod.waiting.image}: "
                f"{pod.waiting.message or pod.waiting.reason}",
                "correct spec.image.name, push the image, or name its registry's secret in "
                "spec.image.pullSecrets",
            )
    return None


def container_not_made(seen: Snapshot) -> Trouble | None:
    """A secret or ConfigMap that the pod needs is missing, or the like."""
    for pod in seen.pods:
        if pod.waiting is not None and pod.waiting.reason in CONFIG_REASONS:
            return Trouble(
                "container",
                f"the container of {pod.name} cannot be made: {pod.waiting.message}",
                "make what is missing, or correct its name in spec.workers; the pod then starts "
                "by itself",
            )
    return None


def node_lost(seen: Snapshot) -> Trouble | None:
    """A pod does not go, since its node does not answer."""
    late = [p for p in seen.pods if p.deletion_due is not None and p.deletion_due < seen.now]
    if not late:
        return None
    away = [node.name for node in seen.nodes or () if not node.ready]
    return Trouble(
        "node-lost",
        f"{late[0].name} is past its grace period; nodes not ready: {', '.join(away) or 'none'}",
        "the operator takes the pod off after spec.policy.forceDeleteAfterSeconds; mend or remove "
        "the node",
    )
