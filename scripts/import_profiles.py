"""Write fhir_profiles/constraints/*.json from HL7's built DEQM package: facts only, in our own compact form.

    .venv/bin/python scripts/import_profiles.py ../shared/fhir/hl7.fhir.us.davinci-deqm-5.0.0.tgz

Taken from each StructureDefinition's snapshot: path, cardinality, types and targets, fixed and pattern values,
bindings, slicing and invariants (key, severity, FHIRPath). Not taken: descriptions, comments, requirements,
mappings. Data types and the codes of R4's required bindings come from the field metadata of fhir.resources.
The archive is not trusted: members, sizes and names are limited, nothing is unpacked to disk.
"""

import argparse
import importlib
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

import orjson

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from fhir_profiles.primitives import PRIMITIVE_TYPES  # noqa: E402 - the checkout is not installed

TARGET = HERE.parent / "fhir_profiles" / "constraints"

MAX_MEMBERS = 2_000
MAX_MEMBER_BYTES = 4_000_000
MAX_TOTAL_BYTES = 64_000_000

PROFILES = (
    "gaps-bundle-deqm",
    "gaps-composition-deqm",
    "gaps-detectedissue-deqm",
    "gaps-guidanceresponse-detailedcaregap",
    "indv-measurereport-deqm",
    "summary-measurereport-deqm",
    "subjectlist-measurereport-deqm",
    "indv-measurereport-list",
    "extension-alternateScoreType",
    "extension-calculatedDate",
    "extension-careGapRemark",
    "extension-certificationIdentifier",
    "extension-dataLocation",
    "extension-gapStatus",
    "extension-groupImprovementNotation",
    "extension-measureScoring",
    "extension-reporterGroup",
    "extension-reportingProgram",
    "extension-reportingVendor",
    "reasonDetail",
)
CODE_SYSTEMS = ("care-gap-reason", "care-gap-remark", "gaps-status")
VALUE_SETS = ("care-gap-reason", "care-gap-remark", "gaps-status")
DATA_TYPES = (
    "Meta", "Narrative", "Extension", "Identifier", "CodeableConcept", "Coding", "Reference", "Period",
    "Quantity", "Duration", "Annotation", "Range", "Ratio", "Signature",
)  # fmt: skip

# FHIR R4 (4.0.1) value sets that fhir.resources does not list, or not in full.
R4_CODES = {
    "http://hl7.org/fhir/ValueSet/measure-improvement-notation": {
        "system": "http://terminology.hl7.org/CodeSystem/measure-improvement-notation",
        "codes": ["decrease", "increase"],
    },
    "http://hl7.org/fhir/ValueSet/observation-status": {
        "codes": [
            "amended", "cancelled", "corrected", "entered-in-error", "final", "preliminary", "registered", "unknown",
        ]
    },
    "http://hl7.org/fhir/ValueSet/quantity-comparator": {"codes": ["<", "<=", ">", ">="]},
    "http://terminology.hl7.org/ValueSet/v3-ConfidentialityClassification": {
        "codes": ["L", "M", "N", "R", "U", "V"]
    },
}  # fmt: skip

# Where the package contradicts itself. careGapRemark's code is bound to a value set of concepts and called
# valueCodeableConcept in the differential, but typed uri: both are taken.
CORRECTIONS = {
    ("extension-careGapRemark", "Extension.extension:code.value[x]"): {
        "types": [{"code": "uri"}, {"code": "CodeableConcept"}]
    }
}

# Data types of R4B (4.3) that R4 (4.0.1) does not have
NOT_IN_R4 = ("CodeableReference", "RatioRange")


def read_package(archive: Path) -> dict[str, Any]:
    """The JSON files of package/ by name (`StructureDefinition-x`), within the limits above."""
    found: dict[str, Any] = {}
    total = members = 0
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            members += 1
            if members > MAX_MEMBERS:
                raise SystemExit(f"{archive}: more than {MAX_MEMBERS} members; not a package we know")
            match = re.fullmatch(r"package/((?:StructureDefinition|CodeSystem|ValueSet)-[\w.\-]+)\.json", member.name)
            if not match or not member.isreg():
                continue
            total += member.size
            if member.size > MAX_MEMBER_BYTES or total > MAX_TOTAL_BYTES:
                raise SystemExit(f"{archive}: {member.name} is too large ({member.size} bytes)")
            handle = tar.extractfile(member)
            if handle is not None:
                found[match[1]] = orjson.loads(handle.read(MAX_MEMBER_BYTES))
    return found


def element_fact(element: dict[str, Any]) -> dict[str, Any]:
    """One element's facts; what is FHIR's default is left out (min 0, max 1)."""
    fact: dict[str, Any] = {}
    if element["min"]:
        fact["min"] = element["min"]
    if element["max"] != "1":
        fact["max"] = element["max"]
    if element.get("base", {}).get("max", "1") not in ("0", "1"):
        fact["list"] = True
    types = [type_fact(entry) for entry in element.get("type", ())]
    if types:
        fact["types"] = types
    if "contentReference" in element:
        fact["same_as"] = element["contentReference"].rpartition("#")[2]
    for key, value in element.items():
        if key.startswith("fixed"):
            fact["fixed"] = value
        elif key.startswith("pattern"):
            fact["pattern"] = value
    binding = element.get("binding", {})
    if binding.get("strength") in ("required", "extensible") and "valueSet" in binding:
        fact["binding"] = [binding["strength"], binding["valueSet"].partition("|")[0]]
    slicing = element.get("slicing")
    if slicing and slicing.get("discriminator"):
        fact["sliced_by"] = [[each["type"], each["path"]] for each in slicing["discriminator"]]
    keys = [constraint["key"] for constraint in element.get("constraint", ())]
    if keys:
        fact["invariants"] = keys
    return fact


def type_fact(entry: dict[str, Any]) -> dict[str, Any]:
    """A type's code, the profiles of its value and the profiles of what it may refer to."""
    code = entry["code"]
    fact: dict[str, Any] = {"code": "string" if code.startswith("http://hl7.org/fhirpath/") else code}
    for ours, theirs in (("profiles", "profile"), ("targets", "targetProfile")):
        if entry.get(theirs):
            fact[ours] = [each.partition("|")[0] for each in entry[theirs]]
    return fact


def profile_table(definition: dict[str, Any], source: str) -> dict[str, Any]:
    """The table of one StructureDefinition."""
    invariants: dict[str, Any] = {}
    elements: dict[str, Any] = {}
    for element in definition["snapshot"]["element"]:
        elements[element["id"]] = element_fact(element)
        for constraint in element.get("constraint", ()):
            invariants[constraint["key"]] = {
                "severity": constraint["severity"],
                "expression": constraint["expression"],
            }
    return {
        "url": definition["url"],
        "type": definition["type"],
        "source": source,
        "elements": elements,
        "invariants": dict(sorted(invariants.items())),
    }


def field_type(annotation: object) -> str | None:
    """The FHIR type of a fhir.resources field, from how its annotation reads."""
    text = repr(annotation)
    if match := re.search(r"abc\.(\w+)Type\b", text):
        return match[1]
    if match := re.search(r"\b([A-Z]\w+)\([^)]*\)", text):
        return match[1][0].lower() + match[1][1:]
    if "Xhtml" in text:
        return "xhtml"
    return "boolean" if "bool" in text else None


def choice_type(alias: str, stem: str) -> str:
    """`valueUnsignedInt` -> `unsignedInt`, `valuePeriod` -> `Period`."""
    name = alias.removeprefix(stem)
    lower = name[0].lower() + name[1:]
    return lower if lower in PRIMITIVE_TYPES else name


def data_type_tables() -> dict[str, Any]:
    """The elements of FHIR R4's data types that the profiles use."""
    tables: dict[str, Any] = {}
    for name in DATA_TYPES:
        model = getattr(importlib.import_module(f"fhir.resources.R4B.{name.lower()}"), name)
        elements: dict[str, Any] = {}
        choices: dict[str, list[dict[str, Any]]] = {}
        for field in model.model_fields.values():
            extra = field.json_schema_extra or {}
            alias = field.alias
            code = field_type(field.annotation)
            if not extra.get("element_property"):
                continue
            if extra.get("one_of_many"):
                stem = extra["one_of_many"]
                kind = choice_type(alias, stem)
                if kind not in NOT_IN_R4:
                    choices.setdefault(f"{stem}[x]", []).append({"code": kind})
                continue
            if code is None:
                raise SystemExit(f"{name}.{alias}: no FHIR type is known for {field.annotation!r}")
            fact: dict[str, Any] = {"types": [{"code": code}]}
            if extra.get("element_required"):
                fact["min"] = 1
            if "List[" in repr(field.annotation):
                fact |= {"max": "*", "list": True}
            if extra.get("enum_values"):
                fact["binding"] = ["required", f"{name}.{alias}"]
            elements[f"{name}.{alias}"] = fact
        for choice, types in choices.items():
            elements[f"{name}.{choice}"] = {"types": types}
        tables[name] = dict(sorted(elements.items()))
    return tables


def enumerated_codes(tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Codes of R4's required bindings on `code` elements, by value set, found through fhir.resources' models."""
    found: dict[str, Any] = {}
    for table in tables.values():
        if table["type"] == "Extension":
            continue
        for path, fact in table["elements"].items():
            if fact.get("binding", ["", ""])[0] != "required" or ":" in path:
                continue
            codes = model_codes(path)
            if codes:
                found[fact["binding"][1]] = {"codes": sorted(codes)}
    for name in DATA_TYPES:
        model = getattr(importlib.import_module(f"fhir.resources.R4B.{name.lower()}"), name)
        for field in model.model_fields.values():
            codes = (field.json_schema_extra or {}).get("enum_values")
            if codes:
                found[f"{name}.{field.alias}"] = {"codes": sorted(codes)}
    return found


def model_codes(path: str) -> list[str] | None:
    """The enumerated codes of an element, by walking fhir.resources' classes along its path."""
    parts = path.split(".")
    module = importlib.import_module(f"fhir.resources.R4B.{parts[0].lower()}")
    model = getattr(module, parts[0])
    for depth, part in enumerate(parts[1:], 2):
        field = next((each for each in model.model_fields.values() if each.alias == part), None)
        if field is None:
            return None
        if depth == len(parts):
            return (field.json_schema_extra or {}).get("enum_values")
        name = field_type(field.annotation)
        if name is None:
            return None
        # A backbone element's class stands in its resource's (or data type's) module, a data type's in its own.
        if not hasattr(module, name):
            module = importlib.import_module(f"fhir.resources.R4B.{name.lower()}")
        model = getattr(module, name)
    return None


def code_sets(package: dict[str, Any]) -> dict[str, Any]:
    """DEQM's own value sets, each the whole of one code system."""
    systems = {
        package[f"CodeSystem-{name}"]["url"]: [each["code"] for each in package[f"CodeSystem-{name}"]["concept"]]
        for name in CODE_SYSTEMS
    }
    found: dict[str, Any] = {}
    for name in VALUE_SETS:
        value_set = package[f"ValueSet-{name}"]
        (include,) = value_set["compose"]["include"]
        system = include["system"]
        codes = [each["code"] for each in include.get("concept", ())] or systems[system]
        found[value_set["url"]] = {"system": system, "codes": sorted(codes)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="hl7.fhir.us.davinci-deqm-5.0.0.tgz")
    archive = parser.parse_args().archive
    package = read_package(archive)
    missing = [name for name in PROFILES if f"StructureDefinition-{name}" not in package]
    if missing:
        sys.exit(f"{archive}: no StructureDefinition {', '.join(missing)}; is this DEQM 5.0.0?")
    source = "hl7.fhir.us.davinci-deqm#" + package["StructureDefinition-gaps-bundle-deqm"]["version"]
    tables = {name: profile_table(package[f"StructureDefinition-{name}"], source) for name in PROFILES}
    for (name, element), fact in CORRECTIONS.items():
        tables[name]["elements"][element] |= fact
    files = {f"{name}.json": table for name, table in tables.items()}
    files["datatypes.json"] = data_type_tables()
    files["valuesets.json"] = dict(sorted((enumerated_codes(tables) | code_sets(package) | R4_CODES).items()))
    for name, content in files.items():
        (TARGET / name).write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
        print(f"{name}: {len(content.get('elements', content))} rows")


if __name__ == "__main__":
    main()
