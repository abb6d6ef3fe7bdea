"""Traces of requests: read, binned without losing a token, and replayed on a pod."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from twin.scenario import Scenario, check, read
from twin.scenario.document import Documents
from twin.scenario.faults import Faults
from twin.scenario.requests import read_requests
from twin.simulation import Simulation

AZURE = Path(__file__).parents[2].parent / "shared" / "data" / "azure_llm" / "AzureLLMInferenceTrace_conv.csv"
HEAD = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
Save = Callable[..., Path]
POD = """title: a pod that answers
plant:
  variant_of: pod
  units:
    chat: {kind: pool, racks: rack-01..08}
    api: {kind: service, prefill_rate: 26156 token/s, decode_rate: 13386 token/s, batch: 768, least_token_time: 10 ms,
      pools: chat, patience: 30 year}
"""
REST = "run: {duration: %s, tick: %s}\nweather: {dry_bulb: 25 degC, relative_humidity: 40 %%}\n"


def requests(text: str) -> tuple[object, list[str]]:
    faults = Faults()
    return read_requests(text.encode(), "some.csv", faults), [str(fault) for fault in faults.found.values()]


def test_a_trace_is_read_in_any_order_of_columns_and_in_seconds() -> None:
    head = "# made\nGeneratedTokens,TIMESTAMP,ContextTokens,Model\n"
    found, told = requests(f"{head}7,100.5,12,x\n# more\n9,103,34,y\n\n")
    assert not told
    np.testing.assert_array_equal(found.arrival, [0.0, 2.5])
    np.testing.assert_array_equal(found.prompt, [12, 34])
    np.testing.assert_array_equal(found.binned(2.0), [[1, 12, 7], [1, 34, 9]])


def test_zones_of_time_are_understood() -> None:
    found, told = requests(f"{HEAD}2024-05-10 00:00:00.009930+00:00,10,1\n2024-05-10 01:00:01.009930+01:00,20,2\n")
    assert not told
    np.testing.assert_allclose(found.arrival, [0.0, 1.0], atol=1e-6)


def test_a_long_silence_is_told() -> None:
    rows = "".join(f"{t},10,1\n" for t in [*range(100), *range(2000, 2100)])
    found, told = requests(HEAD + rows)
    assert len(found.arrival) == 200
    (one,) = told
    assert one == "some.csv:102: warning: no request comes for 31.68 min before this one; is a part missing?"


def test_a_gap_of_minutes_is_told_where_requests_are_dense() -> None:
    dense = [k / 2 for k in range(1000)]
    _, told = requests(HEAD + "".join(f"{t},10,1\n" for t in [*dense, *(t + 560 for t in dense)]))
    assert told == ["some.csv:1002: warning: no request comes for 60.5 s before this one; is a part missing?"]
    assert not requests(HEAD + "".join(f"{t},10,1\n" for t in [*dense, *(t + 558 for t in dense)]))[1]
    sparse = [k * 60.0 for k in range(30)]
    assert not requests(HEAD + "".join(f"{t},10,1\n" for t in sparse))[1]


def test_an_empty_line_between_requests_is_told() -> None:
    _, told = requests(f"{HEAD}1,10,1\n\n2,10,1\n\n  \n3,10,1\n\n")
    assert told == ["some.csv:3: warning: this line is empty, and so are 2 more below; is a request missing?"]
    _, told = requests(f"{HEAD}1,10,1\n\n2,10,1\n")
    assert told == ["some.csv:3: warning: this line is empty; is a request missing?"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('"1,10,20', "0 values were found; 3 are wanted, as in the header"),
        ("1,\u00b2,20", '"\u00b2" tokens of the prompt were found; a whole number from 0 to 999999999 is wanted'),
        ("1e14,10,20", "the trace is 1.157e+09 day long; times in seconds, ten years at most, are wanted"),
    ],
)
def test_what_is_no_request_is_told(row: str, told: str) -> None:
    found, faults = requests(f"{HEAD}0,1,2\n{row}\n")
    assert found is None
    assert faults == [f"some.csv:3: {told}"]


def test_a_service_that_nobody_asks_for_anything_is_doubted(save: Save) -> None:
    text = POD + REST % ("10 min", "1 s")
    (doubt,) = check(save(text, "silent.yaml"))
    assert doubt.warning
    assert doubt.text == (
        'api is asked for nothing in this run; in the workload "demand: {api: {requests: 10 request/s}}" is wanted'
    )
    for asked in ("workload: {demand: {api: {tokens: 10000 token/s}}}", "initial: {api.request_rate: 1 request/s}",
                  "events: [{at: 1 min, set: api.request_rate, to: 1 request/s}]"):  # fmt: skip
        assert check(save(f"{text}{asked}\n", "asked.yaml")) == []


def test_a_demand_in_tokens_is_one_in_requests_of_the_mean_answer(save: Save) -> None:
    for said, rate in (("tokens: 10000 token/s", 40.0), ("tokens: 10000 token/s, answer_length: 500 token", 20.0)):
        text = POD + REST % ("10 min", "1 s") + f"workload: {{demand: {{api: {{{said}}}}}}}\n"
        (asked,) = [each for each in read(save(text)).initial if each.input == "request_rate"]
        assert asked.value == pytest.approx(rate)


@pytest.mark.parametrize("tick", ["1 s", "0.7 s", "30 s"])
def test_every_token_of_a_trace_is_asked_for(save: Save, tick: str) -> None:
    """Rates of ten seconds, or of the least whole number of ticks above: the sum is that of the trace."""
    rng = np.random.default_rng(3)
    rows = [(t, rng.integers(1, 9000), rng.integers(1, 900)) for t in np.sort(rng.uniform(0, 170, 400))]
    rows[0] = (0.0, 5, 5)
    save(HEAD + "".join(f"{t:.3f},{p},{a}\n" for t, p, a in rows), "asked.csv")
    body = POD + REST % ("4 min", tick) + "workload: {demand: {api: {trace: asked.csv, scale: 30}}}\n"
    state = run(read(save(body, "replay.yaml"))).state.rows["service"]
    for name, place in (("offered_prompts", 1), ("offered_answers", 2)):
        assert getattr(state, name)[0, 0] == 30 * sum(int(row[place]) for row in rows), name


def run(scenario: Scenario) -> Simulation:
    simulation = Simulation(scenario, device="cpu")
    simulation.run()
    return simulation


@pytest.mark.skipif(not AZURE.is_file(), reason="wants the Azure trace beside the project")
def test_the_azure_hour_on_the_pod(save: Save) -> None:
    """All tokens of the trace, 150 times over, are served or still wait."""
    save(AZURE.read_text(encoding="utf-8"), "conv.csv")
    body = POD + REST % ("1 h", "10 s") + "workload: {demand: {api: {trace: conv.csv, every: 10 s, scale: 150}}}\n"
    assert not requests(AZURE.read_text(encoding="utf-8"))[1]
    s = run(read(save(body, "azure.yaml"))).state.rows["service"]
    rows = np.loadtxt(AZURE, delimiter=",", skiprows=1, usecols=(1, 2))
    assert s.offered_prompts[0, 0] == 150 * rows[:, 0].sum()
    assert s.offered_answers[0, 0] == 150 * rows[:, 1].sum()
    assert s.served_prompts[0, 0] + s.prompt_queue[0, 0] == s.offered_prompts[0, 0]
    assert s.served_answers[0, 0] + s.answer_queue[0, 0] + s.unanswered[0, 0] == s.offered_answers[0, 0]


def test_an_unknown_service_is_told_with_those_there_are(save: Save) -> None:
    more = "    code: {like: deepseek-r1-gb200, pools: chat}\n"
    found = []
    for asked in ("platinum", "cod"):
        text = POD + more + REST % ("10 min", "1 s") + f"workload: {{demand: {{{asked}: {{tokens: 10 token/s}}}}}}\n"
        found += [fault.text for fault in check(save(text, "unknown.yaml")) if not fault.warning]
    assert found == [
        'there is no service "platinum"; one of api, code is wanted',
        'there is no service "cod"; did you mean "code"?',
    ]


def test_a_day_goes_up_and_down(save: Save) -> None:
    body = POD + REST % ("24 h", "300 s")
    body += "workload: {demand: {api: {diurnal: {mean: 40 request/s, swing: 50 %, peak: 15:00:00, start: 09:00:00}}}}\n"
    scenario = read(save(body, "day.yaml"))
    first = [change for change in scenario.initial if change.input == "request_rate"]
    assert first[0].value == pytest.approx(40.0)
    rates = {change.until: change.value for change in scenario.changes if change.input == "request_rate"}
    assert rates[6 * 3600.0] == pytest.approx(60.0)
    assert rates[18 * 3600.0] == pytest.approx(20.0)


def test_racks_in_no_pool_keep_their_own_work(save: Save) -> None:
    body = POD.replace("rack-01..08", "rack-01..04") + REST % ("10 s", "1 s")
    body += "workload: {utilisation: 50 %, demand: {api: {requests: 1000 request/s}}}\n"
    out = run(read(save(body, "mixed.yaml"))).state.outputs["rack"]
    assert out.power[0, 4:] == pytest.approx(82.5e3, rel=0.08)
    busy = 1000 * (1000 / 26156 + 250 / 13386) / 288
    assert 30e3 < out.power[0, 0] < 30e3 + busy * 105e3, "answers take less power than training"


def told_of(text: str) -> list[str]:
    faults = Faults()
    read_requests(text.encode(), "t.csv", faults)
    return [str(fault) for fault in faults.found.values()]


def test_time_zones_are_all_there_or_none() -> None:
    head = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,10,5\n"
    assert told_of(head + "2023-11-16 18:15:47+02:00,10,5\n")[0] == (
        "t.csv:3: this time has a time zone, unlike that of the first request; all with one or all without is wanted"
    )
    assert told_of(head + "2023-11-16 18:15:47,10,5\n") == []


def test_requests_for_nothing_are_told() -> None:
    found = told_of("TIMESTAMP,ContextTokens,GeneratedTokens\n0,10,5\n1,0,0\n2,0,0\n3,0,1\n")
    assert found == [
        "t.csv:3: warning: 2 requests ask for no token at all, this one first; they make the mean lengths shorter"
    ]


def test_a_folder_is_no_trace(tmp_path: Path) -> None:
    (tmp_path / "day.csv").mkdir()
    documents = Documents()
    assert documents.bytes_of(tmp_path / "day.csv", "day.csv", None, 10) is None
    assert [fault.text for fault in documents.faults.errors] == ["day.csv is a folder; a CSV file is wanted"]
