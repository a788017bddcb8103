"""Whether a checkpoint of another run can be this run's beginning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from transformers import PreTrainedModel
from transformers.utils import CONFIG_NAME

from trainingrun_trainer.errors import UserError
from trainingrun_trainer.tasks import Task
from trainingrun_trainer.worker.start import StartingPoint

_NOT_THE_MODEL_ITSELF: Final = frozenset(
    {"_name_or_path", "architectures", "dtype", "transformers_version", "use_cache"}
)
"""What a config says of where, when and how a model was loaded."""


def check(start: StartingPoint, model: PreTrainedModel, task: Task) -> None:
    """A checkpoint of another run is of this run's model and this run's tokenizer.

    The tokenizer is compared with those that the other run left among its data; where it left
    none, the size of the vocabulary in the model has to do.

    Raises:
        UserError: it is not; the message says what differs.
    """
    if start.origin is None or start.folder is None:
        return
    run = start.origin.parent
    there = json.loads((start.folder / CONFIG_NAME).read_bytes())
    here = json.loads(model.config.to_json_string())
    if differences := list(_differences(there, here)):
        raise UserError(
            f"the checkpoints of {run.name} are of another model: {', '.join(differences[:5])}; "
            "write the same model, or resume from another run",
            "spec.model",
        )
    tokenizers = [json.loads(file.read_bytes()) for file in sorted(run.glob(_TOKENIZERS))]
    if tokenizers and _content(task) not in tokenizers:
        raise UserError(
            f"{run.name} was trained with another tokenizer, its tokens mean other texts; write "
            "the same tokenizer and data, or resume from another run",
            "spec.model.tokenizer",
        )


_TOKENIZERS: Final = "data/*/tokenizer/tokenizer.json"


def _content(task: Task) -> Any:
    return json.loads(task.tokenizer.backend_tokenizer.to_str())


def _differences(there: dict[str, Any], here: dict[str, Any]) -> Iterator[str]:
    for key in sorted((there.keys() | here.keys()) - _NOT_THE_MODEL_ITSELF):
        if there.get(key) != here.get(key):
            yield f"{key} is {there.get(key)} there and {here.get(key)} here"
