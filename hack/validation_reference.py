"""docs/validation.md: every rule by which a TrainingRun is refused, and who holds to it."""

from collections.abc import Iterator
from typing import Final

from hack.api_reference import bounds, cell
from trainingrun_operator.api.crd import open_api_schema
from trainingrun_operator.api.schema import Schema, fields
from trainingrun_operator.api.v1alpha1 import TrainingRunSpec, schema

_INTRODUCTION: Final = """\
# Who refuses what

Made by `python -m hack.generate` from the models; edit those.

Three rings check a run, from one source. `kubectl trainingrun validate -f FILE` goes through all
that need no cluster, and names the same fields.

1. The **API server** refuses at `kubectl apply` what breaks the schema or a rule of it.
2. The **operator** answers what only it can see by a condition with the field and the mend, and
   looks again by itself: make what is missing, and the run starts.
3. The **trainer** reads the same models from `run.json` before it loads anything, and ends with
   exit code 64, `Failed=True` UserError, at what only the pod can see.

## Bounds, at apply

| Field | Bounds |
| --- | --- |
"""
_OPERATOR: Final = (
    ("spec.workers.count", "the global batch is shared evenly", "InvalidSpec"),
    ("spec.workers.processesPerWorker", "no more ranks than CPUs", "InvalidSpec"),
    ("spec.cpu.threads", "no more threads than CPUs", "InvalidSpec"),
    ("spec.runtime", "the operator has an image for it, or the run names one", "InvalidSpec"),
    ("spec.cpu.ipex", "the runtime has IPEX, and our trainer makes the model", "InvalidSpec"),
    ("spec.communication.cclWorkers", "ranks use ccl, and have CPUs for it", "InvalidSpec"),
    ("spec.communication.cclWorkerAffinity", "ranks use ccl", "InvalidSpec"),
    ("spec.workers.resources.cpu", "more than nothing", "InvalidSpec"),
    ("spec.sharedMemory.size", "less than the worker's memory", "InvalidSpec"),
    ("spec.workers.nodeSelector", "its keys are label keys", "InvalidSpec"),
    ("spec.policy.stallTimeoutSeconds", "the operator receives progress", "InvalidSpec"),
    ("spec.storage.claimName", "the claim exists", "ClaimNotFound"),
    ("spec.storage.claimName", "the claim has its volume", "ClaimLost"),
    ("spec.workers.priorityClassName", "the priority class exists", "PriorityClassNotFound"),
    ("spec.workers", "the namespace's quotas have room for the fewest workers", "QuotaExceeded"),
    ("spec.workers", "the API server and its webhooks take the pods", "PodsRefused"),
    ("metadata.name", "no stranger's object has the name", "NameConflict"),
    ("metadata.annotations", "trainingrun.io/retry is a number from 1 to 1000", "InvalidRetry"),
    ("spec", "it is not changed after the end", "ChangedAfterEnd"),
    ("spec.workers.env[].secretKey", "the secret and its key exist", "SecretNotFound"),
    (
        "spec.workers.envFrom",
        "the secrets and ConfigMaps exist",
        "SecretNotFound, ConfigMapNotFound",
    ),
    ("spec.image", "the image can be pulled", "ImagePullFailed"),
    ("the PyTorchJob", "the API server, its quotas and webhooks take it", "JobRefused"),
)
"""Field, what has to hold, and the reason of the condition that says it does not."""
_TRAINER: Final = (
    ("spec.data.train", "the files exist, can be read, match the pattern and fill one block"),
    ("spec.data.evaluation", "the files exist, can be read and match the pattern"),
    ("spec.data.evaluationPercent", "there are files enough to hold that share out"),
    ("spec.data.files", "it is a pattern"),
    ("spec.data.train", "tables are whole, UTF-8 where they are text, and have rows"),
    ("spec.data.columns", "every row has the task's columns, filled with what belongs there"),
    ("spec.data.columns.answers", "answers stand in their context where they are said to"),
    ("spec.data.columns.tags", "each token has a tag; all tags name entities, or none does"),
    ("spec.data.columns.label", "there are labels enough to tell apart"),
    ("spec.task.labels", "no row has another label"),
    ("spec.task.blockSize", "questions and prompts leave room, and the model can read so much"),
    ("spec.task.chatTemplate", "it can be read, and takes every conversation"),
    ("spec.model.name", "the model can be loaded"),
    (
        "spec.model.tokenizer",
        "it can be loaded, ends texts, and has no more entries than the model",
    ),
    ("spec.storage.claimName", "all workers see the same folder"),
    ("spec.training.schedule", "warm-up and decay fit into the run's steps"),
    ("spec.model", "it is that of the run whose checkpoint it starts from"),
    ("spec.resume.run", "the run has a whole checkpoint on the same claim"),
    ("spec.training.globalBatchSize", "it is that of the checkpoint the run goes on from"),
)


def markdown() -> str:
    """The whole page."""
    spec = schema()["properties"]["spec"]
    bounded = ((f"spec.{path}", said) for path, node in fields(spec) if (said := _bounds(node)))
    return (
        _INTRODUCTION
        + _rows(*bounded)
        + "\n## Rules that span fields, at apply\n\n| Field | Rule |\n| --- | --- |\n"
        + _rows(
            *_rules(open_api_schema()),
        )
        + "\n## Fields that cannot change, at apply\n\n"
        + ", ".join(f"`spec.{name}`" for name in TrainingRunSpec.IMMUTABLE)
        + ".\n\n## What the operator finds\n\n| Field | What has to hold | Reason |\n"
        + "| --- | --- | --- |\n"
        + _rows(*_OPERATOR)
        + "\n## What the trainer finds\n\n| Field | What has to hold |\n| --- | --- |\n"
        + _rows(*_TRAINER)
    )


def _bounds(node: Schema) -> str:
    if "enum" in node or "const" in node:
        return f"one of {', '.join(node.get('enum') or [node['const']])}"
    once = {"set": "each item once", "map": "each name once"}
    return "; ".join(filter(None, (bounds(node), once.get(node.get("x-kubernetes-list-type", "")))))


def _rules(root: Schema) -> Iterator[tuple[str, str]]:
    for path, node in (("", root), *_groups(root["properties"]["spec"])):
        for rule in node.get("x-kubernetes-validations", ()):
            if "oldSelf" not in rule["rule"]:
                field = f"{path}{rule.get('fieldPath', '')}".removeprefix(".")
                yield field, cell(rule["message"])


def _groups(spec: Schema) -> Iterator[tuple[str, Schema]]:
    yield "spec", spec
    for path, node in fields(spec, "spec"):
        yield path, node
        if isinstance(items := node.get("items"), dict):
            yield f"{path}[]", items


def _rows(*rows: tuple[str, ...]) -> str:
    return "".join(f"| `{first}` | {' | '.join(rest)} |\n" for first, *rest in rows)
