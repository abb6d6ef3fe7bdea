"""What a sweep keeps: its table, its journal through kills, its workers through deaths, and its command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import typer.testing

from tests.small_plants import chain
from twin.cli import app
from twin.scenario.sweeping import Sweeping
from twin.studies.sweep import Interrupted, open_sweep, sweep, working
from twin.studies.sweep.found import Sweep
from twin.studies.sweep.journal import COLUMNS, Journal
from twin.studies.sweep.outcome import Outcome
from twin.trace import BadTrace, open_trace
from twin.trace.table import Table, read_table, write_table

WISH = Sweeping(kinds=("pump", "chiller"), at=(2.0,), after=8.0)


@pytest.fixture(scope="module")
def found() -> Sweep:
    return sweep(chain(), WISH)


def told(*words: str) -> typer.testing.Result:
    return typer.testing.CliRunner().invoke(app, ["sweep", *words])


class TestTable:
    def test_what_is_written_comes_back(self, found, tmp_path):
        again = open_sweep(found.write(tmp_path / "t.h5"))
        assert repr(again.outcomes) == repr(found.outcomes)
        assert (again.title, again.criteria, again.words) == (found.title, found.criteria, found.words)

    def test_the_same_sweep_writes_the_same_file(self, found, tmp_path):
        one = found.write(tmp_path / "a.h5").read_bytes()
        assert open_sweep(tmp_path / "a.h5").write(tmp_path / "b.h5").read_bytes() == one

    def test_strangers_open_it(self, found, tmp_path):
        xarray = pytest.importorskip("xarray")
        with xarray.open_dataset(found.write(tmp_path / "t.h5"), engine="netcdf4") as data:
            assert data["case"].values[0] == "nothing fails"
            assert data["margins"].dims == ("row", "criterion")
            assert data["power_lost"].attrs["units"] == "W"
            assert data["to_throttle"].attrs["long_name"].startswith("from the failure")

    def test_the_line_in_the_docs_gives_a_row_a_case(self, found, tmp_path):
        xarray = pytest.importorskip("xarray")
        text = (Path(__file__).parents[2] / "docs" / "sweep.md").read_text(encoding="utf-8")
        assert 'xarray.open_dataset("hall-sweep.h5", engine="netcdf4").drop_dims("criterion").to_dataframe()\n' in text
        file = found.write(tmp_path / "t.h5")
        frame = xarray.open_dataset(file, engine="netcdf4").drop_dims("criterion").to_dataframe()
        assert len(frame) == len(found.outcomes)
        assert {"case", "racks_lost"} <= set(frame.columns)

    def test_pandas_has_a_row_a_case_and_a_column_a_criterion(self, found):
        frame = found.frame()
        assert len(frame) == len(found.outcomes)
        assert {"case", "racks_lost", *found.criteria} <= set(frame.columns)

    def test_csv_and_json_say_the_same(self, found, tmp_path):
        lines = found.write_csv(tmp_path / "t.csv").read_text().splitlines()
        assert len(lines) == len(found.outcomes) + 1
        assert lines[0].endswith(f"margin of {found.criteria[-1]}")
        assert [row["case"] for row in found.to_json()["cases"]] == [each.case for each in found.outcomes]

    def test_what_is_no_table_is_told(self, tmp_path):
        with h5py.File(tmp_path / "other.h5", "w") as file:
            file["x"] = np.zeros(3)
        (tmp_path / "text.h5").write_text("hello")
        for name, said in (("other.h5", "not a table"), ("text.h5", "not an HDF5"), ("none.h5", "no such file")):
            with pytest.raises(BadTrace, match=said):
                read_table(tmp_path / name)

    def test_a_table_of_a_release_with_other_columns_is_told(self, found, tmp_path):
        path = found.write(tmp_path / "t.h5")
        with h5py.File(path, "a") as file:
            del file["harm_chain"], file["throttled_peak"]
        with pytest.raises(BadTrace, match=r"lacks harm_chain, throttled_peak; another release.*run the sweep again"):
            open_sweep(path)

    def test_a_table_that_leads_elsewhere_is_refused(self, found, tmp_path):
        found.write(tmp_path / "t.h5")
        with h5py.File(tmp_path / "t.h5", "a") as file:
            file["more"] = h5py.ExternalLink("/etc/passwd", "x")
        with pytest.raises(BadTrace, match="more is not what a table holds"):
            read_table(tmp_path / "t.h5")

    def test_a_write_that_fails_leaves_what_was_there(self, found, tmp_path):
        path = found.write(tmp_path / "t.h5")
        before = path.read_bytes()
        with pytest.raises(TypeError):
            write_table(path, Table({"x": np.array([object()])}), "row")
        assert path.read_bytes() == before


class TestJournal:
    def test_finished_cases_survive_and_a_torn_line_is_cut_off(self, found, tmp_path):
        path = tmp_path / "s.part"
        journal = Journal(path, "a", None)
        journal.add(enumerate(found.outcomes[:2]))
        journal.add([(2, found.outcomes[2])])
        journal.close(whole=False)
        whole = path.read_bytes()
        for cut in (1, 40, len(whole.splitlines()[-1])):
            path.write_bytes(whole[:-cut])
            again = Journal(path, "a", True)
            assert list(again.done) == [0, 1]
            again.add([(2, found.outcomes[2])])
            again.close(whole=False)
            assert path.read_bytes() == whole
        assert repr(Journal(path, "a", True).done[2]) == repr(found.outcomes[2])

    def test_it_asks_before_it_goes_on_or_throws_away(self, found, tmp_path):
        path = tmp_path / "s.part"
        journal = Journal(path, "a", None)
        journal.add([(0, found.outcomes[0])])
        journal.close(whole=False)
        with pytest.raises(Interrupted, match=r"holds 1 case of this sweep.*--resume goes on.*--afresh"):
            Journal(path, "a", None)
        with pytest.raises(Interrupted, match="another sweep"):
            Journal(path, "b", True)
        assert Journal(path, "b", False).done == {}

    def test_what_another_release_began_is_told_and_not_read_on_with(self, found, tmp_path):
        path = tmp_path / "s.part"

        def begun(**head):
            text = json.dumps({"sweep": "a"} | head).encode()
            path.write_bytes(b"%08x %s\n" % (zlib.crc32(text), text))

        begun(columns=[name for name in COLUMNS if name != "harm_chain"])
        with pytest.raises(Interrupted, match=r"another release, whose rows lack harm_chain; --afresh throws it away"):
            Journal(path, "a", True)
        begun()
        with pytest.raises(Interrupted, match="another release, whose rows are others; --afresh"):
            Journal(path, "a", None)
        assert Journal(path, "a", False).done == {}

    def test_it_goes_when_the_sweep_is_whole(self, tmp_path):
        sweep(chain(), WISH, output=tmp_path / "s.h5")
        assert [each.name for each in tmp_path.iterdir()] == ["s.h5"]

    def test_a_sweep_takes_what_a_broken_off_one_has_done(self, found, tmp_path):
        class Stop(Exception):
            pass

        def stop(done, total):
            if done > 0.4 * total:
                raise Stop

        with pytest.raises(Stop):
            sweep(chain(), WISH, output=tmp_path / "s.h5", chunk=1, progress=stop)
        parts = (tmp_path / "s.h5.part").read_bytes().count(b"\n") - 1
        assert 1 <= parts < len(found.outcomes)
        again = sweep(chain(), WISH, output=tmp_path / "s.h5", resume=True)
        assert repr(again.outcomes) == repr(found.outcomes)
        assert again.simulated_seconds == (len(found.outcomes) - parts) * 10.0


def dies(base, device, count):
    """A worker that a signal ends at the second of its cases."""
    working._begin(base, device, count)
    run = working._world.run

    def deadly(cases, more):
        if any(case.name == "pump" for case in cases):
            os.kill(os.getpid(), signal.SIGKILL)
        return run(cases, more)

    working._world.run = deadly


class TestWorkers:
    def test_processes_change_no_bit(self, found):
        again = sweep(chain(), WISH, jobs=2)
        assert repr(again.outcomes) == repr(found.outcomes)

    @pytest.mark.slow
    def test_one_that_dies_costs_one_case(self, found, monkeypatch):
        """`pytest -n0 -m slow tests/studies/test_sweep_kept.py`; it makes eight processes."""
        monkeypatch.setattr(working, "_begin", dies)
        rows = {row.case: row for row in sweep(chain(), WISH, jobs=2, chunk=3).outcomes}
        assert "died" in rows.pop("pump").fault
        clean = {row.case: row for row in found.outcomes}
        assert {name: row.fingerprint for name, row in rows.items()} == {name: clean[name].fingerprint for name in rows}


PLANT = ["pod", "--kinds", "pump,chiller", "--fault-at", "2 s", "--after", "60 s"]


def killed(folder, kills, *more):
    """The bytes of a table that was killed so many times on its way."""
    words = [sys.executable, "-m", "twin", "sweep", *PLANT, "--chunk", "1", "--quiet", "-o", "s.h5", "--resume", *more]
    part, size = folder / "s.h5.part", 0
    for _ in range(kills):
        run = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while run.poll() is None and time.monotonic() < end:
            if part.exists() and part.stat().st_size > size + 700:
                break
            time.sleep(0.005)
        run.send_signal(signal.SIGKILL)
        run.wait()
        size = part.stat().st_size if part.exists() else size
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not part.exists()
    return (folder / "s.h5").read_bytes()


def whole(folder):
    folder.mkdir()
    assert told(*PLANT, "--quiet", "--jobs", "1", "-o", str(folder / "s.h5")).exit_code == 0
    return (folder / "s.h5").read_bytes()


def test_a_killed_sweep_resumes_to_the_same_table(tmp_path):
    assert killed(tmp_path, 2, "--jobs", "1") == whole(tmp_path / "whole")


@pytest.mark.slow
def test_a_sweep_killed_twenty_times_resumes_to_the_same_table(tmp_path):
    """`pytest -n0 -m slow tests/studies/test_sweep_kept.py`: two minutes."""
    assert killed(tmp_path, 20, "--jobs", "2") == whole(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_sweep_that_is_told_to_end_leaves_nothing_but_what_it_has_done(tmp_path, sign):
    """`pytest -n0 -m slow tests/studies/test_sweep_kept.py`: workers and their locks go, and it can be resumed."""
    words = [sys.executable, "-m", "twin", "sweep", *PLANT, "--chunk", "1", "--quiet", "-o", "s.h5", "--jobs", "2"]
    part = tmp_path / "s.h5.part"
    run = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while run.poll() is None and time.monotonic() < end and not (part.exists() and part.stat().st_size > 1000):
        time.sleep(0.01)
    run.send_signal(sign)
    said = run.communicate(timeout=60)[1]
    assert run.returncode == 130
    assert said == "twin: interrupted; s.h5.part holds what was finished, --resume goes on with it\n"
    assert len(Journal(part, json.loads(part.read_text().split(" ", 1)[1].split("\n")[0])["sweep"], True).done) >= 1


SMALL = """\
title: two loads on one board
units:
  utility: {kind: utility, rated_power: 1 MW}
  board: {kind: bus, feeds: utility}
  load-1..2: {kind: load, feeds: board, rated_power: 100 kW}
"""


class TestCommand:
    def test_json_is_one_document(self, tmp_path):
        words = ["pod", "--units", "pump-1", "--modes", "in_service", "--after", "5 s", "--keep", "1", "--jobs", "1"]
        done = told(*words, "--json", "-o", str(tmp_path / "s.h5"))
        assert done.exit_code == 0, done.output
        said = json.loads(done.stdout)
        assert said["cases"][0]["case"] == "nothing fails"
        assert said["traces"] == [{"case": "pump-1", "trace": str(tmp_path / "s-worst" / "pump-1.h5"), "fault": ""}]
        assert open_trace(said["traces"][0]["trace"]).time[-1] == 65.0

    def test_the_audit_stands_in_json_and_on_the_page(self, tmp_path):
        plant = tmp_path / "two.yaml"
        plant.write_text(SMALL)
        words = ["--modes", "in_service", "--fault-at", "2 s", "--after", "20 s", "--jobs", "1", "--audit", "--json"]
        done = told(str(plant), *words, "--page", str(tmp_path / "s.html"), "-o", str(tmp_path / "s.h5"))
        assert done.exit_code == 0, done.output
        audit = json.loads(done.stdout)["audit"]
        assert [(each["name"], each["by_audit"]) for each in audit["apart"]] == [("utility", True), ("board", True)]
        why = "the plant has no racks; the audit counts its loads, and the sweep counts racks alone"
        assert {each["why"] for each in audit["apart"]} == {why}
        assert audit["agree"] is False
        assert why in (tmp_path / "s.html").read_text()

    def test_strict_fails_where_a_criterion_does(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        words = ["pod", "--units", "board-1", "--modes", "in_service", "--after", "95 s", "--jobs", "1", "--quiet"]
        done = told(*words, "--strict")
        assert done.exit_code == 1
        assert "board-1" in done.stdout
        assert "A criterion fails in 1" in done.stdout.replace("a criterion", "A criterion")
        assert (tmp_path / "pod-sweep.h5").is_file()

    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            (("pod", "--fault-at", "soon"), 2, "--fault-at"),
            (("pod", "--loads", "200 %"), 2, "--loads: "),
            (("pod", "--weather", "40 kW"), 2, "--weather"),
            (("pod", "--memory", "4"), 2, "--memory"),
            (("pod", "--kinds", ""), 2, '--kinds: nothing was found; a kind, e.g. "ups,cdu", is wanted'),
            (("pod", "--units", " , "), 2, "--units: nothing was found"),
            (("pod", "--weather", ""), 2, "--weather: nothing was found"),
            (
                ("pod", "--n", "3"),
                2,
                "--n: 3 was found; 1 or 2 failures at once are wanted, or 0 for none; cut",
            ),
            (("pod", "--n", "1.5"), 2, "--n: 1.5 was found"),
            (("pod", "--n", ""), 2, "--n: nothing was found"),
            (("pod", "--kinds", "pumps"), 65, 'did you mean "pump"?'),
            (("pdo",), 65, "is neither a file nor a shipped plant"),
        ],
    )
    def test_bad_wishes_are_sentences(self, words, code, said, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        done = told(*words, "--quiet")
        assert done.exit_code == code, done.output
        assert said in done.stderr
        assert list(tmp_path.iterdir()) == []


def test_a_row_goes_through_json_unchanged():
    row = Outcome(
        "x", "a + b", "bus + ups", "in_service + overloaded", 1.0, margins=(0.1, float("nan")), passed=(1, -1)
    )
    assert repr(Outcome.from_json(json.loads(json.dumps(row.to_json())))) == repr(row)
