"""The engine's command line: `python -m cql_like eval|check|requirements|conformance`.

Exit codes: 0 all is well; 1 the CQL is wrong, ends in an error, or a conformance test fails; 2 the command is wrong
(argparse); 3 a file cannot be read.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson

import cql_like
from cql_like import ir

CQL_ERROR, FILE_ERROR = 1, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (cql_like.CqlErrors, cql_like.CqlRuntimeError) as error:
        print(error, file=sys.stderr)
        return CQL_ERROR
    except (OSError, UnicodeDecodeError) as error:
        print(f"cannot read a file: {error}", file=sys.stderr)
        return FILE_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cql_like", description="A CQL 1.5 engine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    evaluate = commands.add_parser("eval", help="evaluate one expression and print its value as CQL")
    evaluate.add_argument("expression")
    _engine(evaluate)
    evaluate.add_argument("--now", type=_moment, help="the moment for Now() and Today(), ISO 8601; default: now")
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
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _evaluate(options: argparse.Namespace) -> int:
    now = options.now or datetime.now(UTC).astimezone()
    print(cql_like.to_cql(cql_like.evaluate(options.expression, engine=options.engine, now=now)))
    return 0


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
