"""The same three clauses in cql-execution, the CQL engine in JavaScript, side by side (`clauses` has their CQL).

cql-execution runs ELM, not CQL: the clauses are translated by hand here, node for node. It and cql-exec-fhir (its FHIR
data model) are installed from npm into a temporary folder; where node, npm or the registry is missing, this is skipped
with a word. Both sides are timed from loaded records to values, over the same children, in processor time.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

import cql_like
from benchmarks.cql import clauses
from gapsvc.records.record import PatientRecord

PACKAGES = ("cql-execution@3.3.0", "cql-exec-fhir@2.2.0")
CHILDREN = 300
ROUNDS = 5

Elm = dict[str, Any]

_SYSTEM = "{urn:hl7-org:elm-types:r1}"
_FHIR = "{http://hl7.org/fhir}"


def _property(path: str, of: str | Elm) -> Elm:
    return {"type": "Property", "path": path, **({"scope": of} if isinstance(of, str) else {"source": of})}


def _literal(kind: str, value: str) -> Elm:
    return {"type": "Literal", "valueType": f"{_SYSTEM}{kind}", "value": value}


def _has_status(alias: str, status: str) -> Elm:
    return {"type": "Equal", "operand": [_property("value", _property("status", alias)), _literal("String", status)]}


def _query(alias: str, retrieve: Elm, where: Elm) -> Elm:
    source = {"alias": alias, "expression": {"type": "Retrieve", **retrieve}}
    return {"type": "Query", "source": [source], "let": [], "relationship": [], "where": where}


def _and(*operands: Elm) -> Elm:
    return {"type": "And", "operand": list(operands)}


_START = _property("value", _property("start", _property("period", "E")))
_BIRTH = _property("value", _property("birthDate", {"type": "ExpressionRef", "name": "Patient"}))
_GIVEN = _property(
    "value", {"type": "As", "asType": f"{_FHIR}dateTime", "strict": False, "operand": _property("occurrence", "I")}
)
EXPRESSIONS: Mapping[str, Elm] = {
    "Finished": _query("E", {"dataType": f"{_FHIR}Encounter"}, _has_status("E", "finished")),
    "Well In Period": {
        "type": "GreaterOrEqual",
        "operand": [
            {
                "type": "Count",
                "source": _query(
                    "E",
                    {
                        "dataType": f"{_FHIR}Encounter",
                        "codeProperty": "type",
                        "codeComparator": "in",
                        "codes": {"type": "ValueSetRef", "name": "Well Visit"},
                    },
                    _and(
                        _has_status("E", "finished"),
                        {
                            "type": "In",
                            "operand": [
                                {"type": "DateFrom", "operand": _START},
                                {"type": "ParameterRef", "name": "Period"},
                            ],
                        },
                    ),
                ),
            },
            _literal("Integer", "2"),
        ],
    },
    "By First Birthday": {
        "type": "Exists",
        "operand": _query(
            "I",
            {"dataType": f"{_FHIR}Immunization"},
            _and(
                _has_status("I", "completed"),
                {
                    "type": "SameOrBefore",
                    "operand": [
                        {"type": "DateFrom", "operand": _GIVEN},
                        {"type": "Add", "operand": [_BIRTH, {"type": "Quantity", "value": 1, "unit": "year"}]},
                    ],
                },
            ),
        ),
    },
}


def library(name: str) -> Elm:
    """The ELM of a library with one of the clauses, or with nothing but the patient."""
    patient = {"type": "SingletonFrom", "operand": {"type": "Retrieve", "dataType": f"{_FHIR}Patient"}}
    period = {
        "type": "IntervalTypeSpecifier",
        "pointType": {"type": "NamedTypeSpecifier", "name": f"{_SYSTEM}Date"},
    }
    clause = {"name": name, "context": "Patient", "accessLevel": "Public", "expression": EXPRESSIONS.get(name, patient)}
    defines = [clause] if name == "Patient" else [{**clause, "name": "Patient", "expression": patient}, clause]
    return {
        "library": {
            "identifier": {"id": "Clauses", "version": "1"},
            "schemaIdentifier": {"id": "urn:hl7-org:elm", "version": "r1"},
            "usings": {
                "def": [
                    {"localIdentifier": "System", "uri": "urn:hl7-org:elm-types:r1"},
                    {"localIdentifier": "FHIR", "uri": "http://hl7.org/fhir", "version": "4.0.1"},
                ]
            },
            "parameters": {"def": [{"name": "Period", "accessLevel": "Public", "parameterTypeSpecifier": period}]},
            "valueSets": {"def": [{"name": "Well Visit", "id": "urn:vs:well", "accessLevel": "Public"}]},
            "contexts": {"def": [{"name": "Patient"}]},
            "statements": {"def": defines},
        }
    }


def _children() -> list[list[dict[str, Any]]]:
    """The child of `clauses`, many times over, each under ids of its own."""
    (patient,), *rest = clauses.Record().by_type.values()
    found: list[list[dict[str, Any]]] = []
    for number in range(CHILDREN):
        subject = {"reference": f"Patient/p{number}"}
        resources = [
            {
                **one,
                "id": f"{one['id']}-{number}",
                ("patient" if one["resourceType"] == "Immunization" else "subject"): subject,
            }
            for kind in rest
            for one in kind
        ]
        found.append([{**patient, "id": f"p{number}"}, *resources])
    return found


def _installed(folder: str) -> str | None:
    """Installs the packages; the reason why not, if they can't be."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return "node and npm are not here"
    try:
        subprocess.run(  # noqa: S603 - npm, with names of our own
            [npm, "install", "--no-audit", "--no-fund", "--silent", "--ignore-scripts", "--prefix", folder, *PACKAGES],
            check=True,
            capture_output=True,
            timeout=180,
        )
    except (subprocess.SubprocessError, OSError) as error:
        return f"npm could not install {' and '.join(PACKAGES)} ({type(error).__name__})"
    return None


def main() -> None:
    """Prints the ratios, or why there are none."""
    with tempfile.TemporaryDirectory(prefix="cql-peer-") as folder:
        reason = _installed(folder)
        if reason is not None:
            print(f"side by side with cql-execution: skipped, {reason}")
            return
        _compare(folder, _children())


def _compare(folder: str, children: Sequence[list[dict[str, Any]]]) -> None:
    bundles = [
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}
        for resources in children
    ]
    codes = [{"system": system, "code": code} for system, code in sorted(clauses.WELL)]
    work = {
        "elm": {name: library(name) for name in ("Patient", *EXPRESSIONS)},
        "bundles": bundles,
        "valueSet": {"url": "urn:vs:well", "codes": codes},
        "rounds": ROUNDS,
    }
    done = subprocess.run(  # noqa: S603 - node, with a script of our own
        [shutil.which("node") or "node", str(Path(__file__).with_suffix(".js")), folder],
        input=orjson.dumps(work),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        print(f"side by side with cql-execution: skipped, it failed: {done.stderr.decode().splitlines()[0]}")
        return
    theirs: dict[str, dict[str, Any]] = orjson.loads(done.stdout)
    alone = theirs.pop("Patient")["seconds"] / len(children) * 1e6
    parameters = {"Period": cql_like.Interval(cql_like.Date(2023, 1, 1), cql_like.Date(2023, 12, 31))}
    terminology = cql_like.ExpandedTerminology({("urn:vs:well", None): clauses.WELL}, {"urn:vs:well": None})
    factory = cql_like.compile_library(clauses.TEXT).prepare(parameters, terminology, datetime(2024, 1, 1, tzinfo=UTC))
    records = [PatientRecord.of(resources) for resources in children]
    print(
        f"side by side with {PACKAGES[0]} on node, {len(records)} children, µs per child and clause "
        f"({alone:.0f} of cql-execution's are for the patient alone):"
    )
    for name, their in theirs.items():
        seconds = float("inf")
        values: list[Any] = []
        for _ in range(ROUNDS):
            for record in records:
                record.forget_index()
            began = time.process_time()
            values = [factory.session(record).evaluate(name) for record in records]
            seconds = min(seconds, time.process_time() - began)
        if [len(value) if isinstance(value, list) else value for value in values] != their["values"]:
            raise SystemExit(f"cql-execution gives other values for {name!r}")
        ours, other = seconds / len(records) * 1e6, their["seconds"] / len(records) * 1e6
        print(f"{name:24}{ours:10.1f} ours{other:10.1f} cql-execution{other / ours:10.0f} times as long")


if __name__ == "__main__":
    main()
