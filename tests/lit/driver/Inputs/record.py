"""record.py SCHEDULE [--pretty] [key=value ...]: one line of a database, for the schedule of a NAME.json or of a
schedule file; with --pretty the record alone, as attune db export writes it.

Keys are those of a record, with shape.KEY and schedule.KEY; values are JSON or bare words. Made without attune's own
code, so that the format is checked from outside.
"""
import json
import sys
import zlib


def value_of(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def main(path, *changes):
    with open(path, encoding="utf-8") as file:
        schedule = json.load(file)
    schedule = schedule.get("schedule", schedule)
    schedule.pop("provenance")
    figures = {"best_ms": 1.5, "median_ms": 1.75, "noise": 0.01, "runs": 40}
    record = {
        "format": 1, "kind": "best", "op": "attention", "dtype": "float32", "head_dim": 64,
        "shape": {"heads": 16, "target_length": 512, "source_length": 512, "embed_dim": 0, "causal": False,
                  "masked": False, "weights": False},
        "target": "x86-64-v3", "microarchitecture": "znver3", "vector_lanes": 8, "vector_registers": 16,
        "workload": "w", "status": "ok", "detail": "", "threads": 1, "version": "0.1.0", "date": "2026-01-31",
        "machine": "a test", "figures": figures, "default_figures": figures | {"best_ms": 1.75}, "schedule": schedule,
    }
    for change in changes:
        if change == "--pretty":
            continue
        path, text = change.split("=", 1)
        *sections, key = path.split(".")
        place = record
        for section in sections:
            place = place[section]
        place[key] = value_of(text)
    if "--pretty" in changes:
        print(json.dumps(record, indent=2))
        return
    text = json.dumps(record)
    print(f'{{"checksum":"{zlib.crc32(text.encode()):08x}","record":{text}}}')


main(*sys.argv[1:])
