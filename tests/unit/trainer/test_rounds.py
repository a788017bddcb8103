"""When rounds close and when new ones are wanted."""

from __future__ import annotations

from trainingrun_trainer.launcher import rounds
from trainingrun_trainer.launcher.arrivals import Arrival, EndKind, RoundEnd
from trainingrun_trainer.launcher.rounds import Close, Hall, Reform, Terms, Wait

TERMS = Terms(meant=2, sizes=frozenset({1, 2, 3, 4}))


def arrival(worker: int, incarnation: str = "a") -> Arrival:
    end = RoundEnd(kind=EndKind.FRESH, at=0)
    return Arrival(worker=worker, incarnation=incarnation, serial=1, end=end)


def hall(*workers: int, since: float = 0.0) -> Hall:
    """A hall in which these workers have just arrived."""
    gathered = Hall()
    for worker in workers:
        gathered = rounds.arrived(gathered, arrival(worker), "0", since)
    return gathered


def test_a_round_closes_at_once_when_all_who_are_meant_to_come_are_there() -> None:
    assert rounds.decide(hall(1, 0), TERMS, now=0.0) == Close((0, 1))


def test_ranks_follow_the_order_of_worker_indices() -> None:
    assert rounds.decide(hall(3, 0, 2), TERMS, now=0.0) == Close((0, 2, 3))


def test_a_missing_worker_is_waited_for() -> None:
    assert rounds.decide(hall(0), TERMS, now=TERMS.join_grace - 0.1) == Wait(
        "1 of 2 workers are here"
    )


def test_a_missing_worker_is_not_waited_for_beyond_the_grace() -> None:
    assert rounds.decide(hall(0), TERMS, now=TERMS.join_grace) == Close((0,))


def test_below_the_minimum_no_grace_helps() -> None:
    terms = Terms(meant=3, sizes=frozenset({2, 3}))
    assert rounds.decide(hall(0), terms, now=1e6) == Wait("1 of at least 2 workers are here")


def test_a_round_has_only_as_many_workers_as_can_make_the_global_batch() -> None:
    terms = Terms(meant=4, sizes=frozenset({1, 2, 4}))
    assert rounds.decide(hall(0, 1, 2), terms, now=terms.join_grace) == Close((0, 1))


def test_a_whole_round_is_left_alone() -> None:
    running = rounds.closed(hall(0, 1), (0, 1))
    assert rounds.decide(running, TERMS, now=0.0) == Wait("the round is whole")


def test_a_newcomer_makes_the_others_come_to_a_larger_round() -> None:
    running = rounds.arrived(rounds.closed(hall(0, 1), (0, 1)), arrival(2), "0", 1.0)
    assert rounds.decide(running, TERMS, now=1.0) == Reform()


def test_a_newcomer_who_would_not_fit_waits() -> None:
    terms = Terms(meant=2, sizes=frozenset({1, 2}))
    running = rounds.arrived(rounds.closed(hall(0, 1), (0, 1)), arrival(2), "0", 1.0)
    assert rounds.decide(running, terms, now=1.0) == Wait("the round is whole")


def test_a_member_that_comes_back_makes_the_others_come_too() -> None:
    running = rounds.arrived(rounds.closed(hall(0, 1), (0, 1)), arrival(1), "0", 1.0)
    assert rounds.decide(running, TERMS, now=1.0) == Reform()


def test_a_member_whose_heart_stands_still_is_lost() -> None:
    running = rounds.closed(hall(0, 1), (0, 1))
    running = rounds.beaten(running, 0, "1", TERMS.dead_after + 0.1)
    running = rounds.without_dead(running, TERMS, TERMS.dead_after + 0.1)
    assert rounds.decide(running, TERMS, now=TERMS.dead_after + 0.1) == Reform()


def test_a_member_that_says_farewell_is_not_waited_for() -> None:
    running = rounds.beaten(rounds.closed(hall(0, 1), (0, 1)), 1, rounds.GONE, 1.0)
    assert running.training == (0,)


def test_each_round_has_a_number_of_its_own() -> None:
    assert rounds.closed(rounds.closed(hall(0), (0,)), (0,)).number == 2
