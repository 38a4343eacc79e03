"""The budget keeps to its time at any speed, with a clock of the test's own."""

import pytest

from sslstudio.learning.training.budget import StepBudget, TimeBudget, rate


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def work(budget, clock, seconds):
    budget.start()
    while not budget.done():
        budget.begin_step()
        clock.now += seconds(budget.steps)
        budget.end_step()
    budget.hold()


@pytest.mark.parametrize("speed", [0.01, 0.3, 1.0, 4.0, 9.0])
def test_a_run_ends_within_ten_percent_at_any_speed(speed):
    clock = Clock()
    budget = TimeBudget(60, clock=clock)
    work(budget, clock, lambda _: speed)
    assert budget.elapsed == pytest.approx(60, rel=0.1)
    assert budget.share > 0.9


def test_a_slow_first_step_and_a_machine_that_slows_down_do_not_matter():
    clock = Clock()
    budget = TimeBudget(60, clock=clock)
    work(budget, clock, lambda n: 5.0 if n == 0 else 0.5 if n < 40 else 2.0)
    assert budget.elapsed == pytest.approx(60, rel=0.1)


def test_pauses_and_time_before_the_start_do_not_count():
    clock = Clock()
    budget = TimeBudget(10, clock=clock)
    clock.now += 500
    budget.start()
    clock.now += 4
    budget.hold()
    clock.now += 1000
    assert budget.share == pytest.approx(0.4)
    budget.start()
    clock.now += 1
    assert (budget.share, budget.seconds_left) == (pytest.approx(0.5), pytest.approx(5))


def test_a_resumed_run_has_only_the_rest_of_its_time():
    clock = Clock()
    budget = TimeBudget(60, elapsed=45, steps=450, clock=clock)
    assert budget.share == pytest.approx(0.75)
    work(budget, clock, lambda _: 0.1)
    assert budget.steps == pytest.approx(600, abs=10)


def test_time_for_the_last_checkpoint_is_kept_free():
    clock = Clock()
    budget = TimeBudget(100, clock=clock)
    budget.reserve(4)
    work(budget, clock, lambda _: 0.5)
    assert budget.elapsed == pytest.approx(96, abs=1)
    assert budget.share == pytest.approx(1.0, abs=0.01)  # the rate has come down all the way


def test_even_the_shortest_run_does_a_step():
    clock = Clock()
    budget = TimeBudget(0.5, clock=clock)
    work(budget, clock, lambda _: 30.0)
    assert budget.steps == 1


def test_expected_steps_follow_the_measured_speed():
    clock = Clock()
    budget = TimeBudget(100, clock=clock)
    budget.start()
    for _ in range(20):
        budget.begin_step()
        clock.now += 0.5
        budget.end_step()
    assert budget.expected_steps == pytest.approx(200, abs=2)


def test_a_run_by_steps_has_the_same_course_at_any_speed():
    courses = []
    for speed in (0.1, 3.0):
        clock, course = Clock(), []
        budget = StepBudget(8, clock=clock)

        def seconds(_, speed=speed, budget=budget, course=course):
            course.append(budget.share)
            return speed

        work(budget, clock, seconds)
        courses.append(course)
    assert courses[0] == courses[1] == [n / 8 for n in range(8)]


def test_the_rate_rises_in_the_warm_up_and_falls_to_nothing():
    assert rate(0.025, 0.05) == pytest.approx(0.5)
    assert rate(0.05, 0.05) == pytest.approx(1.0)
    assert rate(0.525, 0.05) == pytest.approx(0.5)
    assert rate(1.0, 0.05) == pytest.approx(0.0)
    assert rate(0.0, 0.0) == 1.0
    assert all(rate(n / 100, 0.05) > 0 for n in range(100))
