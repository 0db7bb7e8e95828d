"""Write the built-in models of cql_like from published ModelInfo XML files.

    .venv/bin/python scripts/import_modelinfo.py ../shared/modelinfo/*.xml

Each file becomes cql_like/model/data/<name>-<version>.json, re-expressed in our own compact notation: names, types,
cardinalities, code paths, mappings and conversions; no descriptions, bindings or constraints. The System model is
written in code (cql_like/model/system.py) and is skipped here.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cql_like.model.loader import DATA, load_model, to_json


def main(paths: list[str]) -> int:
    """Import every file; prints a line for each. Returns the exit code."""
    if not paths:
        print(__doc__)
        return 2
    DATA.mkdir(exist_ok=True)
    for path in paths:
        model = load_model(path)
        if model.name == "System":
            continue
        target = DATA / f"{model.name.lower()}-{model.version}.json"
        target.write_bytes(to_json(model))
        print(f"{model.name} {model.version}: {len(model.classes)} classes, {target.stat().st_size} bytes -> {target}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
