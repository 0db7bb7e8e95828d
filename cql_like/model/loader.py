"""Reading models: ModelInfo XML (any), and the built-in ones from our compact JSON (CQL §Data Models, ModelInfo).

The JSON files in `data/` are written by `scripts/import_modelinfo.py`; they hold names, types, cardinalities, code
paths and conversions only. Reading is strict: a model that is not what it should be is a `ModelError` that names
the file and the class, never a half-read model.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import orjson

from cql_like.model.modelinfo import ClassInfo, Conversion, Element, Model, read_type, write_type
from cql_like.types import ANY, ChoiceOf, IntervalOf, ListOf, Named, Type

DATA = Path(__file__).parent / "data"
XML_LIMIT = 32 * 1024 * 1024  # bytes; the largest published ModelInfo is below 4 MB
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


class ModelError(ValueError):
    """A ModelInfo file that cannot be read, or a model that is not known."""


@cache
def built_in(name: str, version: str | None) -> Model | None:
    """The built-in model of that name (and version, if one is given); None if there is none."""
    for path in sorted(DATA.glob(f"{name.lower()}-*.json"), reverse=True):
        if version is None or path.stem == f"{name.lower()}-{version}":
            return from_json(path.read_bytes(), path.name)
    return None


def built_in_versions() -> tuple[tuple[str, str], ...]:
    """(name, version) of every built-in model, for error messages."""
    names: list[tuple[str, str]] = []
    for path in sorted(DATA.glob("*.json")):
        document = cast(dict[str, Any], orjson.loads(path.read_bytes()))
        names.append((str(document["name"]), str(document["version"])))
    return tuple(names)


def load_model(path: str | Path) -> Model:
    """A model from a ModelInfo XML file.

    Raises:
        ModelError: the file is missing, too large, holds a DTD, is not well-formed, or is no ModelInfo.
    """
    path = Path(path)
    try:
        if path.stat().st_size > XML_LIMIT:
            raise ModelError(f"{path}: larger than {XML_LIMIT} bytes; a ModelInfo file was expected")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); expected a ModelInfo XML file") from error
    return from_xml(data, str(path))


# ---------------------------------------------------------------------------------------------- compact JSON


def to_json(model: Model) -> bytes:
    """The compact JSON of a model, as `from_json` reads it; stable: the same model gives the same bytes."""

    def element(value: Element) -> str | list[str]:
        kind = write_type(value.type, model.name)
        return kind if value.target is None else [kind, value.target]

    classes: dict[str, Any] = {}
    for name, info in sorted(model.classes.items()):
        entry: dict[str, Any] = {"elements": {item.name: element(item) for item in info.elements.values()}}
        if info.base is not None:
            entry["base"] = write_type(info.base, model.name)
        if info.retrievable:
            entry["retrievable"] = True
        if info.code_path is not None:
            entry["codePath"] = info.code_path
        if info.target is not None:
            entry["target"] = info.target
        classes[name] = entry
    document = {
        "name": model.name,
        "version": model.version,
        "url": model.url,
        "implements": model.implements,
        "patientClass": model.patient_class,
        "birthDate": model.birth_date,
        "contexts": [list(context) for context in model.contexts],
        "conversions": [
            [write_type(item.source, model.name), write_type(item.target, model.name)] for item in model.conversions
        ],
        "classes": classes,
    }
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def from_json(data: bytes, where: str) -> Model:
    """The model of a compact JSON document (`to_json`)."""
    try:
        document = cast(dict[str, Any], orjson.loads(data))
        name = str(document["name"])
        others = frozenset({"System", "FHIR"}) - {name}
        types: dict[str, Type] = {}

        def read(text: str) -> Type:
            found = types.get(text)
            if found is None:
                found = types[text] = read_type(text, name, others)
            return found

        def element(key: str, entry: str | list[str]) -> Element:
            return Element(key, read(entry)) if isinstance(entry, str) else Element(key, read(entry[0]), entry[1])

        classes = {
            key: ClassInfo(
                key,
                read(entry["base"]) if "base" in entry else None,
                {name: element(name, value) for name, value in entry["elements"].items()},
                bool(entry.get("retrievable", False)),
                entry.get("codePath"),
                entry.get("target"),
            )
            for key, entry in document["classes"].items()
        }
        return Model(
            name=name,
            version=str(document["version"]),
            url=str(document["url"]),
            classes=classes,
            conversions=tuple(Conversion(read(source), read(target)) for source, target in document["conversions"]),
            contexts=tuple((context, class_name) for context, class_name in document["contexts"]),
            patient_class=document["patientClass"],
            birth_date=document["birthDate"],
            implements=document["implements"],
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{where}: not a model written by scripts/import_modelinfo.py ({error!r})") from error


# ---------------------------------------------------------------------------------------------- ModelInfo XML


def from_xml(data: bytes, where: str) -> Model:
    """The model of a ModelInfo XML document. `where` names it in errors.

    Raises:
        ModelError: see `load_model`.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelError(f"{where}: not UTF-8; a ModelInfo XML file was expected") from error
    if re.search(r"<!(DOCTYPE|ENTITY)", text):
        raise ModelError(f"{where}: holds a DTD or entities, which ModelInfo does not need and we do not read")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - size is limited and DTDs are refused above
    except ElementTree.ParseError as error:
        raise ModelError(f"{where}: not well-formed XML ({error})") from error
    if _local(root) != "modelInfo" or "name" not in root.attrib:
        raise ModelError(f"{where}: the root element is {_local(root)!r}; expected a named modelInfo")
    name = root.attrib["name"]
    return _Reader(name, where).model(root)


def _local(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]


def _children(node: ElementTree.Element, *names: str) -> Iterable[ElementTree.Element]:
    return (child for child in node if _local(child) in names)


class _Reader:
    """Reads one ModelInfo document; holds what its type names are relative to."""

    def __init__(self, name: str, where: str) -> None:
        self.name = name
        self.where = where

    def model(self, root: ElementTree.Element) -> Model:
        classes: dict[str, ClassInfo] = {}
        for node in _children(root, "typeInfo"):
            kind = node.get(_XSI_TYPE, "").rpartition(":")[2]
            if kind in ("ClassInfo", "SimpleTypeInfo", "ProfileInfo"):
                info = self.class_info(node)
                classes[info.name] = info
        target_url = root.get("targetUrl")
        patient_class = root.get("patientClassName")
        return Model(
            name=self.name,
            version=root.get("version", ""),
            url=root.get("url", ""),
            classes=classes,
            conversions=tuple(
                Conversion(self.named(node.get("fromType", "")), self.named(node.get("toType", "")))
                for node in _children(root, "conversionInfo")
            ),
            contexts=tuple(
                (node.get("name", ""), child.get("name", ""))
                for node in _children(root, "contextInfo")
                for child in _children(node, "contextType")
            ),
            patient_class=None if patient_class is None else patient_class.removeprefix(f"{self.name}."),
            birth_date=root.get("patientBirthDatePropertyName"),
            implements=target_url,
        )

    def class_info(self, node: ElementTree.Element) -> ClassInfo:
        name = node.get("name", "").removeprefix(f"{self.name}.")
        if not name:
            raise ModelError(f"{self.where}: a typeInfo has no name")
        base: Type | None = self.named(node.attrib["baseType"]) if "baseType" in node.attrib else None
        for specifier in _children(node, "baseTypeSpecifier"):
            base = self.specifier(specifier, name)
        elements: dict[str, Element] = {}
        for child in _children(node, "element"):
            element = child.get("name", "")
            elements[element] = Element(element, self.element_type(child, f"{name}.{element}"), child.get("target"))
        return ClassInfo(
            name,
            base,
            elements,
            node.get("retrievable") == "true",
            node.get("primaryCodePath"),
            node.get("target"),
        )

    def element_type(self, node: ElementTree.Element, path: str) -> Type:
        for attribute in ("elementType", "type"):  # `type` is the older spelling
            if attribute in node.attrib:
                return self.named(node.attrib[attribute])
        for specifier in _children(node, "elementTypeSpecifier", "typeSpecifier"):
            return self.specifier(specifier, path)
        return ANY  # QICore 4.1.1 publishes one such (ServiceRequest.appropriatenessScore)

    def specifier(self, node: ElementTree.Element, path: str) -> Type:
        kind = node.get(_XSI_TYPE, "").rpartition(":")[2]
        part: Callable[[str, str], Type] = lambda attribute, child: self._part(node, attribute, child, path)  # noqa: E731
        if kind == "ListTypeSpecifier":
            return ListOf(part("elementType", "elementTypeSpecifier"))
        if kind == "IntervalTypeSpecifier":
            return IntervalOf(part("pointType", "pointTypeSpecifier"))
        if kind == "ChoiceTypeSpecifier":
            alternatives: set[Type] = set()
            for child in _children(node, "choice", "type"):
                alternative = self.specifier(child, path)
                alternatives |= alternative.alternatives if isinstance(alternative, ChoiceOf) else {alternative}
            if not alternatives:
                raise ModelError(f"{self.where}: the choice of {path} has no alternatives")
            return next(iter(alternatives)) if len(alternatives) == 1 else ChoiceOf(frozenset(alternatives))
        if kind == "NamedTypeSpecifier":
            namespace = node.get("namespace") or node.get("modelName")
            name = node.get("name", "")
            return Named(namespace, name) if namespace else self.named(name)
        raise ModelError(
            f"{self.where}: {path} has a type specifier {kind!r}; expected List, Interval, Choice or Named"
        )

    def _part(self, node: ElementTree.Element, attribute: str, child_name: str, path: str) -> Type:
        if attribute in node.attrib:
            return self.named(node.attrib[attribute])
        for child in _children(node, child_name):
            return self.specifier(child, path)
        raise ModelError(f"{self.where}: {path} has a type specifier without {attribute} or {child_name}")

    def named(self, text: str) -> Type:
        """A type name as attributes carry it: `FHIR.Coding`, `Interval<System.DateTime>`, `List<X>`."""
        for prefix, make in _GENERIC.items():
            if text.startswith(prefix) and text.endswith(">"):
                return make(self.named(text[len(prefix) : -1]))
        model, dot, name = text.partition(".")
        if dot and model in (self.name, "System", "FHIR"):
            return Named(model, name)
        if not text:
            raise ModelError(f"{self.where}: an empty type name")
        return Named(self.name, text)


_GENERIC: Mapping[str, Callable[[Type], Type]] = {"Interval<": IntervalOf, "List<": ListOf}
