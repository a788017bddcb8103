"""docs/lifecycle.md: the decision table, from the checks' own docstrings."""

import inspect
import re
from dataclasses import dataclass
from typing import Final

from trainingrun_operator.lifecycle.checks import CHECKS, Check

_INTRODUCTION: Final = """\
# The life of a run

Made by `python -m hack.generate` from the docstrings in
`operator/trainingrun_operator/lifecycle/checks/`; edit those.

At every look the operator gathers what the watches show of a run and asks these questions in this
order. The first that has something to say decides the conditions, the actions and the event; the
status is written once. Whatever was missed, repeated or done twice, the next look comes to the same
end.

| # | Check | When | Says | Does |
| --- | --- | --- | --- | --- |
"""
_REST: Final = """
Beside any of these, while the run has not ended: a pod that is still there
`spec.policy.forceDeleteAfterSeconds` after its grace period is taken off its node without the
node's consent, so that another can be made. Where the node was only out of reach, its kubelet stops
the old pod when it is back.

Where the API server or a webhook refuses what is to be changed of a job that is there, the run
says `Accepted=False` JobRefused with the refusal, goes on as it is, and the change is tried again.

What is said goes with conditions that are not worth a row: Accepted=True Valid with all that
carries the run out, Running=False WaitingForPods with JobCreated=True, and Running=False and
Progressing=False Finished with the end.

## What the workers run on

Beside the decision, `StackVerified` says whether the pods run on what was planned. It is False with
BackendFallback as soon as the job is made where the runtime lacks `spec.communication.backend`;
with NotGuaranteed if a pod has not the CPUs to itself (its quality of service, as Kubernetes gave
it); and with StackDiffers if a rank finds CPUs, threads, allocator, OpenMP, precision, shared
memory or backend other than planned, each named with the mend. True, StackAsPlanned: every rank
looked at all of these and found what was planned. The same table stands at the head of the log.

## A spec that becomes wrong while the run goes on

What breaks the schema is refused at apply. What only the operator can see, such as a number of
workers that does not divide the global batch, is refused by `Accepted=False` InvalidSpec. A run
that has its PyTorchJob then goes on by the spec that the job was made from, and its phase says so;
only `spec.policy` is followed, so that it can still be suspended. Correct the spec, or write the
old one back, and `Accepted` is True again. A run that has no job yet shows the phase Invalid.

## Checkpoints that cannot be saved

`StorageFull=True` CheckpointNotSaved comes beside all of these, from the run's own reports: the
claim is full, over its quota or read-only. The run trains on, unless
`spec.checkpoints.onStorageFull` is `Stop`, and the checkpoints before stay whole; what is done
since the last one would be done again after a restart. The next checkpoint that is saved ends it:
`StorageFull=False` CheckpointSaved.

## Restart budgets

| What | Counted in | Limit | At the limit |
| --- | --- | --- | --- |
| a rank that failed or hung | `status.restarts.ranks` | `spec.workers.elastic.maxRestarts` | \
Failed, RestartsExhausted |
| a pod that was lost, or that ended with code 128 or more | `status.restarts.podsCharged` | \
`spec.policy.maxPodRestarts` | Failed, PodRestartsExhausted |
| all pods given up at a stall, counted as one pod | `status.restarts.pods`, `status.stall` | \
once at each step | Failed, Stalled |
| both together | `status.restarts.total` | `spec.policy.maxRestarts` | \
Failed, AllRestartsExhausted |
| the user's own error (exit code 64) | not at all | none | Failed, UserError |

`spec.policy.resetRestartsAfterSteps` steps without a failure make the first two budgets whole
again. The same exception at the same step twice in a row is the user's own error, whatever the
budget.

## A rank that hangs

A rank that does not go on within a step for `spec.policy.hangTimeoutSeconds`, or that is stopped by
a signal for so long at any time, is ended together with all others, and they start again from the
last checkpoint; `status.restarts.recent` says RankHung, which rank, and where it stood. Before that
the stacks of all ranks go to `hangs/` in the run's folder, one file for each rank, the newest 16
times. A rank that waits in the kernel, as for a dead file server, leaves only its state there. The
first step, evaluation and saving have no such limit; `spec.communication.timeoutSeconds` bounds
their collectives, and `spec.policy.stallTimeoutSeconds` everything.

## After the end

A run that has succeeded or failed stays so, whatever happens to its job, its pods or its spec. Of a
changed spec only `spec.policy.ttlSecondsAfterFinished` still counts; any other change is answered
once by `Accepted=False` ChangedAfterEnd and an event, and changes nothing else.

A run that **failed** is started again by an annotation, up to 1000 times; the plugin's verb finds
the number:

```
kubectl trainingrun retry NAME
kubectl annotate trainingrun NAME trainingrun.io/retry="1" --overwrite
```

Any number above `status.attempt` means one more attempt, with the spec as it then is: correct what
may change (image, resources, budgets) before. The PyTorchJob is made anew, `status.attempt` becomes
the number, the budgets and the active time begin at nothing, and training goes on from the newest
verified checkpoint. A number that was set while the run was still going counts when it fails. A run
that **succeeded** is not retried: make a new TrainingRun.
"""


@dataclass(frozen=True)
class Row:
    """One check, as its docstring tells it."""

    name: str
    when: str
    says: str
    does: str


def row(check: Check) -> Row:
    """The row of a check.

    Raises:
        ValueError: its docstring is not of the form that the table needs.
    """
    name = check.__name__
    text = " ".join((inspect.getdoc(check) or "").split())
    found = re.fullmatch(r"(?P<when>.+\.) Says: (?P<says>.+)\. Does: (?P<does>.+)\.", text)
    if found is None:
        raise ValueError(f"{name}: its docstring has to be: when. Says: what. Does: what.")
    return Row(name, **found.groupdict())


def markdown() -> str:
    """The whole page."""
    rows = (row(check) for check in CHECKS)
    lines = (
        f"| {number} | `{row.name}` | {row.when} | {row.says} | {row.does} |\n"
        for number, row in enumerate(rows, 1)
    )
    return _INTRODUCTION + "".join(lines) + _REST
