"""check_schema.py SCHEMA FOLDER...: compares attune's JSON Schema with attune itself.

Every configuration below the folders that attune accepts fits the schema. What attune refuses, the
schema refuses as well, but for the kinds of mistakes below. The last line says how many files were
accepted and how many refused.
"""
import json
import os
import re
import subprocess
import sys

import jsonschema

# What a schema cannot say, or what attune's table of keys does not say.
BEYOND_A_SCHEMA = re.compile(
    r"expected a divisor of module.embed_dim|because (forward\.(batched|inputs)|dtype) is"
    r"|the sizes given make a \w+( or \w+)? tensor of more than"
    r"|found 8\.0, expected an integer"  # an integer to a schema
    r"|: score: (?!found \S+ \(a \w+\))"
)


def refuse(*_):
    raise ValueError("not in JSON")


def unique(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("duplicate key")
    return dict(pairs)


def read(path):
    """The value in a file, or nothing if a strict reader of JSON refuses it."""
    try:
        with open(path, encoding="utf-8") as file:
            return [json.load(file, parse_constant=refuse, object_pairs_hook=unique)]
    except ValueError:
        return []


def files(folders):
    for folder in folders:
        for directory, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                if name.endswith(".json"):
                    yield os.path.join(directory, name)


def main(schema_path, folders):
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    wrong, accepted, refused = [], 0, 0
    for path in files(folders):
        done = subprocess.run(
            ["attune", "compile", "--emit=graph", path], capture_output=True, text=True, check=False
        )
        fits = any(validator.is_valid(value) for value in read(path))
        if done.returncode == 0:
            accepted += 1
            if not fits:
                wrong.append(f"{path}: attune accepts it, the schema does not")
            continue
        refused += 1
        beyond = bool(BEYOND_A_SCHEMA.search(done.stderr))
        if fits and not beyond:
            wrong.append(f"{path}: the schema accepts it; {done.stderr.strip()}")
        if beyond and not fits:
            wrong.append(f"{path}: is refused by the schema, which it should be beyond")
    print("\n".join(wrong))
    print(f"{accepted} accepted, {refused} refused")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
