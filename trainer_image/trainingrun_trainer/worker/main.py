"""What one rank does, from its process group to its outcome."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path

from transformers import PreTrainedModel
from transformers.utils.logging import disable_progress_bar

from trainingrun_trainer import tasks
from trainingrun_trainer.config import RunConfig, ScriptConfig, any_config
from trainingrun_trainer.files import write_whole
from trainingrun_trainer.handover import FaultKind, Orders, Outcome, OutcomeKind
from trainingrun_trainer.heartbeat import Beat, Heart
from trainingrun_trainer.lineage import be_called, die_with_parent
from trainingrun_trainer.report import Summary
from trainingrun_trainer.stacks import dump_on_signal
from trainingrun_trainer.tasks import Task
from trainingrun_trainer.worker import cpu, failures, ipex, kinship, leader, script, trainer
from trainingrun_trainer.worker import precision as precisions
from trainingrun_trainer.worker.callbacks import EnterCheckpoints, KeepAccount, ShowBeats
from trainingrun_trainer.worker.distributed import Group, process_group
from trainingrun_trainer.worker.finish import already_finished, conclude, with_weights_of
from trainingrun_trainer.worker.leave import AgreeAfterStep, AskedToLeave, SaveClock
from trainingrun_trainer.worker.order import total_steps
from trainingrun_trainer.worker.owner import Owner
from trainingrun_trainer.worker.saving import Saving
from trainingrun_trainer.worker.start import StartingPoint, starting_point
from trainingrun_trainer.worker.verify import verified


def run_rank(orders: Orders) -> Outcome:
    """The entrypoint of a rank; leaves a note and exits with 1 if it fails."""
    die_with_parent()
    leave = AskedToLeave()
    leave.listen()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the launcher's to handle
    rank, local_rank = int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"])
    be_called(f"rank-{rank}")
    dump_on_signal(orders.stack_path(local_rank))
    heart = Heart(orders.heart_path(local_rank))
    config = any_config(orders.config_json)
    try:
        footing = cpu.take(config, local_rank)
        if isinstance(config, ScriptConfig):
            return script.run(config, orders, heart)
        with process_group(orders, config.communication) as group:
            return train(config, group, orders, leave, heart, footing)
    except Exception as error:
        note = failures.note(error, rank, Beat.read(orders.heart_path(local_rank)).step)
        write_whole(orders.note_path(local_rank), note.model_dump_json(by_alias=True).encode())
        if note.kind is FaultKind.OWN:
            traceback.print_exc()
        sys.exit(1)


def train(
    config: RunConfig,
    group: Group,
    orders: Orders,
    leave: AskedToLeave,
    heart: Heart,
    footing: cpu.Footing,
) -> Outcome:
    """Trains until the run is finished or the ranks leave together."""
    folder = Path(config.folder)
    ipex.check(config.cpu.ipex)
    disable_progress_bar()  # type: ignore[no-untyped-call]  # saving shards draws one on stderr for each file
    owner = Owner.of(config, first_round=orders.first_round)
    if (earlier := already_finished(config, group, owner)) is not None:
        return Outcome(OutcomeKind.FINISHED, earlier.steps, earlier)

    precision = precisions.chosen(config.training.precision, group, footing.machine)
    stack = verified(config, footing, group, precision)
    task = tasks.prepare(config, group)
    steps = total_steps(
        len(task.samples),
        config.training.global_batch_size,
        config.training.max_steps,
        config.training.epochs,
    )
    start = starting_point(config, group, owner)
    account = None
    if group.leads:
        account = leader.account(config, group, orders, task, steps, start, owner, stack)

    saving = Saving(config, group, start.root, account)
    agreement = AgreeAfterStep(group, leave, SaveClock(config.checkpoints.every_seconds))
    callbacks = [
        agreement,
        *([KeepAccount(account), EnterCheckpoints(saving)] if account is not None else []),
        ShowBeats(heart),  # last: by then it is decided whether the step is followed by a pause
    ]
    model = _model(task, start, steps)
    precision = precisions.settled(
        precision,
        group,
        account,
        model,
        lambda: trainer.first_pass(config, task, model, group.world_size),
    )
    training = trainer.build(config, task, model, steps, start, saving, callbacks, precision)
    if start.step == 0 and config.evaluation.at_start and task.can_evaluate:
        baseline = task.evaluate(model)
        if account is not None:
            account.first_evaluation(baseline)
    if start.step < steps:
        training.train(resume_from_checkpoint=start.resume_path)
    if agreement.left:
        saving.finish()
        if account is not None:
            account.left(training.state.global_step)
        return Outcome(OutcomeKind.LEFT, training.state.global_step)

    metrics = task.evaluate(model) if task.can_evaluate else {}
    saving.finish()

    def concluded() -> str:
        if account is None:
            raise TypeError("only rank 0 keeps an account")
        summary = conclude(folder, account, training, model, task, start, metrics)
        return summary.model_dump_json(by_alias=True)

    # An elastic PyTorchJob succeeds as soon as any worker exits 0: none may before rank 0 is done.
    # No barrier: writing a large model may outlast the time-out of a collective.
    summary = Summary.model_validate_json(group.from_leader("summary", concluded))
    return Outcome(OutcomeKind.FINISHED, steps, summary)


def _model(task: Task, start: StartingPoint, steps: int) -> PreTrainedModel:
    """The model to train; that of the last checkpoint where no step is left."""
    model = task.model()
    kinship.check(start, model, task)
    return model if start.step < steps else with_weights_of(model, start)
