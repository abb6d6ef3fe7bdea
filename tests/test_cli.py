"""The commands as people call them: exit codes, stdout and stderr, help, --json, interruptions."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import pytest

from twin import scenario as scenarios
from twin.assets import drills_folder
from twin.cli import main, words
from twin.cli.documents import spelled
from twin.cli.words import CODES

VERBS = [
    "check",
    "run",
    "drills",
    "audit",
    "year",
    "report",
    "view",
    "diagram",
    "ist",
    "demo",
    "new",
    "catalog",
    "schema",
]
DRILL = """\
title: A short drill of one pod
plant: pod
run: {duration: DURATION, tick: 500 ms}
weather: {dry_bulb: 30 degC, relative_humidity: 30 %}
workload: {utilisation: 85 %}
events:
  - {at: 10 s, fail: utility}
criteria:
  - max(rack.die_temperature) < LIMIT
"""


Done = subprocess.CompletedProcess[str]


def process(*line: str | Path, cwd: Path) -> Done:
    """A command in a process of its own, as people call it."""
    command = [sys.executable, "-m", "twin", *map(str, line)]
    surroundings = {**os.environ, "COLUMNS": "120"}
    return subprocess.run(command, cwd=cwd, env=surroundings, capture_output=True, text=True, check=False, timeout=120)


def twin(*line: str | Path, cwd: Path) -> Done:
    """The same within this process: to start another costs a second and more. Where nothing can be written it ends."""
    out, err = io.StringIO(), io.StringIO()
    given = [str(word) for word in line]
    with pytest.MonkeyPatch.context() as surroundings:
        surroundings.chdir(cwd)
        surroundings.setenv("COLUMNS", "120")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main(given)
    code = ended.value.code
    assert code is None or isinstance(code, int)
    return subprocess.CompletedProcess(given, code or 0, out.getvalue(), err.getvalue())


def scenario(folder: Path, duration: str = "30 s", limit: str = "120 degC", name: str = "short") -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(DRILL.replace("DURATION", duration).replace("LIMIT", limit), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A folder with a finished drill in it, and what the command said."""
    folder = tmp_path_factory.mktemp("drill")
    return folder, process("run", scenario(folder), "--json", cwd=folder)


def test_version_is_data(tmp_path: Path) -> None:
    done = process("--version", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"twin \d+\.\d+\.\d+\n", done.stdout)


def test_a_drill_that_is_not_there_is_looked_for_among_the_shipped(tmp_path: Path) -> None:
    (tmp_path / "pdu-fault.h5").touch()
    done = twin("run", "pdu-falt", cwd=tmp_path)
    assert done.returncode == 65
    assert done.stderr == 'pdu-falt is neither a file here nor a shipped drill; did you mean "pdu-fault"?\n'
    first = min(path.stem for path in drills_folder().glob("*.yaml"))
    assert f"; one of {first}, " in twin("run", "zzzz", cwd=tmp_path).stderr
    assert twin("run", "pod", cwd=tmp_path).stderr.startswith("pod is a plant, and does nothing by itself; a drill is")


def test_help_names_every_verb_and_every_exit_code(tmp_path: Path) -> None:
    done = twin("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert all(re.search(rf"^  {verb} ", done.stdout, re.MULTILINE) for verb in VERBS)
    said = " ".join(done.stdout.split())
    assert all(f"{code} " in said for code in (0, 1, 2, 65, 69, 70, 74, 130))
    assert "--debug" not in said


def _children() -> float:
    """Processor time of all finished child processes [s]; a busy machine does not lengthen it much."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_is_quick_and_shows_two_examples(verb: str, tmp_path: Path) -> None:
    spans = [0.5]
    while min(spans) >= 0.5 and len(spans) < 6:  # a busy machine may need a second look
        start = _children()
        done = process(verb, "--help", cwd=tmp_path)
        spans.append(_children() - start)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(re.findall(rf"^    twin {verb}\b", done.stdout, re.MULTILINE)) == 2
    assert min(spans) < 0.5


def test_help_enters_no_heavy_room(tmp_path: Path) -> None:
    heavy = ("numpy", "h5py", "pint", "pyvista", "networkx")
    code = f"import sys, twin.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "line",
    [
        ["nonsense"],
        ["run"],
        ["run", "x.yaml", "--device", "tpu"],
        ["run", "x.yaml", "--members", "0"],
        ["view", "x.h5"],
    ],
    ids=" ".join,
)
def test_bad_usage_ends_with_2(line: list[str], tmp_path: Path) -> None:
    done = twin(*line, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr


@pytest.mark.parametrize("line", [["new", "My Site"], ["new", "x", "--from", "nowhere"], ["catalog", "toaster"]])
def test_usage_that_a_verb_refuses_ends_with_2_and_says_what_is_wanted(line: list[str], tmp_path: Path) -> None:
    done = twin(*line, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_run_prints_json_alone(ran: tuple[Path, Done]) -> None:
    folder, done = ran
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    said = json.loads(done.stdout)
    wanted = "trace simulated_seconds wall_seconds ticks members unit_count energy_residual verdict"
    assert set(wanted.split()) <= set(said)
    assert (said["simulated_seconds"], said["ticks"], said["members"]) == (30.0, 60, 1)
    assert (said["trace"], said["verdict"]) == ("short.h5", "good")
    assert 0 <= said["energy_residual"] <= 1e-9
    assert said["unit_count"] > 8
    assert (folder / "short.h5").is_file()
    told = json.loads(twin("report", "short.h5", "--json", cwd=folder).stdout)
    assert said["metrics"] == told["metrics"]
    assert said["metrics"]["extremes"]
    assert {"criteria", "expected", "seconds_left", "alarms", "timeline", "reliability"} <= set(said)
    assert said["timeline"] == told["timeline"]
    lost = next(place for place, each in enumerate(said["timeline"]) if each["what"].startswith("is lost"))
    follows = next(each for each in said["timeline"] if each["cause"] == lost)
    assert set(follows) == {"time", "member", "unit", "what", "why", "cause", "since_fault", "led_by"}
    led = said["timeline"][lost]
    assert follows["led_by"] == f"{led['unit']} {led['what']}"
    assert follows["since_fault"] == follows["time"] - 10.0


def test_run_tells_the_verdict_on_stdout_and_progress_on_stderr(tmp_path: Path) -> None:
    done = twin("run", scenario(tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "GOOD" in done.stdout
    assert "max(rack.die_temperature)" in done.stdout
    first, *_, last = done.stderr.splitlines()
    assert "30 s to simulate" in first
    assert last == "trace: short.h5"


def test_quiet_is_quiet(tmp_path: Path) -> None:
    done = twin("run", scenario(tmp_path), "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_failed_criteria_end_with_1(tmp_path: Path) -> None:
    done = twin("run", scenario(tmp_path, limit="30 degC"), "--quiet", "-o", "out.h5", cwd=tmp_path)
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert (tmp_path / "out.h5").is_file()


def test_a_shipped_drill_runs_by_its_name_and_a_plant_without_racks_has_no_lines_for_racks(tmp_path: Path) -> None:
    done = twin("run", "main-tie-main", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "main-tie-main.h5").is_file()
    assert "first UPS on battery" in done.stdout
    assert "rack" not in done.stdout.partition("What happened")[0]
    assert "IT power" not in done.stdout
    assert twin("report", "main-tie-main.h5", "-o", "page.html", "--no-stills", cwd=tmp_path).returncode == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "IT power" not in page
    assert "first rack" not in page


def test_members_and_seed_reach_the_run(tmp_path: Path) -> None:
    line = ["--members", "3", "--seed", "7", "--json"]
    said = json.loads(twin("run", scenario(tmp_path), *line, cwd=tmp_path).stdout)
    assert said["members"] == 3
    with h5py.File(tmp_path / "short.h5") as file:
        assert file["rack/die_temperature"].shape[1] == 3
        assert file["provenance"].attrs["seed"] == 7


def test_bad_input_ends_with_65_and_tells_every_fault(tmp_path: Path) -> None:
    bad = scenario(tmp_path, duration="30 kW", limit="3 m")
    for verb in ("check", "run"):
        done = twin(verb, bad, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (65, "")
        assert "Traceback" not in done.stderr
        assert "short.yaml:3: run.duration" in done.stderr
        assert "short.yaml:9: criteria" in done.stderr


def test_code_in_a_criterion_is_a_fault_with_its_column(tmp_path: Path) -> None:
    path = scenario(tmp_path)
    path.write_text(path.read_text().partition("criteria:")[0] + "criteria: [\"__import__('os').system('true')\"]\n")
    done = twin("run", path, cwd=tmp_path)
    assert done.returncode == 65
    assert 'column 1: "__import__" begins no criterion' in done.stderr


def test_check_goes_on_after_a_bad_file(tmp_path: Path) -> None:
    good, bad = scenario(tmp_path), scenario(tmp_path, duration="x", name="bad")
    done = twin("check", bad, good, tmp_path / "none.yaml", cwd=tmp_path)
    assert done.returncode == 65
    assert done.stdout.startswith(f"{good}: good")
    assert "none.yaml is not there" in done.stderr


@pytest.mark.parametrize("name", ["x.h5", "none.h5", "."])
def test_a_file_that_is_no_trace_ends_with_65(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.h5").write_bytes(b"no trace at all")
    for line in (["report", name], ["view", name, "--at", "1 s", "--look", "plan"]):
        done = twin(*line, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (65, ""), done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_gpu_that_is_not_there_ends_with_69(tmp_path: Path) -> None:
    from twin.arrays import DeviceUnavailable, open_device

    try:
        open_device("gpu")
    except DeviceUnavailable:
        done = twin("run", scenario(tmp_path), "--device", "gpu", cwd=tmp_path)
        assert done.returncode == 69
        assert "no GPU can be used" in done.stderr


def test_where_nothing_can_be_written_it_ends_with_74(tmp_path: Path) -> None:
    file = scenario(tmp_path)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    for target in ("none/out.h5", ".", "notes.txt"):
        done = process("run", file, "-o", target, cwd=tmp_path)
        assert done.returncode == 74, (target, done.stderr)
        assert "Traceback" not in done.stderr
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_disk_that_fills_up_ends_with_74_and_keeps_what_was_written(tmp_path: Path) -> None:
    file = scenario(tmp_path, duration="20 min")
    line = ["bash", "-c", f"ulimit -f 2000; exec {sys.executable} -m twin run {file}"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (74, "")
    assert "cannot write short.h5" in done.stderr.splitlines()[-1]
    assert twin("report", "short.h5", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(("name", "code"), CODES.items())
def test_each_error_of_the_project_has_its_exit_code(name: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    from twin import arrays, ledger, scenario, trace, units, view

    rooms = [arrays, ledger, scenario, trace, units, view, words]
    made = next(getattr(room, name) for room in rooms if hasattr(room, name))
    assert words.told(made(["one fault"] if name == "BadInput" else "one fault")) == code
    assert capsys.readouterr().err.strip().endswith("one fault")


def test_an_error_nobody_foresaw_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert words.told(ZeroDivisionError("float division by zero")) == 70
    assert "--debug" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_stdout_ends_with_74(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "twin", "schema"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, text=True, check=False)
    assert done.returncode == 74
    assert done.stderr.count("\n") == 1


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m twin schema | head -c 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def wait_until_it_grows(file: Path, patience: float = 120.0) -> None:
    """Return once a file is there and has grown since it was first seen: its writer is at work."""
    first, until = None, time.monotonic() + patience
    while time.monotonic() < until:
        size = file.stat().st_size if file.exists() else None
        if first is not None and size is not None and size > first:
            return
        first = size if first is None else first
        time.sleep(0.1)
    raise AssertionError(f"{file.name} did not grow within {patience:g} s")


def test_an_interrupt_ends_with_130_and_keeps_the_trace(tmp_path: Path) -> None:
    file = scenario(tmp_path, duration="10 h")
    listening = "import signal, twin.cli as t; signal.signal(signal.SIGINT, signal.default_int_handler); t.main()"
    command = [sys.executable, "-c", listening, "run", str(file)]  # tests in the background are deaf to it
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "to simulate" in process.stderr.readline()
        wait_until_it_grows(tmp_path / "short.h5")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert "short.h5 holds what was recorded" in err
    assert "Traceback" not in err
    from twin.trace import open_trace

    assert len(open_trace(tmp_path / "short.h5").time) > 0


def test_json_alone_prints_and_with_a_file_writes_for_every_command(ran: tuple[Path, Done]) -> None:
    """One convention: alone it is all of stdout, with OUT.json the tables stay; a folder that is not there at once."""
    folder, _ = ran
    both = twin("report", "short.h5", "--json", "told.json", cwd=folder)
    alone = twin("report", "--json", "short.h5", cwd=folder)
    assert (both.returncode, alone.returncode, both.stderr) == (0, 0, "json: told.json\n")
    assert "Verdict" in both.stdout
    assert json.loads((folder / "told.json").read_text()) == json.loads(alone.stdout)
    for verb in ("run", "report", "audit", "sweep", "compare", "ist", "year"):
        assert "--json [OUT.json]" in twin(verb, "--help", cwd=folder).stdout, verb
    nowhere = process("report", "short.h5", "--json", "nowhere/told.json", cwd=folder)
    assert (nowhere.returncode, nowhere.stdout) == (74, "")
    assert nowhere.stderr == "twin: nowhere/told.json: cannot write: No such file or directory\n"


def test_what_stands_behind_json() -> None:
    assert spelled(["a.yaml", "--json"]) == ["a.yaml", "--json", "-"]
    assert spelled(["--json", "a.yaml"]) == ["--json", "-", "a.yaml"]
    assert spelled(["--json", "OUT.JSON", "a.yaml"]) == ["--json", "OUT.JSON", "a.yaml"]
    assert spelled(["--json", "--quiet", "--json=x.json"]) == ["--json", "-", "--quiet", "--json=x.json"]
    assert spelled(["--", "--json"]) == ["--", "--json"]
    assert spelled(["hall", "--json", "found.txt"], any_file=True) == ["hall", "--json", "found.txt"]
    assert spelled(["hall", "--json"], any_file=True) == ["hall", "--json", "-"]


def test_help_says_what_holds_without_an_option(tmp_path: Path) -> None:
    told = twin("sweep", "--help", cwd=tmp_path).stdout
    assert "[default: (" not in told
    assert "Failures at once, 1 if absent" in told
    assert "at 60 s, if absent" in told


def test_report_says_the_same_in_words_json_and_html(
    ran: tuple[Path, Done],
) -> None:
    folder, _ = ran
    told = twin("report", "short.h5", cwd=folder)
    assert (told.returncode, told.stderr) == (0, "")
    assert "GOOD" in told.stdout
    both = twin("report", "short.h5", "-o", "short.html", "--no-stills", "--json", cwd=folder)
    assert both.returncode == 0
    said = json.loads(both.stdout)
    assert said["verdict"] == "good"
    assert said["timeline"]
    page = (folder / "short.html").read_text(encoding="utf-8")
    assert "A short drill of one pod" in page
    assert not re.search(r"""(src|href)=["']https?:""", page)


def test_view_draws_a_moment(ran: tuple[Path, Done]) -> None:
    folder, _ = ran
    done = twin("view", "short.h5", "--at", "20 s", "-o", "pod.png", "--colour", "rack.power", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "pod.png").read_bytes().startswith(b"\x89PNG")


def test_view_refuses_what_is_not_in_the_trace(ran: tuple[Path, Done]) -> None:
    folder, _ = ran
    for line in (["--at", "1 h"], ["--at", "soon"], ["--at", "20 s", "--colour", "rack.die_temprature"]):
        done = twin("view", "short.h5", *line, cwd=folder)
        assert done.returncode == 2, done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("source", ["pod", "hall", "campus", "starter"])
def test_new_makes_a_drill_that_is_good(source: str, tmp_path: Path) -> None:
    done = twin("new", "my-site", "--from", source, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = [Path(line) for line in done.stdout.splitlines()]
    assert made[-1] == Path("my-site/my-site.yaml")
    assert all((tmp_path / path).is_file() for path in made)
    assert twin("check", "my-site/my-site.yaml", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("source", ["pod", "hall", "starter", "switchgear"])
def test_a_new_drill_lasts_until_all_are_back_on_the_utility(source: str, tmp_path: Path) -> None:
    """Of any shape: longer than switches wait on a good feed and generators then run on."""
    assert twin("new", "own", "--from", source, cwd=tmp_path).returncode == 0
    drill = scenarios.read(tmp_path / "own" / "own.yaml")
    machines = [unit.machine() for unit in drill.plant.units.values()]
    waits, cools = (max(getattr(m, key, 0.0) for m in machines) for key in ("retransfer_delay", "cooldown"))
    back = max(change.time for change in drill.changes if change.verb == "restore")
    boots = max(getattr(m, "restart_time", 0.0) for m in machines)
    assert drill.run.duration >= back + max(waits + cools, boots) + 60.0
    assert drill.criteria


def test_new_writes_over_nothing(tmp_path: Path) -> None:
    (tmp_path / "my-site").mkdir()
    again = process("new", "my-site", "--from", "starter", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (74, "")


def test_catalog_tells_all_kinds_one_kind_and_one_machine(tmp_path: Path) -> None:
    from twin.equipment import KINDS

    every = twin("catalog", cwd=tmp_path)
    assert every.returncode == 0
    assert all(re.search(rf"^ *{kind} ", every.stdout, re.MULTILINE) for kind in KINDS)
    rack = twin("catalog", "rack", cwd=tmp_path).stdout
    assert "die_temperature" in rack
    assert "gb300-nvl72" in rack
    record = twin("catalog", "gb300-nvl72", cwd=tmp_path).stdout
    assert "NVIDIA GB300 NVL72" in record
    assert "source" in record


def test_schema_is_a_json_schema_that_the_drill_fits(tmp_path: Path) -> None:
    import jsonschema
    from ruamel.yaml import YAML

    schema = json.loads(twin("schema", cwd=tmp_path).stdout)
    checker = jsonschema.validators.validator_for(schema)
    checker.check_schema(schema)
    document = YAML(typ="safe").load(scenario(tmp_path).read_text(encoding="utf-8"))
    assert list(checker(schema).iter_errors(document)) == []
    document["surprise"] = 1
    assert list(checker(schema).iter_errors(document))


@pytest.mark.slow
def test_demo_makes_trace_picture_and_page(tmp_path: Path) -> None:
    done = process("demo", "-o", "demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Verdict" in done.stdout
    for ending in ("h5", "png", "html"):
        (made,) = (tmp_path / "demo").glob(f"*.{ending}")
        assert str(made.relative_to(tmp_path)) in done.stderr


def test_python_m_twin_and_debug(tmp_path: Path) -> None:
    (tmp_path / "x.h5").write_bytes(b"")
    done = process("report", "x.h5", "--debug", cwd=tmp_path)
    assert "Traceback" in done.stderr


def test_an_audit_tells_single_points_and_exits_with_one_where_it_is_strict(tmp_path: Path) -> None:
    done = twin("audit", "pod", "--strict", "--hold", "5 min", "-o", "bars.png", "--json", "found.json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "3 single points of failure, 1 more while the grid is away: ats-1, board-1, incomer-1" in done.stdout
    assert "no breaker stands" not in done.stdout
    assert (tmp_path / "bars.png").stat().st_size > 10_000
    assert json.loads((tmp_path / "found.json").read_text())["single_points"] == ["ats-1", "incomer-1", "board-1"]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (["hal"], 65, "is neither a file nor a shipped plant; a plant or scenario file"),
        (["pod", "--dry-bulb", "44 kW"], 2, "--dry-bulb: "),
        (["pod", "--utilisation", "120 %"], 2, "a share between 0 and 100 % is wanted"),
    ],
)
def test_an_audit_that_cannot_be_says_why(line: list[str], code: int, said: str, tmp_path: Path) -> None:
    done = twin("audit", *line, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
