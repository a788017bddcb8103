"""What a run starts from: its own checkpoints, an earlier run's of its name, or another run's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from transformers import LlamaConfig, PreTrainedModel

from trainingrun_trainer.checkpoints import resume, save
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.tasks import Task
from trainingrun_trainer.worker import kinship
from trainingrun_trainer.worker.distributed import Group
from trainingrun_trainer.worker.owner import Owner
from trainingrun_trainer.worker.start import StartingPoint, starting_point

MODEL = LlamaConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=32)


class Alone:
    """A group of one rank."""

    leads = True

    def from_leader(self, _: str, say: Callable[[], str]) -> str:
        return say()

    def everyone(self, holds: bool) -> bool:
        return holds


def checkpoint(folder: Path, step: int, uid: str, global_batch: int = 8) -> Path:
    made = folder / "checkpoints" / f"checkpoint-{step}"
    made.mkdir(parents=True)
    MODEL.save_pretrained(made)
    save.seal(made, save.Origin(step, 1, global_batch, uid, versions={}))
    return made


def start(root: Path, **settings: Any) -> StartingPoint:
    config = RunConfig.model_validate(
        {
            "run": {"name": "this", "uid": "this"},
            "folder": str(root / "this"),
            "task": {"type": "causal-lm"},
            "model": {"name": "/model"},
            "data": {"train": "/texts"},
            "training": {"globalBatchSize": 8, "maxSteps": 100},
            "resume": settings,
        }
    )
    owner = Owner.of(config, first_round=True)
    return starting_point(config, cast(Group, Alone()), owner)


def refusal(root: Path, **settings: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        start(root, **settings)
    return caught.value


def test_by_default_a_run_begins_at_the_beginning(tmp_path: Path) -> None:
    checkpoint(tmp_path / "this", 10, "earlier")
    assert start(tmp_path).step == 0


def test_the_latest_of_an_earlier_run_of_the_name_becomes_this_run_s(tmp_path: Path) -> None:
    earlier = checkpoint(tmp_path / "this", 10, "earlier")
    begun = start(tmp_path, **{"from": "latest"})
    assert (begun.folder, begun.origin) == (earlier, None)


def test_another_run_s_newest_checkpoint_is_where_a_run_begins(tmp_path: Path) -> None:
    checkpoint(tmp_path / "other", 10, "other")
    newest = checkpoint(tmp_path / "other", 20, "other")
    begun = start(tmp_path, **{"from": "run", "run": "other"})
    assert (begun.step, begun.resume_path) == (20, str(newest))


def test_a_step_chooses_among_another_run_s_checkpoints(tmp_path: Path) -> None:
    for step in (10, 20):
        checkpoint(tmp_path / "other", step, "other")
    assert start(tmp_path, **{"from": "run", "run": "other", "step": 10}).step == 10


def test_a_checkpoint_of_one_s_own_comes_before_another_run_s(tmp_path: Path) -> None:
    checkpoint(tmp_path / "other", 20, "other")
    own = checkpoint(tmp_path / "this", 10, "this")
    assert start(tmp_path, **{"from": "run", "run": "other"}).folder == own


def test_another_run_s_damaged_checkpoint_is_passed_over_and_left_where_it_is(
    tmp_path: Path,
) -> None:
    checkpoint(tmp_path / "other", 10, "other")
    damaged = checkpoint(tmp_path / "other", 20, "other")
    (damaged / "config.json").write_text("{}")
    before = sorted((tmp_path / "other").rglob("*"))

    assert start(tmp_path, **{"from": "run", "run": "other"}).step == 10
    assert sorted((tmp_path / "other").rglob("*")) == before


def test_a_run_without_the_checkpoint_is_told_by_field(tmp_path: Path) -> None:
    checkpoint(tmp_path / "other", 10, "other")
    refused = refusal(tmp_path, **{"from": "run", "run": "other", "step": 30})
    assert refused.field == "spec.resume.run"
    assert "no whole checkpoint of step 30" in refused.message


def test_a_checkpoint_of_another_global_batch_is_refused(tmp_path: Path) -> None:
    checkpoint(tmp_path / "other", 10, "other", global_batch=16)
    refused = refusal(tmp_path, **{"from": "run", "run": "other"})
    assert refused.field == "spec.training.globalBatchSize"


def test_what_another_run_left_is_never_rotated_away(tmp_path: Path) -> None:
    checkpoint(tmp_path / "other", 10, "other")
    begun = start(tmp_path, **{"from": "run", "run": "other"})
    for step in (20, 30):
        checkpoint(tmp_path / "this", step, "this")
    save.rotate(begun.root, 1)
    assert [folder.name for folder in resume.folders(begun.root)] == ["checkpoint-30"]
    assert (tmp_path / "other" / "checkpoints" / "checkpoint-10" / "manifest.json").exists()


def model_of(config: LlamaConfig) -> PreTrainedModel:
    return cast(PreTrainedModel, SimpleNamespace(config=config))


def task_with(vocabulary: dict[str, Any]) -> Task:
    backend = SimpleNamespace(to_str=lambda: json.dumps(vocabulary))
    return cast(Task, SimpleNamespace(tokenizer=SimpleNamespace(backend_tokenizer=backend)))


@pytest.fixture
def begun(tmp_path: Path) -> StartingPoint:
    checkpoint(tmp_path / "other", 10, "other")
    tokenizer = tmp_path / "other" / "data" / "abc" / "tokenizer"
    tokenizer.mkdir(parents=True)
    (tokenizer / "tokenizer.json").write_text('{"vocab": 1}')
    return start(tmp_path, **{"from": "run", "run": "other"})


def test_the_same_model_and_tokenizer_may_go_on(begun: StartingPoint) -> None:
    kinship.check(begun, model_of(MODEL), task_with({"vocab": 1}))


def test_another_model_is_refused_with_what_differs(begun: StartingPoint) -> None:
    other = LlamaConfig(**{**MODEL.to_dict(), "hidden_size": 32})
    with pytest.raises(UserError, match="hidden_size is 16 there and 32 here") as caught:
        kinship.check(begun, model_of(other), task_with({"vocab": 1}))
    assert caught.value.field == "spec.model"


def test_another_tokenizer_is_refused(begun: StartingPoint) -> None:
    with pytest.raises(UserError, match="another tokenizer") as caught:
        kinship.check(begun, model_of(MODEL), task_with({"vocab": 2}))
    assert caught.value.field == "spec.model.tokenizer"


def test_a_run_s_own_checkpoints_are_not_questioned(tmp_path: Path) -> None:
    checkpoint(tmp_path / "this", 10, "this")
    other = LlamaConfig(hidden_size=32)
    kinship.check(start(tmp_path), model_of(other), task_with({}))
