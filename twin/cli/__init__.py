"""The commands: wiring and words, no physics; heavy rooms are entered inside a verb, so help is quick."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from twin import __version__
from twin.cli import acceptance, audits, comparisons, drills, papers, pictures, sweeps, years
from twin.cli.documents import Verb
from twin.cli.words import EXIT_CODES, Tone, emit

app = typer.Typer(
    name="twin",
    help="Drill the failures of an AI factory: power, cooling and load of a hall, from one scenario file.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        emit(f"twin {__version__}")
        raise typer.Exit


@app.callback()
def _twin(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    pass


VERBS = {
    drills.demo: "Run the flagship drill and see all that comes of one.",
    papers.new: "Begin a plant and a drill of your own.",
    papers.check: "Tell every fault of scenario files.",
    drills.run: "Run a drill and judge it.",
    drills.drills: "List the shipped drills.",
    audits.audit: "Audit a plant: single points of failure, loading, redundancy.",
    sweeps.sweep: "Sweep all failures of a plant, the worst first.",
    comparisons.compare: "Compare two runs, two sweeps or two plants.",
    acceptance.ist: "Write, run and score a plant's integrated systems test.",
    years.year: "Run a plant through a year of weather.",
    pictures.report: "Tell what a trace says.",
    pictures.view: "Draw the hall at one moment of a trace.",
    pictures.diagram: "Draw one-line diagrams of power and cooling.",
    papers.catalog: "Look up kinds of equipment and named machines.",
    papers.schema: "Print the JSON Schema of a scenario file.",
}
for _verb, _short in VERBS.items():
    app.command(short_help=_short, cls=Verb)(_verb)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; `--debug`, anywhere before `--`, shows tracebacks instead of sentences."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    ours = given[: given.index("--")] if "--" in given else given
    Tone.debug = "--debug" in ours
    app(args=[word for word in ours if word != "--debug"] + given[len(ours) :], prog_name="twin")
