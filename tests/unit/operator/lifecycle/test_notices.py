"""How a spec was read, where a user would not guess it, is told beside Accepted=True."""

from __future__ import annotations

from tests.unit.operator.lifecycle.seen import NOW, job, pod, seen, wish
from tests.unit.operator.runs import SETTINGS, run
from trainingrun_operator.api.conditions import ConditionType
from trainingrun_operator.lifecycle.checks import decide
from trainingrun_operator.lifecycle.decision import Verdict
from trainingrun_operator.lifecycle.wish import Wish
from trainingrun_operator.plan import launch_plan

OLD = {"name": "TRANSFORMERS_CACHE", "value": "/runs/hub"}


def accepted(notices: tuple[str, ...]) -> Verdict:
    decided = decide(seen(job("Running"), pod()), wish(notices=notices), NOW)
    return next(v for v in decided.verdicts if v.type is ConditionType.ACCEPTED)


def test_a_notice_stands_in_the_message_and_refuses_nothing() -> None:
    said = accepted(("a is read as b",))
    assert (said.status, said.message) == ("True", "the spec can be carried out; a is read as b")


def test_without_notices_nothing_is_added() -> None:
    assert accepted(()).message == "the spec can be carried out"


def test_the_cache_s_old_name_is_worth_a_notice() -> None:
    made = run(workers={"env": [OLD]})
    (notice,) = Wish.of(made, launch_plan(made, SETTINGS)).notices
    assert "TRANSFORMERS_CACHE; it is taken for HF_HUB_CACHE" in notice
