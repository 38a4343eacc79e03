from sslstudio.learning.training.threads import ThreadPace


class Machine:
    """A machine whose step takes ``times[threads]`` seconds; remembers what was set."""

    def __init__(self, times):
        self.times, self.threads, self.worked, self.with_all = times, 0, 0.0, 0

    def use(self, threads):
        self.threads = threads

    def run(self, pace, steps):
        for _ in range(steps):
            self.worked += self.times[self.threads]
            self.with_all += self.threads == 2
            pace.step_took(self.times[self.threads])


def test_a_quiet_machine_computes_on_all_processors():
    machine = Machine({1: 0.5, 2: 0.3})
    pace = ThreadPace(2, machine.use)
    machine.run(pace, 20)
    assert machine.threads == pace.threads == 2


def test_a_busy_machine_leaves_one_processor_to_others():
    machine = Machine({1: 0.5, 2: 5.0})
    pace = ThreadPace(2, machine.use)
    machine.run(pace, 20)
    assert machine.threads == 1


def test_a_processor_taken_away_in_the_middle_is_noticed_at_once():
    machine = Machine({1: 0.5, 2: 0.3})
    pace = ThreadPace(2, machine.use)
    machine.run(pace, 20)
    machine.times, machine.with_all = {1: 0.5, 2: 5.0}, 0
    machine.run(pace, 20)
    assert machine.threads == 1
    assert machine.with_all <= 4  # one that shows it and a trial


def test_a_processor_given_back_is_found_and_trying_costs_little():
    machine = Machine({1: 0.5, 2: 5.0})
    pace = ThreadPace(2, machine.use)
    machine.run(pace, 20)
    machine.worked = machine.with_all = 0
    machine.run(pace, 2000)  # some 1,000 seconds
    assert machine.with_all * 5.0 < 0.1 * machine.worked
    machine.times = {1: 0.5, 2: 0.3}
    machine.run(pace, 600)
    assert machine.threads == 2


def test_steps_of_other_sizes_are_compared_by_what_they_had_to_do():
    machine = Machine({1: 0.5, 2: 0.3})
    pace = ThreadPace(2, machine.use)
    machine.run(pace, 20)
    tried = []
    for work in (1.0, 8.0) * 10:  # eight times as long for eight times as much is no jam
        pace.step_took(0.3 * work, work)
        tried.append(machine.threads)
    assert set(tried) == {2}


def test_a_single_processor_needs_no_choice():
    machine = Machine({1: 0.5})
    pace = ThreadPace(1, machine.use)
    machine.run(pace, 200)
    assert machine.threads == 1
