"""Tells what the ranks run on, and what of it is not as planned."""

from __future__ import annotations

import torch
import torch.distributed as dist
from pydantic import TypeAdapter

from trainingrun_trainer.config import Precision, RunConfig
from trainingrun_trainer.report import Finding
from trainingrun_trainer.stack.checks import Rank, findings
from trainingrun_trainer.stack.machine import mapped_libraries
from trainingrun_trainer.stack.table import table
from trainingrun_trainer.worker.cpu import Footing
from trainingrun_trainer.worker.distributed import Group

KEPT = 64
_FINDINGS: TypeAdapter[tuple[Finding, ...]] = TypeAdapter(tuple[Finding, ...])


def verified(
    config: RunConfig, footing: Footing, group: Group, precision: Precision
) -> tuple[Finding, ...]:
    """On rank 0 all that it found, and what is wrong with the others; a collective.

    Rank 0 prints it at the head of its log.
    """
    found = findings(
        config,
        footing.machine,
        Rank(
            backend=dist.get_backend(),
            threads=torch.get_num_threads(),
            started_threads=footing.started_threads,
            interop_threads=torch.get_num_interop_threads(),
            mapped=mapped_libraries(),
            precision=precision,
            backend_reason=group.backend.reason,
        ),
    )
    wrong = tuple(finding for finding in found if finding.problem)
    others = group.to_leader("stack", _FINDINGS.dump_json(wrong, by_alias=True).decode())
    told = [*found]
    for rank, text in others.items():
        told += [
            finding.model_copy(update={"name": f"{finding.name} of rank {rank}"})
            for finding in _FINDINGS.validate_json(text)
        ]
    told = told[:KEPT]
    if group.leads:
        print("\n".join(table(told)), flush=True)
    return tuple(told)
