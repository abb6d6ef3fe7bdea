"""Rows: the findings as lines of words, the same for the terminal and for the page."""

from __future__ import annotations

from typing import Any

from twin.report.disturbances import SAYS, placed
from twin.report.energy import has_batteries
from twin.report.extremes import Extreme, worth_showing
from twin.report.findings import Findings
from twin.report.fold import Line
from twin.report.ladder import first_to_break
from twin.report.moments import work_kinds
from twin.report.reliability import band_rows, cause_rows
from twin.report.schedule import schedule_rows
from twin.report.sections import NO_PRICE
from twin.report.verdict import Judgement
from twin.report.words import clock, kinds, lasting, say, words

FIRST_WORDS = {
    "first_throttle": "first rack throttles",
    "first_slowdown": "first rack is slowed down",
    "first_shutdown": "first rack shuts down",
    "first_unpowered": "first rack loses power",
    "ups_on_battery": "first UPS on battery",
    "ups_empty": "first UPS empty",
    "tank_exhausted": "buffer tank exhausted",
}
OF_RACKS = ("first_throttle", "first_slowdown", "first_shutdown", "first_unpowered")
FIRST_NEEDS = {"ups_on_battery": "ups", "ups_empty": "ups", "tank_exhausted": "tank"}
"""Lines that a plant without this kind does not have."""
MOST_FAULTS = 4
"""Faults of one moment that a heading names."""
SHARES = ("load_fraction", "state_of_charge", "clock", "voltage")
"""Pure numbers that people say in per cent."""


OF_TOKENS = (
    ("racks", "racks of pools"),
    ("it", "racks of pools with their part of IT"),
    ("facility", "racks of pools with their part of the site"),
)
"""Level of energy per token -> whose it is."""
OF_ALL_TOKENS = (("racks", "racks of pools"), ("it", "all IT of the site"), ("facility", "all of the site"))
"""The same in a trace from before energy was charged to services: what trains is in it, too."""
WORTH_TELLING = 0.005
"""Share of IT power below which a loss is leakage that follows temperature, not work that is missing."""


class Rows:
    """Lines for people from one set of findings."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.story = findings.story
        self.measure = findings.measure
        fault = self.measure["fault"]
        self.zero = "start" if fault is None else "fault" if fault["is_failure"] else "change"
        """What the seconds are counted from."""

    def criteria(self) -> list[list[str]]:
        """Criterion, result, reached, limit, margin, where, at."""
        return self._judged(self.findings.verdict.judgements)

    def expected(self) -> list[list[str]]:
        """Expected step, result, time it took, time it had, margin, unit, at."""
        return self._judged(self.findings.verdict.sequence)

    def _judged(self, judgements: list[Judgement]) -> list[list[str]]:
        rows = []
        for each in judgements:
            result = "held" if each.passed else "FAILED"
            note = "; ".join(part for part in (each.note, "meant to fail" if each.meant else "") if part)
            where = each.where or note
            if each.where and note:
                where += f" ({note})"
            if each.members > 1:
                held = f"{each.members_passed} of {each.members} members held"
                where = f"{where}; {held}" if where else held
            reached = (each.value_said(), each.limit_said(), each.margin_said())
            rows.append([each.title(), result, *reached, where, clock(each.time)])
        return rows

    def seconds_title(self) -> str:
        fault = self.measure["fault"]
        if fault is None:
            return "Seconds from the start (nothing is made to fail)"
        said = [line.short() for line in self.findings.lines if line.time == fault["time"] and line.is_asked]
        first = f"{fault['unit']} {fault['what']}"
        more = "" if len(said) <= MOST_FAULTS else f"; and {len(said) - MOST_FAULTS} more"
        return f"Seconds from the {self.zero} at {clock(fault['time'])}: {'; '.join(said[:MOST_FAULTS]) or first}{more}"

    def seconds(self) -> list[list[str]]:
        """Moment, seconds from the fault, time, unit."""
        rows = []
        for name, moment in self.measure["first"].items():
            needs = work_kinds(self.story) if name in OF_RACKS else [FIRST_NEEDS[name]]
            if not set(needs) & set(self.story.kinds):
                continue
            if moment is None:
                rows.append([FIRST_WORDS[name], "never", "", ""])
            else:
                rows.append([FIRST_WORDS[name], lasting(moment["seconds"]), clock(moment["time"]), moment["unit"]])
        return rows + self._battery_rows()

    def _battery_rows(self) -> list[list[str]]:
        found = self.measure["batteries"]
        if found is None or not found["units_on_battery"]:
            return []
        rows = [["longest time on battery", lasting(found["longest_on_battery"]), "", ""]]
        lowest = (clock(found["lowest_charge_time"]), found["lowest_charge_unit"])
        rows.append(["lowest battery charge", say(found["lowest_charge"], "1", share=True), *lowest])
        if found["seconds_left"] is not None:
            rows.append(
                [
                    "battery time left at lowest",
                    lasting(found["seconds_left"]),
                    clock(found["seconds_left_time"]),
                    found["seconds_left_unit"],
                ]
            )
        return rows

    def extremes(self) -> list[list[str]]:
        """Quantity, value, limit, unit, time."""
        return [_extreme(each) for each in worth_showing([Extreme(**row) for row in self.measure["extremes"]])]

    def ladder(self) -> list[list[str]]:
        """Store, what it holds, its loads before and after, its limit, seconds foreseen, used, what came of it."""
        return [
            [
                rung.asset if len(rung.units) == 1 else f"{rung.asset} ({len(rung.units)})",
                rung.holds,
                rung.load_said(),
                rung.limit,
                rung.seconds_said(),
                "-" if rung.used is None else f"{100 * rung.used:.3g} %",
                rung.outcome(),
            ]
            for rung in self.findings.ladder
        ]

    def ladder_told(self) -> str:
        """Which store broke first, or which came nearest."""
        rungs = self.findings.ladder
        broke = first_to_break(rungs)
        if broke is not None:
            own = f"{lasting(broke.came)} after it was itself drawn on"
            return f"First at its limit: {broke.asset} ({broke.unit}), at {clock(broke.came_at)}, {own}."
        drawn = [rung for rung in rungs if rung.used and rung.began is not None]
        if not drawn:
            return f"No store was drawn on after the {self.zero}."
        near = max(drawn, key=lambda rung: rung.used or 0.0)
        return f"None came to its limit; nearest was {near.asset} ({near.unit}): {100 * (near.used or 0.0):.3g} % used."

    def losses(self) -> list[list[str]]:
        found = self.measure["lost"]
        total = found["units_total"]
        rows = []
        if total:
            at = f" at {clock(found['units_peak_time'])}" if found["units_peak"] else ""
            rows.append(["racks lost at most", f"{found['units_peak']} of {total}{at}"])
            rows.append(["racks lost at the end", f"{found['units_end']} of {total}"])
        if found.get("power_before") is not None:
            rows.append([f"IT power before the {self.zero}", say(found["power_before"], "W")])
            least = WORTH_TELLING * abs(found["power_before"])
            for when, key in (("at most", "power_lost_peak"), ("at the end", "power_lost_end")):
                at = f" at {clock(found['power_lost_peak_time'])}" if when == "at most" else ""
                told = f"{say(found[key], 'W')}{at}" if found[key] > least else "none"
                rows.append([f"IT power lost {when}", told])
        return rows

    def sags(self) -> list[list[str]]:
        """Feed, moment, residual, length, the ITIC curve's limit for it, and what that says."""
        return [
            [
                each.sag.unit,
                clock(each.sag.time),
                say(each.sag.residual, "1", share=True),
                lasting(each.sag.length),
                say(each.limit, "1", share=True),
                SAYS[each.region],
            ]
            for each in placed(self.story, self.findings.shown)
        ]

    def selectivity(self) -> list[list[str]]:
        """Moment, breaker that opened out of turn, the one whose turn it was, and what that is."""
        return [
            [clock(turn.time), turn.unit, turn.instead_of, turn.text]
            for turn in self.findings.selectivity
            if turn.member == self.findings.shown
        ]

    def alarms(self) -> list[list[str]]:
        """Alarm, first-out, unit, condition since, raised, acknowledged, after so long, by whom, cleared."""
        rows = []
        for each in self.findings.alarms:
            if each.member == self.findings.shown:
                first = "first-out" if each.first_out else ""
                seen = each.acknowledged
                after = "" if seen is None else lasting(seen - each.raised)
                times = (clock(each.stood), clock(each.raised), "nobody" if seen is None else clock(seen), after)
                named = f"{each.name} ({each.priority})"
                rows.append(
                    [
                        named,
                        first,
                        each.unit,
                        *times,
                        each.by,
                        "stands" if each.cleared is None else clock(each.cleared),
                    ]
                )
        return rows

    def misled(self) -> list[list[str]]:
        """Alarm, unit, what it was, since when its condition held, until when, and its sensor."""
        rows = []
        for each in self.findings.misled:
            if each.member == self.findings.shown:
                over = "raised" if each.silent else "cleared"
                until = f"not {over}" if each.until is None else f"{over} at {clock(each.until)}"
                was = "silent" if each.silent else "false"
                rows.append([each.name, each.unit, was, clock(each.since), until, each.sensor or "another unit's"])
        return rows

    def pue(self) -> list[list[str]]:
        found = self.measure["pue"]
        undone = "repair" if self.zero == "fault" else "return"
        named = {"before": f"before the {self.zero}", "during": f"from the {self.zero} to the {undone}"}
        named["after"] = f"after the {undone}"
        if self.zero == "start":
            named = {"before": "of the run"}
        elif found["after"] is None:
            named["during"] = f"from the {self.zero} to the end"
        apart = ", charging of batteries apart" if has_batteries(self.findings.story) else ""
        return [[f"PUE {said}{apart}", f"{found[key]:.3f}"] for key, said in named.items() if found[key] is not None]

    def tokens(self) -> list[list[str]]:
        """Service, answers asked for, written, given up, most that waited, until when, in time, earned, lost."""
        made = self.measure["tokens"]
        rows = []
        for name, each in (made["services"] if made else {}).items():
            until = "still waits" if each["queued_end"] > 0 else clock(each["caught_up"])
            tokens = [say(each[f"{key}_answers"], "token") for key in ("offered", "served", "dropped")]
            money = [
                NO_PRICE if (value := each[key]) is None else say(value, "USD") for key in ("revenue", "lost_revenue")
            ]
            in_time = say(each["in_time_share"], "1", share=True)
            rows.append([name, *tokens, say(each["deferred"], "token"), until, in_time, *money])
        return rows

    def tokens_total(self) -> list[list[str]]:
        """What a token took and brought, over all services."""
        made = self.measure["tokens"]
        if not made:
            return []
        total, rows = made["total"], []
        charged = self.findings.story.has("service", "rack_energy")
        for who, said in OF_TOKENS if charged else OF_ALL_TOKENS:
            value = total[f"energy_per_token_{who}"]
            if value is not None:
                rows.append([f"energy per token of answer, {said}", f"{value:.4g} J"])
        if total["rate_per_mw"] is not None:
            rows.append(["tokens of answers per second and MW of the whole site", f"{total['rate_per_mw']:,.0f}"])
        rows.append(["revenue", NO_PRICE if total["revenue"] is None else say(total["revenue"], "USD")])
        if total["lost_revenue"] is not None:
            rows.append(["revenue lost with tokens given up", say(total["lost_revenue"], "USD")])
        if total["energy_cost"] is not None:
            rows.append(["cost of energy", say(total["energy_cost"], "USD")])
        return rows

    def training(self) -> list[list[str]]:
        """Job, useful steps, rolled back, goodput, stops; saving, restarting, waiting for storage, without its gang."""
        return [
            [
                name,
                *(f"{each[key]:,.0f}" for key in ("steps", "lost_steps")),
                say(each["goodput"], "1", share=True),
                f"{each['interruptions']:.0f}",
                *(
                    "" if each[key] is None else lasting(each[key])
                    for key in ("saving_time", "restarting_time", "waiting_time", "stopped_time")
                ),
            ]
            for name, each in (self.measure["training"] or {}).items()
        ]

    def schedule(self) -> list[list[str]]:
        """Job, when it came, started and finished, how long it waited, ran, and how often it gave racks back."""
        return schedule_rows(self.measure["schedule"])

    def reliability(self) -> list[list[str]]:
        """Quantity, mean, its 95 % interval, p5, p50, p95."""
        return band_rows(self.findings.reliability)

    def causes(self) -> list[list[str]]:
        """Kind, cause, failures in a member, time between two of them, mean repair."""
        return cause_rows(self.findings.reliability)

    def energy(self) -> list[list[str]]:
        found = self.measure["energy"]
        named = {key: f"energy from {kinds(key.removeprefix('from_'), 2)}" for key in found if key.startswith("from_")}
        named |= {
            "rejected": "energy given to the outdoors",
            "stored": "energy stored in water, metal, air, batteries",
        }
        rows = [[said, say(found[key], "J")] for key, said in named.items() if found[key] is not None]
        if found["residual"] is not None:
            share = f" ({abs(found['relative_residual']):.1e} of throughput)" if found["relative_residual"] else ""
            rows.append(["energy unaccounted for", f"{say(found['residual'], 'J')}{share}"])
        if found["worst_residual"] is not None:
            rows.append(["largest residual of any tick", f"{found['worst_residual']:.1e} of throughput"])
        return rows

    def timeline(self) -> list[list[str]]:
        """Number, time, seconds after the fault, event, why."""
        lines = self.findings.lines
        fault = self.story.faults[self.findings.shown]
        rows = []
        for number, line in enumerate(lines, 1):
            after = "" if fault is None or line.time < fault.time else f"+{lasting(line.time - fault.time)}"
            time = clock(line.time)
            if line.last - line.time > 0.0005:
                time += f" to {clock(line.last)}"
            rows.append([str(number), time, after, line.event(), self._why(line, lines)])
        return rows

    def _why(self, line: Line, lines: list[Line]) -> str:
        if line.cause is None:
            return line.why
        source = lines[line.cause]
        behind = f"from {line.cause + 1}: {source.short()}"
        return f"{line.why}; {behind}" if line.why else behind

    def across(self) -> list[list[str]]:
        """Number, p5, p50, p95, members in which it is known."""
        return [
            [
                said,
                *(_number(row, key) for key in ("p5", "p50", "p95")),
                f"{row['known']} of {row['members']}",
            ]
            for row in self.findings.across
            if (said := _across_words(row["metric"])) is not None
        ]


def _extreme(each: Extreme) -> list[str]:
    name = f"{each.which} {words(each.name)} of {'the site' if each.kind == 'site' else kinds(each.kind, 2)}"
    value = say(each.value, each.unit, share=each.name in SHARES)
    limit = "" if each.limit is None else f"{say(each.limit, each.unit)} ({words(each.limit_name or '')})"
    return [name, value, limit, each.where, clock(each.time)]


def _across_words(metric: str) -> str | None:
    """A metric's name for people; None for those that only --json tells."""
    part, _, rest = metric.partition(".")
    if part == "first":
        return f"seconds to: {FIRST_WORDS[rest.removesuffix('.seconds')]}"
    return {
        "batteries.lowest_charge": "lowest battery charge",
        "batteries.seconds_left": "battery time left at lowest",
        "lost.units_peak": "racks lost at most",
        "lost.units_end": "racks lost at the end",
        "lost.power_lost_peak": "IT power lost at most",
        "pue.during": "PUE from the fault on",
        "accounts.event.cost": "cost of the event, USD",
        "accounts.total.credits": "credits for promises not kept, USD",
        "accounts.total.energy_cost": "cost of energy, USD",
        "accounts.total.energy_per_token_facility": "energy per token of answer, pools with their part of the site, J",
        "rack.die_temperature.highest": "highest die temperature",
        "air_rack.die_temperature.highest": "highest die temperature of air racks",
        "cdu.supply_temperature.highest": "highest CDU supply temperature",
        "zone.temperature.highest": "highest room temperature",
    }.get(metric)


def _number(row: dict[str, Any], key: str) -> str:
    metric, value = row["metric"], row[key]
    if metric.endswith("seconds") or metric.endswith("seconds_left"):
        return lasting(value)
    if metric.endswith("charge"):
        return say(value, "1", share=True)
    if metric.startswith("lost.power"):
        return say(value, "W")
    if "temperature" in metric:
        return say(value, "K")
    return f"{value:.4g}"
