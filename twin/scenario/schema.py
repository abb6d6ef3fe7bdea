"""The JSON Schema of scenario and plant documents, for editors; from the declarations the reader reads by."""

from __future__ import annotations

from typing import Any

from twin import assets, units
from twin.declare import Quantity, quantities
from twin.equipment import KINDS
from twin.scenario import fabric_form, forms, operations, points, sequence, sweeping
from twin.scenario.belongs import SCENARIO_KEYS
from twin.scenario.catalog import records
from twin.scenario.draws import DISTRIBUTIONS
from twin.scenario.failures import CommonForm, FailureForm
from twin.scenario.form import Form, keys_of
from twin.scenario.forms import Whole, Word, Words
from twin.scenario.plants import KNOWN_KINDS, SERVING_KEYS, settable
from twin.scenario.procedures import SECTIONS
from twin.scenario.redundancy import NAMED
from twin.scenario.scheduling import NOT_SHARED, WAYS, JobForm, SchedulerForm, WindowForm
from twin.scenario.sentence import BEGINNINGS, FUNCTIONS
from twin.scenario.values import is_difference

Schema = dict[str, Any]
NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
TEXT: Schema = {"type": "string"}
WORKERS = {"pool": ("racks", "storage"), "job": ("racks", "storage"), "service": SERVING_KEYS}
"""What units of work say beside their ratings."""
NAME_LIST: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}


def schema() -> Schema:
    """The whole schema: a scenario, or a plant."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario or a plant of an AI factory",
        "anyOf": [{"$ref": "#/$defs/scenario"}, {"$ref": "#/$defs/plant"}, {"$ref": "#/$defs/variant"}],
        "$defs": _forms() | _kinds() | _plants() | {"scenario": _scenario()},
    }


def value(said: Quantity) -> Schema:
    """What may be written for a quantity."""
    if said.choices is not None:
        numbers = [int(word) for word in said.choices if word.isdecimal()]
        return {"enum": [*said.choices, *numbers], "description": said.doc}
    example = units.example(said.unit, "", is_difference(said))
    doc = f'{said.doc}; {units.measures(said.unit)}, e.g. "{example}"'
    text: Schema = {"type": "string", "pattern": f"^{NUMBER}\\s*[^\\s].*$", "description": doc}
    if said.unit != "1":
        return text
    return {
        "anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^{NUMBER}(\\s*[^\\s].*)?$"}],
        "description": doc,
    }


def _one_or_each(one: Schema) -> Schema:
    """A value for all units of a range, or a list with one for each."""
    return {"anyOf": [one, {"type": "array", "items": one}], "description": one["description"]}


def of_form(form: type[Form]) -> Schema:
    """The schema of one form."""
    properties = {}
    for key, (mark, _required, _absent) in forms.reading(form).items():
        doc = form.model_fields[keys_of(form)[key]].description
        properties[key] = _of_mark(mark) | ({"description": doc} if doc else {})
    required = [key for key, (_mark, must, _absent) in forms.reading(form).items() if must]
    doc = " ".join((form.__doc__ or "").split())
    return _object(properties, required) | {"description": doc}


def _of_mark(mark: Any) -> Schema:
    if isinstance(mark, Quantity):
        return value(mark)
    if isinstance(mark, Whole):
        return {"type": "integer", "minimum": mark.least, "maximum": mark.most}
    if isinstance(mark, Words):
        return {"type": "string", "maxLength": mark.longest}
    if isinstance(mark, Word):
        return {"enum": list(mark.words)} if mark.words else TEXT
    if isinstance(mark, list):
        return {"type": "array", "items": {"$ref": f"#/$defs/{mark[0].__name__.lower()}"}}
    return {}


def _object(properties: Schema, required: list[str]) -> Schema:
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return made | ({"required": required} if required else {})


def _forms() -> Schema:
    made: tuple[type[Form], ...] = (
        forms.Zoom,
        forms.Run,
        forms.Weather,
        forms.Workload,
        forms.Request,
        forms.Grid,
        forms.Controller,
    )
    made += (
        forms.Event,
        forms.Loop,
        forms.Signal,
        fabric_form.Fabric,
        fabric_form.FabricLink,
        forms.Place,
        forms.Layout,
    )
    made += (operations.AlarmForm, operations.CrewForm, operations.ProcedureForm, operations.StepForm)
    made += (operations.RepairForm, sequence.ExpectedForm, sweeping.SweepForm)
    found = {form.__name__.lower().removesuffix("form"): of_form(form) for form in made}
    found["procedure"]["properties"]["steps"] |= {"type": "array", "items": {"$ref": "#/$defs/step"}}
    found["step"]["oneOf"] = [{"required": [verb]} for verb in operations.StepForm.VERBS]
    for key in ("racks", "leaves", "spines", "cores"):
        found["fabric"]["properties"][key] |= NAME_LIST
    for key in ("from", "to"):
        found["fabriclink"]["properties"][key] |= NAME_LIST
    found["workload"]["properties"]["jobs"] |= _jobs()
    found["fabric"]["properties"]["links"] |= {"type": "array", "items": {"$ref": "#/$defs/fabriclink"}}
    for key in sweeping.LISTS:
        found["sweep"]["properties"][key] |= {
            "type": ["string", "number", "array"],
            "items": {"type": ["string", "number"]},
        }
    found["event"]["oneOf"] = [{"required": [verb]} for verb in forms.Event.VERBS]
    row = {"type": "array", "minItems": 3, "maxItems": 3}
    found["grid"]["properties"]["sags"] |= {"type": "array", "items": row}
    found["weather"]["properties"]["design_day"] = {"enum": _design_days()}
    found["place"]["properties"]["at"] = found["layout"]["properties"]["at"] = _at()
    found["place"]["properties"]["replace"] = {"type": "object", "additionalProperties": TEXT}
    return found


def _design_days() -> list[str]:
    return sorted(path.stem for path in (assets.assets_folder() / "weather").glob("*.yaml"))


def _at() -> Schema:
    length = {"type": "string", "pattern": f"^{NUMBER}\\s*[a-z]+$"}
    place = {"type": "array", "items": length, "minItems": 3, "maxItems": 3}
    return {
        "anyOf": [place, {"$ref": "#/$defs/layout"}],
        "description": "where it stands: three lengths, or a layout",
    }


def _kinds() -> Schema:
    """What a unit of each kind may say; with `like`, the record brings its ratings."""
    common: Schema = {"feeds": NAME_LIST, "joins": NAME_LIST, "zone": TEXT, "at": _at()}
    found: Schema = {}
    rules = []
    for kind in KNOWN_KINDS:
        said = quantities(KINDS[kind])
        keys = (
            common
            | {"kind": {"const": kind}, "like": TEXT}
            | {name: _one_or_each(value(each)) for name, each in (said | settable(kind)).items()}
            | {name: _points(name) for name in points.curves_of(kind)}
            | dict.fromkeys(WORKERS.get(kind, ()), NAME_LIST)
        )
        found[f"ratings-{kind}"] = _object(keys, []) | {"description": " ".join((KINDS[kind].__doc__ or "").split())}
        by_points = {name for key in points.curves_of(kind) for name in points.RATINGS[key]}
        required = [name for name, each in said.items() if each.default is None and name not in by_points]
        then: Schema = {"$ref": f"#/$defs/ratings-{kind}"}
        by_kind = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
        rules.append({"if": by_kind, "then": then})
        if required:
            alone = by_kind | {"not": {"required": ["like"]}}
            rules.append({"if": alone, "then": {"required": required}})
    known = records()
    for record in known:
        by_record = {"properties": {"like": {"const": record.name}}, "required": ["like"]}
        rules.append({"if": by_record, "then": {"$ref": f"#/$defs/ratings-{record.kind}"}})
    properties: Schema = {"kind": {"enum": KNOWN_KINDS}, "like": {"enum": [record.name for record in known]}}
    found["unit"] = {
        "type": "object",
        "properties": properties,
        "anyOf": [{"required": ["kind"]}, {"required": ["like"]}],
        "allOf": rules,
    }
    return found


def _points(name: str) -> Schema:
    row = {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}
    if name == points.CREDITS:
        doc = "credits: rows of a share of requests within the promise, and of the revenue given back below it"
        return {"type": "array", "items": row, "minItems": 1, "maxItems": 3, "description": doc}
    doc = "published points, flow and head or power at full speed, in place of the ratings that follow from them"
    return {"type": "array", "items": row, "minItems": 2, "description": doc}


def _plants() -> Schema:
    def named(ref: str) -> Schema:
        return {"type": "object", "additionalProperties": {"$ref": f"#/$defs/{ref}"}}

    properties: Schema = {
        "title": TEXT,
        "description": TEXT,
        "units": named("unit"),
        "coolant": named("loop"),
        "signals": {"type": "array", "items": {"$ref": "#/$defs/signal"}},
        "fabric": named("fabric"),
        "redundancy": {
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": f"^({NAMED})$"},
            "description": "group of units, or kind -> what it is called, e.g. {ups: N+1}; `twin audit` compares",
        },
        "blocks": named("block"),
        "place": named("place"),
    }
    include = _object({"include": TEXT}, ["include"])
    varied: Schema = {"type": "object", "additionalProperties": {"type": "object"}}
    variant: Schema = {
        key: varied if each.get("additionalProperties") else each for key, each in properties.items()
    } | {"variant_of": TEXT, "redundancy": properties["redundancy"]}
    return {
        "variant": _object(variant, ["variant_of"])
        | {"description": "a plant that is another but for what it says: entries of the same name take its keys"},
        "plant": _object(properties, []),
        "block": {"anyOf": [include, {"$ref": "#/$defs/plant"}, {"$ref": "#/$defs/variant"}]},
    }


def _criterion() -> Schema:
    """A sentence, or one with a name."""
    words = "|".join(word for word in BEGINNINGS if word not in FUNCTIONS)
    doc = 'e.g. "max(rack.die_temperature) < 88 degC", "no rack throttles", "tokens lost (premium) < 0.1 %"'
    text: Schema = {
        "type": "string",
        "pattern": rf"^\s*(({words})\s|({'|'.join(FUNCTIONS)})\s*\()",
        "description": f"what must hold: {doc}",
    }
    named = _object({"name": {"type": "string", "maxLength": 80}, "hold": text}, ["hold"])
    return {"anyOf": [text, named]}


def _scheduler() -> Schema:
    """Who gives racks to the jobs of the workload."""
    found = of_form(SchedulerForm)
    window = of_form(WindowForm)
    window["properties"]["racks"] |= NAME_LIST
    way: Schema = {"enum": list(WAYS)}
    found["properties"]["racks"] |= NAME_LIST
    found["properties"]["place"] |= {"anyOf": [way, {"type": "array", "items": way}]}
    found["properties"]["maintenance"] |= {"type": "array", "items": window}
    for key in ("preempt", "backfill"):
        found["properties"][key] = {"type": "boolean", "description": found["properties"][key]["description"]}
    return found


def _jobs() -> Schema:
    """Jobs of a scheduler: what they want, and their ratings."""
    found = of_form(JobForm)
    said = {name: each for name, each in quantities(KINDS["job"]).items() if name not in NOT_SHARED}
    found["properties"] |= {name: value(each) for name, each in said.items()}
    found["required"] = [*found["required"], "step_time"]
    return {"type": "object", "additionalProperties": found}


def _failures() -> Schema:
    """Random failures: published sets for the whole plant, common causes, and unit.input -> how often, how long."""
    listed: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
    one = of_form(FailureForm)
    return {
        "type": "object",
        "description": "unit.input -> how often it fails, and for how long; or a list of causes",
        "properties": {
            "like": listed | {"description": "sets of published rates, for all units of the kinds they rate"},
            "common": {"type": "array", "items": of_form(CommonForm)},
        },
        "additionalProperties": {"anyOf": [one, {"type": "array", "items": one}]},
    }


def _scenario() -> Schema:
    def one(ref: str) -> Schema:
        return {"$ref": f"#/$defs/{ref}"}

    draw: Schema = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {word: {} for word in DISTRIBUTIONS},
    }
    draw["additionalProperties"] = False
    properties: Schema = {
        "title": {"type": "string", "maxLength": 200},
        "description": TEXT,
        "plant": {
            "anyOf": [TEXT, one("plant"), one("variant")],
            "description": "name or path of a plant, the plant itself, or a variant of one",
        },
        "run": one("run"),
        "weather": one("weather"),
        "workload": one("workload"),
        "initial": {"type": "object", "description": "unit.input -> value before the run"},
        "maintenance": {"type": "array", "items": TEXT, "description": "units that are locked out from the start"},
        "start": {"type": "object", "description": "unit.state -> value in which the run begins, once it is settled"},
        "events": {"type": "array", "items": one("event")},
        "draws": {"type": "object", "additionalProperties": draw},
        "failures": _failures(),
        "scheduler": _scheduler(),
        "grid": one("grid"),
        "controllers": {"type": "array", "items": one("controller")},
        **{section: {"type": "object", "additionalProperties": one(section.removesuffix("s"))} for section in SECTIONS},
        "expected": {"type": "array", "items": one("expected")},
        "criteria": {
            "type": "array",
            "items": _criterion(),
        },
        "sweep": one("sweep"),
    }
    return _object(
        {key: properties[key] for key in SCENARIO_KEYS}, [key for key, must in SCENARIO_KEYS.items() if must]
    )
