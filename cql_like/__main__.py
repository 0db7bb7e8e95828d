"""The engine's command line: `python -m cql_like eval|check|requirements|conformance`.

Exit codes: 0 all is well; 1 the CQL is wrong, ends in an error, or a conformance test fails; 2 the command is wrong;
3 a file cannot be read.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson

import cql_like
from cql_like import ir
from cql_like.files import FileRecord, WrongInput, resources
from cql_like.model.loader import ModelError

CQL_ERROR, USAGE_ERROR, FILE_ERROR = 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (cql_like.CqlErrors, cql_like.CqlRuntimeError, cql_like.UnknownValueSet) as error:
        print(error, file=sys.stderr)
        return CQL_ERROR
    except (cql_like.UnknownName, cql_like.WrongParameter) as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    except ModelError as error:
        print(error, file=sys.stderr)
        return FILE_ERROR
    except (OSError, UnicodeDecodeError, WrongInput) as error:
        print(f"cannot read a file: {error}", file=sys.stderr)
        return FILE_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cql_like", description="A CQL 1.5 engine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    evaluate = commands.add_parser("eval", help="evaluate an expression, or a define of a library; print it as CQL")
    evaluate.add_argument("expression", help="an expression; with --library the name of a define")
    _engine(evaluate)
    evaluate.add_argument("--now", type=_moment, help="the moment for Now() and Today(), ISO 8601; default: now")
    evaluate.add_argument("--profile", action="store_true", help="say on stderr where the time went")
    evaluate.add_argument("--library", type=Path, dest="file", metavar="FILE.cql", help="the library of the define")
    _includes(evaluate)
    evaluate.add_argument(
        "--data",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="one patient's resources: a Bundle, a resource, or NDJSON of them; may be repeated",
    )
    evaluate.add_argument(
        "--value-sets",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="ValueSets, in the same forms (what else is there is passed over); may be repeated",
    )
    evaluate.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=CQL",
        help="a parameter's value as a CQL expression; may be repeated",
    )
    evaluate.set_defaults(run=_evaluate)

    check = commands.add_parser("check", help="check a library; print every problem with its place")
    _library(check)
    check.set_defaults(run=_check)

    requirements = commands.add_parser("requirements", help="print as JSON what a library retrieves")
    _library(requirements)
    requirements.set_defaults(run=_requirements)

    conformance = commands.add_parser("conformance", help="run HL7 cql-tests XML files")
    conformance.add_argument("files", nargs="+", type=Path, metavar="FILE.xml")
    _engine(conformance)
    conformance.set_defaults(run=_conformance)
    return parser


def _engine(command: argparse.ArgumentParser) -> None:
    command.add_argument("--engine", choices=("compiled", "reference"), default="compiled")


def _library(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE.cql")
    _includes(command)


def _includes(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--include",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a folder of *.cql that may be included (the library's own folder always is); may be repeated",
    )
    command.add_argument(
        "--model", type=Path, action="append", default=[], metavar="FILE.xml", help="a ModelInfo file; may be repeated"
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no moment in ISO 8601, such as 2026-11-22T08:00:00-08:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _evaluate(options: argparse.Namespace) -> int:
    now = options.now or datetime.now(UTC).astimezone()
    if options.profile and options.engine == "reference":
        print("--profile times compiled functions: it goes without --engine reference", file=sys.stderr)
        return USAGE_ERROR
    if options.file is None and (unread := _for_libraries_only(options)):
        print(f"{', '.join(unread)}: only together with --library FILE.cql", file=sys.stderr)
        return USAGE_ERROR
    profile = cql_like.Profile() if options.profile else None
    if options.file is None:
        value = cql_like.evaluate(options.expression, engine=options.engine, now=now, profile=profile)
    else:
        value = _define(options, now, profile)
    print(cql_like.to_cql(value))
    if profile is not None:
        print(profile.table(), file=sys.stderr)
    return 0


def _for_libraries_only(options: argparse.Namespace) -> list[str]:
    """The given options that say nothing about an expression of its own: it sees no data, parameter or include."""
    given = {
        "--include": options.include,
        "--model": options.model,
        "--data": options.data,
        "--value-sets": options.value_sets,
        "--parameter": options.parameter,
    }
    return [name for name, values in given.items() if values]


def _define(options: argparse.Namespace, now: datetime, profile: cql_like.Profile | None) -> object:
    """The value of a define of a library over the resources of some files."""
    parameters: dict[str, object] = {}
    for given in options.parameter:
        name, is_given, value = given.partition("=")
        if not (name and is_given):
            raise cql_like.WrongParameter(f"--parameter {given!r} is not NAME=CQL, such as Limit=5")
        parameters[name] = cql_like.evaluate(value, now=now)
    value_sets = [one for file in options.value_sets for one in resources(file) if one["resourceType"] == "ValueSet"]
    session = _compiled(options).session(
        FileRecord([one for file in options.data for one in resources(file)]),
        parameters,
        cql_like.ExpandedTerminology.of(value_sets),
        now,
        options.engine,
        profile=profile,
    )
    return session.evaluate(options.expression)


def _compiled(options: argparse.Namespace) -> cql_like.Library:
    text = options.file.read_text("utf-8")
    included = texts_in([options.file.parent, *options.include], options.file)
    return cql_like.compile_library(text, included, options.model)


def texts_in(folders: Iterable[Path], but: Path) -> dict[tuple[str, str | None], str]:
    """The libraries in some folders, by (name, version) as they declare them; `but` is the one that includes them."""
    from cql_like.syntax import parse_library

    found: dict[tuple[str, str | None], str] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.cql")):
            if path.resolve() == but.resolve():
                continue
            text = path.read_text("utf-8")
            try:
                declared = parse_library(text, path.stem).name
            except cql_like.CqlErrors:  # it is reported when it is included, with its own places
                found[path.stem, None] = text
                continue
            if declared is not None:
                found[".".join(declared.name.parts), declared.version] = text
    return found


def _check(options: argparse.Namespace) -> int:
    library = _compiled(options)
    print(
        f"{library.program.main}: no problems; {len(library.defines)} defines, "
        f"{len(library.program.libraries) - 1} included libraries"
    )
    return 0


def _requirements(options: argparse.Namespace) -> int:
    found = [_requirement(item) for item in _compiled(options).requirements]
    sys.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n")
    return 0


def _requirement(item: ir.DataRequirement) -> dict[str, object]:
    return {
        "type": item.resource_type,
        "codePath": item.code_path,
        "valueSets": item.value_sets,
        "codes": [{"system": system, "code": code} for system, code in item.codes],
        "datePath": item.date_path,
        "elements": item.elements,
    }


def _conformance(options: argparse.Namespace) -> int:
    from cql_like import conformance

    return conformance.main(options.files, engine=options.engine)


if __name__ == "__main__":
    sys.exit(main())
