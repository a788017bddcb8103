"""A token speaks for the run whose pod it is bound to, and for no other."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.unit.operator.clusters import KEY, Clock
from trainingrun_operator.cluster.protocol import Caller
from trainingrun_operator.keys import Key
from trainingrun_operator.progress.identity import CACHED_REVIEWS, Identities


@dataclass
class Reviewer:
    """Knows the tokens it is given, and counts the questions."""

    tokens: dict[str, Caller] = field(default_factory=dict)
    asked: int = 0

    async def review_token(self, token: str, audience: str) -> Caller | None:
        assert audience == "trainingrun.io/progress"
        self.asked += 1
        return self.tokens.get(token)


class Pods:
    """One pod, of one run."""

    def run_of_pod(self, namespace: str, uid: str) -> Key | None:
        return KEY if (namespace, uid) == ("ml", "pod-0") else None


def identities(clock: Clock) -> tuple[Identities, Reviewer]:
    reviewer = Reviewer(
        {
            "good": Caller("ml", "squad-worker-0", "pod-0"),
            "elsewhere": Caller("other", "squad-worker-0", "pod-0"),
            "other pod": Caller("ml", "some-pod", "pod-9"),
        }
    )
    return Identities(reviewer, Pods(), clock), reviewer


async def test_a_token_of_a_workers_pod_speaks_for_its_run() -> None:
    known, _ = identities(Clock())

    assert await known.run_of("good") == KEY


async def test_other_tokens_speak_for_no_run() -> None:
    known, _ = identities(Clock())

    assert [await known.run_of(t) for t in ("forged", "elsewhere", "other pod")] == [None] * 3


async def test_a_token_is_reviewed_once_a_minute() -> None:
    clock = Clock()
    known, reviewer = identities(clock)
    for _ in range(3):
        await known.run_of("good")
    first = reviewer.asked
    clock.forward(61)
    await known.run_of("good")

    assert (first, reviewer.asked) == (1, 2)


async def test_a_bad_token_is_soon_reviewed_again() -> None:
    clock = Clock()
    known, reviewer = identities(clock)
    await known.run_of("forged")
    await known.run_of("forged")
    clock.forward(11)
    await known.run_of("forged")

    assert reviewer.asked == 2


async def test_the_memory_of_reviews_is_bounded() -> None:
    known, reviewer = identities(Clock())
    for number in range(CACHED_REVIEWS + 1):
        await known.run_of(f"forged {number}")
    await known.run_of("forged 0")

    assert reviewer.asked == CACHED_REVIEWS + 2
