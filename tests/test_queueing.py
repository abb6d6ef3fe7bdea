"""Queues of jobs: schedules by hand, priorities, backfill, preemption, losses and maintenance; no rack in two jobs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from twin.placement import Site, place
from twin.queueing import Queue, Seen
from twin.scenario.case import JobSpec, SchedulerSpec, Window

RACKS = tuple(f"rack-{k}" for k in range(1, 9))


def job(name, racks, work, arrives=0.0, priority=0.0, least=0, resume=0.0, save=0.0):
    """A job of one step a second."""
    return JobSpec(name, racks, float(arrives), float(priority), float(work), least, 1.0, float(resume), float(save))


class World:
    """Jobs that step once a second on their racks, save in `saving` seconds, and lose what is not saved."""

    def __init__(self, *jobs, saving=0, site=None, **said):
        self.spec = SchedulerSpec(RACKS, jobs, period=1.0, **said)
        self.queue, self.saving = Queue(self.spec, site or Site()), saving
        self.steps, self.unsaved = ({each.name: 0.0 for each in jobs} for _ in range(2))
        self.saved_in, self.lost, self.now = {}, set(), 0.0
        self.log, self.history = [], []

    def look(self):
        seen = Seen(frozenset(RACKS) - self.lost, steps=dict(self.steps), unsaved=dict(self.unsaved))
        for move in self.queue.act(self.now, seen):
            self.log.append((self.now, move.job, move.phase))
            if move.phase == "waiting" and move.why.endswith("lost"):
                self.steps[move.job] -= self.unsaved[move.job]
                self.unsaved[move.job] = 0.0
        self.history.append({name: list(task.racks) for name, task in self.queue.tasks.items()})

    def run(self, seconds):
        for _ in range(seconds):
            self.look()
            for name, task in self.queue.tasks.items():
                if task.phase == "running":
                    self.saved_in.pop(name, None)
                    done = len(task.racks) / task.spec.racks
                    self.steps[name] += done
                    self.unsaved[name] += done
                elif task.phase == "saving":
                    left = self.saved_in.get(name, self.saving) - 1
                    self.saved_in[name] = left
                    if left <= 0:
                        self.unsaved[name] = 0.0
            self.now += 1.0
        self.look()
        return self

    def starts(self):
        found = {}
        for time, name, phase in self.log:
            if phase == "running":
                found.setdefault(name, time)
        return found

    def ends(self):
        return {name: time for time, name, phase in self.log if phase == "finished"}


def test_first_come_first_served():
    """8 racks: a takes 5 for 10 s; b wants 4 and waits; c wants 3, came later and waits behind it."""
    world = World(job("a", 5, 10), job("b", 4, 5, 1), job("c", 3, 4, 2), preempt=False).run(30)
    assert world.starts() == {"a": 0.0, "b": 10.0, "c": 10.0}
    assert world.ends() == {"a": 10.0, "b": 15.0, "c": 14.0}


def test_priorities_go_first_whoever_came_first():
    jobs = job("a", 8, 10), job("low", 8, 5, 1, 0), job("high", 8, 5, 2, 7)
    world = World(*jobs, preempt=False).run(30)
    assert world.starts() == {"a": 0.0, "high": 10.0, "low": 15.0}


def test_backfill_lets_go_first_who_makes_nobody_wait():
    """b waits for 8 racks until 10 s; c ends before that and goes, d would not and waits, e fits beside nobody."""
    jobs = job("a", 5, 10), job("b", 8, 5, 1), job("c", 3, 6, 2), job("d", 3, 9, 3)
    plain = World(*jobs, preempt=False).run(40)
    assert plain.starts() == {"a": 0.0, "b": 10.0, "c": 15.0, "d": 15.0}
    filled = World(*jobs, preempt=False, backfill=True).run(40)
    assert filled.starts() == {"a": 0.0, "c": 2.0, "b": 10.0, "d": 15.0}


def test_backfill_on_racks_that_the_first_in_line_leaves_over():
    """b will need 6 of 8 racks from 10 s on: c may keep 2 for as long as it likes."""
    jobs = job("a", 5, 10), job("b", 6, 5, 1), job("c", 2, 100, 2), job("d", 1, 100, 3)
    world = World(*jobs, preempt=False, backfill=True).run(40)
    assert world.starts() == {"a": 0.0, "c": 2.0, "b": 10.0, "d": 15.0}


def test_backfill_goes_on_where_the_first_in_line_waits_for_cooling():
    """Racks are free and 500 W are not: a has 300, b wants 400 of 500 and waits till a ends; c takes 200 till then.

    d would be there longer, and waits behind b; e wants more than there ever is, and holds up nobody.
    """
    site = Site(behind={"cooling": dict.fromkeys(RACKS, ("east",))}, carried={"cooling": {"east": ("cdu",)}},
                load=dict.fromkeys(RACKS, 100.0), ratings={"cdu": 500.0})  # fmt: skip
    jobs = job("a", 3, 10), job("b", 4, 5, 1), job("c", 2, 6, 2), job("d", 2, 9, 3)
    said = {"site": site, "place": ("cooling",), "preempt": False, "backfill": True}
    assert World(*jobs, **said).run(40).starts() == {"a": 0.0, "c": 2.0, "b": 10.0, "d": 15.0}
    world = World(job("e", 6, 5), job("c", 2, 6, 2), job("d", 2, 9, 3), **said).run(40)
    assert world.starts() == {"c": 2.0, "d": 3.0}


def test_a_job_of_lower_priority_saves_and_gives_way_and_loses_nothing():
    world = World(job("low", 6, 20), job("high", 4, 5, 8, 1), saving=3).run(60)
    assert world.log[:4] == [
        (0.0, "low", "waiting"), (0.0, "low", "running"), (8.0, "high", "waiting"), (8.0, "low", "saving")
    ]  # fmt: skip
    assert world.starts()["high"] == 11.0
    assert world.ends() == {"high": 16.0, "low": 16.0 + 12.0}, "8 of 20 steps were saved, 12 are left"


def test_only_as_many_give_way_as_are_needed_the_latest_first():
    jobs = job("a", 3, 50), job("b", 3, 50, 1), job("c", 2, 50, 2), job("high", 3, 5, 10, 1)
    world = World(*jobs, saving=2).run(13)
    assert [(name, phase) for time, name, phase in world.log if time == 10.0 and phase == "saving"] == [
        ("c", "saving"), ("b", "saving")
    ]  # fmt: skip
    assert world.queue.tasks["a"].phase == "running"


def test_nobody_gives_way_where_that_is_not_enough_nor_to_an_equal():
    world = World(job("a", 4, 50, priority=5), job("b", 4, 50), job("high", 6, 5, 10, 1)).run(12)
    assert not any(phase == "saving" for _, _, phase in world.log)
    world = World(job("a", 8, 50), job("b", 8, 5, 10)).run(12)
    assert not any(phase == "saving" for _, _, phase in world.log)


def test_a_rack_that_is_lost_is_replaced_or_the_job_shrinks_or_waits():
    world = World(job("a", 6, 500)).run(3)
    world.lost = {"rack-2"}
    world.run(2)
    assert world.queue.tasks["a"].racks == ["rack-1", "rack-3", "rack-4", "rack-5", "rack-6", "rack-7"]
    world = World(job("a", 8, 500, least=6)).run(3)
    world.lost = {"rack-2", "rack-5"}
    world.run(2)
    assert len(world.queue.tasks["a"].racks) == 6
    world.lost = {"rack-1", "rack-2", "rack-5"}
    world.run(2)
    assert (world.queue.tasks["a"].phase, world.queue.tasks["a"].racks) == ("waiting", [])
    world.lost = set()
    world.run(3)
    assert len(world.queue.tasks["a"].racks) == 8


def test_a_job_that_shrank_saves_and_grows_when_its_racks_are_back_and_it_ends_the_sooner():
    """8 racks, 6 from 5 s on: 120 steps are left at 10 s, 160 s on 6 racks, 120 + 4 + 3 + 2 on 8."""
    world = World(job("a", 8, 130, least=6, resume=4, save=3), saving=3).run(4)
    world.lost = {"rack-2", "rack-5"}
    world.run(6)
    assert len(world.queue.tasks["a"].racks) == 6
    world.lost = {"rack-5"}
    world.run(5)
    assert len(world.queue.tasks["a"].racks) == 6, "it grows to all its racks or not at all"
    world.lost = set()
    world.run(1)
    assert world.log[-1] == (15.0, "a", "saving")
    world.run(6)
    assert [(moment, phase) for moment, _, phase in world.log[-2:]] == [(18.0, "waiting"), (19.0, "running")]
    assert len(world.queue.tasks["a"].racks) == 8
    assert world.run(200).ends()["a"] < 160


def test_nobody_grows_for_little_work_nor_past_one_who_stands_before_it():
    world = World(job("a", 8, 20, least=6, resume=4, save=3), saving=3).run(4)
    world.lost = {"rack-2"}
    world.run(3)
    world.lost = set()
    world.run(10)
    assert len(world.queue.tasks["a"].racks) == 7, "16 steps are 18 s on 7 racks, and 16 + 4 + 3 + 2 on 8"
    world = World(job("a", 6, 900, least=4), job("b", 4, 900, 5, 1), preempt=False).run(3)
    world.lost = {"rack-1", "rack-2", "rack-7", "rack-8"}
    world.run(3)
    world.lost = {"rack-1", "rack-2", "rack-7"}
    world.run(6)
    assert world.queue.tasks["b"].phase == "waiting"
    world.lost = {"rack-7"}
    world.run(6)
    assert len(world.queue.tasks["a"].racks) == 4, "b stands before it, though three racks are not enough for b"
    world.lost = set()
    world.run(6)
    assert len(world.queue.tasks["b"].racks) == 4


def test_who_grows_takes_what_there_is_where_racks_fail_meanwhile():
    world = World(job("a", 8, 900, least=5), saving=3).run(3)
    world.lost = {"rack-1"}
    world.run(3)
    world.lost = set()
    world.run(2)
    assert world.queue.tasks["a"].phase == "saving"
    world.lost = {"rack-1", "rack-2"}
    world.run(5)
    assert (world.queue.tasks["a"].phase, len(world.queue.tasks["a"].racks)) == ("running", 6)


def test_a_job_that_lost_its_racks_holds_up_those_behind_it_at_once():
    """Nobody starts on racks that it would be asked to give back a look later."""
    world = World(job("high", 8, 500, priority=1), job("low", 7, 500, 1), saving=3).run(3)
    world.lost = {"rack-8"}
    world.run(2)
    assert world.queue.tasks["high"].phase == "waiting"
    world.lost = set()
    world.run(3)
    assert world.queue.tasks["high"].phase == "running"
    assert "low" not in world.starts()


def test_maintenance_takes_racks_when_their_job_has_saved_and_gives_them_back():
    window = Window(("rack-1", "rack-2"), 10.0, 20.0)
    world = World(job("a", 4, 100), saving=2, maintenance=(window,)).run(11)
    assert world.queue.tasks["a"].phase == "saving"
    assert world.queue.drained == set()
    world.run(3)
    assert world.queue.drained == {"rack-1", "rack-2"}
    assert world.queue.tasks["a"].racks == ["rack-3", "rack-4", "rack-5", "rack-6"]
    world.run(20)
    assert world.queue.drained == set()


jobs_of_any_sort = st.lists(
    st.tuples(
        st.integers(1, 8), st.integers(1, 15), st.integers(0, 12), st.integers(0, 2), st.integers(0, 8), st.booleans()
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=30, deadline=None)
@given(
    jobs_of_any_sort, st.booleans(), st.booleans(),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 7), st.integers(1, 9)), max_size=4),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 7), st.integers(1, 9)), max_size=2),
)  # fmt: skip
def test_no_rack_is_in_two_jobs_none_is_lost_and_all_end_at_last(rows, preempt, backfill, outages, windows):
    """Racks are conserved: given and free make up all, at every moment, whatever fails; and nobody starves."""
    jobs = [
        job(f"job-{k}", racks, work, arrives, priority, min(least, racks) if shrinks else 0)
        for k, (racks, work, arrives, priority, least, shrinks) in enumerate(rows)
    ]
    spans = tuple(Window((RACKS[rack],), float(at), float(length)) for at, rack, length in windows)
    world = World(*jobs, saving=1, preempt=preempt, backfill=backfill, maintenance=spans)
    for second in range(60):
        world.lost = {RACKS[rack] for at, rack, length in outages if at <= second < at + length}
        world.run(1)
        taken = [rack for task in world.queue.tasks.values() for rack in task.racks]
        assert len(taken) == len(set(taken))
        for task in world.queue.tasks.values():
            assert bool(task.racks) == (task.phase in ("running", "saving"))
            if task.phase == "running":
                assert task.spec.least <= len(task.racks) <= task.spec.racks
                assert len(task.racks) == task.spec.racks or task.spec.least
        free = world.queue._free(Seen(frozenset(RACKS)), set())
        assert sorted(taken + free) == sorted(RACKS)
    world.lost = set()
    world.run(400)
    assert {task.phase for task in world.queue.tasks.values()} == {"finished"}


SITE = Site(
    leaves={f"rack-{k}": frozenset({f"leaf-{(k - 1) // 4}"}) for k in range(1, 9)},
    behind={
        "cooling": {f"rack-{k}": ("east",) if k % 2 else ("west",) for k in range(1, 9)},
        "power": {f"rack-{k}": ("pdu-1", "pdu-2") if k <= 6 else ("pdu-3",) for k in range(1, 9)},
    },
    carried={"cooling": {"east": ("cdu-1", "cdu-2"), "west": ("cdu-3",)},
             "power": {"pdu-1": ("pdu-1",), "pdu-2": ("pdu-2",), "pdu-3": ("pdu-3",)}},
    load=dict.fromkeys(RACKS, 100.0),
    ratings={"cdu-1": 200.0, "cdu-2": 200.0, "cdu-3": 300.0, "pdu-1": 300.0, "pdu-2": 300.0, "pdu-3": 250.0},
)  # fmt: skip


def chosen(count, ways, free=RACKS, busy=(), alive=None):
    room = {way: SITE.room(way, list(busy), alive or {}) for way in ways if way in ("cooling", "power")}
    return place(count, list(free), ways, SITE, room)


def test_a_gang_crosses_as_few_leaves_as_can_be_and_leaves_large_groups_whole():
    free = ["rack-1", "rack-2", "rack-3", "rack-5", "rack-6"]
    assert chosen(2, ("fabric",), free) == ["rack-5", "rack-6"]
    assert chosen(3, ("fabric",), free) == ["rack-1", "rack-2", "rack-3"]
    assert SITE.crossed(chosen(4, ("fabric",), free)) == 2
    assert chosen(2, ("first",), free) == ["rack-1", "rack-2"]
    assert chosen(6, ("fabric",), free) == []


def test_a_gang_stands_where_most_heat_can_still_be_carried():
    """East carries 400 W, west 300: the first goes east, then both have 300 left, and so on in turn."""
    assert chosen(4, ("cooling",)) == ["rack-1", "rack-2", "rack-3", "rack-4"]
    assert chosen(1, ("cooling",), free=RACKS[::-1]) == ["rack-7"]
    assert chosen(2, ("cooling",), free=RACKS[3:], busy=("rack-1", "rack-3")) == ["rack-4", "rack-5"]
    assert chosen(4, ("cooling",), alive={"cdu-3": False}) == ["rack-1", "rack-3", "rack-5", "rack-7"]


def test_what_feeds_or_cools_too_little_gets_no_gang():
    assert chosen(5, ("cooling",), alive={"cdu-3": False}) == []
    assert len(chosen(7, ("cooling",))) == 7
    assert chosen(8, ("cooling",)) == [], "west carries 300 W and would get 400"
    assert len(chosen(8, ("power",))) == 8
    assert chosen(7, ("power",), alive={"pdu-2": False}) == []


def test_racks_on_two_feeds_lay_all_on_the_one_that_is_in_service():
    """pdu-1 carries 300 W, so three of the six racks on it and pdu-2, and pdu-3 the other two."""
    assert chosen(5, ("power",), alive={"pdu-2": False}) == ["rack-1", "rack-2", "rack-3", "rack-7", "rack-8"]
    assert chosen(6, ("power",), alive={"pdu-2": False}) == []
    assert chosen(1, ("power",), free=RACKS[:6], busy=RACKS[:3], alive={"pdu-2": False}) == []
    assert chosen(1, ("power",), free=RACKS[:6], alive={"pdu-1": False, "pdu-2": False}) == []


def test_coolers_of_air_carry_what_they_can_at_the_moment():
    """Two rooms of four racks, a cooler each; warm water, or none, leaves less."""
    rooms = {f"rack-{k}": ("air of a",) if k <= 4 else ("air of b",) for k in range(1, 9)}
    site = Site(
        behind={"cooling": rooms}, carried={"cooling": {"air of a": ("crah-1", "crah-2"), "air of b": ("crah-3",)}},
        load=dict.fromkeys(RACKS, 100.0), ratings=dict.fromkeys(("crah-1", "crah-2", "crah-3"), 0.0),
    )  # fmt: skip

    def placed(count, busy=(), alive=None, **gives):
        told = {name.replace("_", "-"): value for name, value in gives.items()}
        room = {"cooling": site.room("cooling", list(busy), alive or {}, told)}
        return place(count, list(RACKS), ("cooling",), site, room)

    assert placed(3, crah_1=120.0, crah_2=120.0, crah_3=150.0) == ["rack-1", "rack-2", "rack-5"]
    assert placed(4, crah_1=120.0, crah_2=120.0, crah_3=150.0) == []
    assert placed(1, alive={"crah-1": False}, crah_1=120.0, crah_2=90.0, crah_3=110.0) == ["rack-5"]
    assert placed(1, crah_1=0.0, crah_2=0.0, crah_3=0.0) == []


def test_ways_go_one_after_the_other():
    """The tightest leaf that fits, and in it where most heat can be carried."""
    assert chosen(3, ("fabric", "cooling")) == ["rack-1", "rack-2", "rack-3"]
    assert chosen(2, ("fabric", "cooling"), alive={"cdu-1": False, "cdu-2": False}) == ["rack-2", "rack-4"]
