"""The record of a comparison: what is in the JSON file, reading it strictly, and what follows from it.

A record is one object:
  format      "attune-compare-1"
  date, attune {describe}, versions {contender: text}, machine, options, load
  complete    false where the run was interrupted
  cases       dtype -> case -> {kind, text, flops, bytes}
  limits      [{dtype, threads, peak_gflops: [...], read_gbs: [...]}]: multiply-add peak of the dtype,
              without dtype the float32 FMA peak, which then stands for every dtype; bytes read, GB/s
  results     [{case, dtype, threads, contender, status, message, error, magnitude, allowed,
                rounds_ms: [[...], ...], best_ms, median_ms, schedule of attune's code}]
status is "ok", "not supported", "wrong" (no times are kept) or "failed". error and allowed are absolute,
magnitude is the largest of the reference. Standard library only.
"""
import json
import math
import os
import statistics

FORMAT = "attune-compare-1"
STATUSES = ("ok", "not supported", "wrong", "failed")
ATTUNE = "attune"
# For each kind of object in a record: key -> type that it must have.
TOP = {"format": str, "date": str, "attune": dict, "versions": dict, "machine": dict,
       "options": dict, "load": dict, "complete": bool, "cases": dict, "limits": list,
       "results": list}
CASE = {"kind": str, "text": str, "flops": (int, float), "bytes": (int, float)}
LIMIT = {"threads": int, "peak_gflops": list, "read_gbs": list}
RESULT = {"case": str, "dtype": str, "threads": int, "contender": str, "status": str,
          "rounds_ms": list}


class BadRecord(Exception):
    """A file that is not a record; the text says where it goes wrong."""


def require_keys(value, keys, place):
    if not isinstance(value, dict):
        raise BadRecord(f"{place}: expected an object")
    for key, kind in keys.items():
        if key not in value:
            raise BadRecord(f"{place}: '{key}' is missing")
        if not isinstance(value[key], kind):
            raise BadRecord(f"{place}.{key}: wrong type, found {type(value[key]).__name__}")


def require_positive(values, place):
    for value in values:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value <= 0:
            raise BadRecord(f"{place}: expected positive numbers, found {json.dumps(value)}")


def check(record):
    """Raises BadRecord unless the page can be drawn from `record`."""
    require_keys(record, TOP, "record")
    if record["format"] != FORMAT:
        raise BadRecord(f"record.format: expected '{FORMAT}', found '{record['format']}'")
    for dtype, cases in record["cases"].items():
        if not isinstance(cases, dict):
            raise BadRecord(f"record.cases.{dtype}: expected an object")
        for name, case in cases.items():
            place = f"record.cases.{dtype}.{name}"
            require_keys(case, CASE, place)
            require_positive([case["flops"], case["bytes"]], place)
    for index, limit in enumerate(record["limits"]):
        place = f"record.limits[{index}]"
        require_keys(limit, LIMIT, place)
        if not isinstance(limit.get("dtype", ""), str):
            raise BadRecord(f"{place}.dtype: wrong type, found {type(limit['dtype']).__name__}")
        require_positive(limit["peak_gflops"] + limit["read_gbs"], place)
    for index, result in enumerate(record["results"]):
        check_result(result, record["cases"], f"record.results[{index}]")


def check_result(result, cases, place):
    require_keys(result, RESULT, place)
    if result["status"] not in STATUSES:
        raise BadRecord(f"{place}.status: unknown status '{result['status']}'")
    if result["case"] not in cases.get(result["dtype"], {}):
        raise BadRecord(f"{place}.case: '{result['case']}' is not among the record's cases")
    for key in ("error", "magnitude"):
        if not isinstance(result.get(key), (int, float, type(None))):
            raise BadRecord(f"{place}.{key}: expected a number or null")
    if "schedule" in result:
        require_keys(result["schedule"], {"provenance": dict}, f"{place}.schedule")
    for samples in result["rounds_ms"]:
        if not isinstance(samples, list) or not samples:
            raise BadRecord(f"{place}.rounds_ms: expected lists of milliseconds")
        require_positive(samples, place + ".rounds_ms")


def read(path):
    """The record in a file; raises BadRecord, or OSError where the file cannot be read."""
    with open(path, encoding="utf-8") as file:
        try:
            record = json.load(file)
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRecord(f"{path}: not JSON: {error}") from error
    try:
        check(record)
    except BadRecord as error:
        raise BadRecord(f"{path}: {error}") from error
    return record


def write(record, path):
    """Writes the file as a whole, so that an interruption leaves the old or the new one."""
    for result in record["results"]:
        samples = [sample for samples in result["rounds_ms"] for sample in samples]
        result["best_ms"] = min(samples, default=None)
        result["median_ms"] = statistics.median(samples) if samples else None
    text = json.dumps(record, separators=(",", ":"))
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(text + "\n")
    os.replace(path + ".part", path)


class Row:
    """One case of a section: each contender's figures, and the roof over it."""

    def __init__(self, number, name, case, results, limit):
        self.number, self.name, self.text = number, name, case["text"]
        self.flops, self.bytes = case["flops"], case["bytes"]
        self.results = {result["contender"]: result for result in results}
        self.best = {who: min(map(min, result["rounds_ms"]))
                     for who, result in self.results.items()
                     if result["status"] == "ok" and result["rounds_ms"]}
        self.median = {who: statistics.median(sum(self.results[who]["rounds_ms"], []))
                       for who in self.best}
        self.roof = roof(limit, self.intensity)

    @property
    def intensity(self):
        """FLOP for each byte that must move."""
        return self.flops / self.bytes

    def gflops(self, who):
        return self.flops / self.best[who] / 1e6

    def best_peer(self):
        """The fastest peer's name, or None."""
        peers = [who for who in self.best if who != ATTUNE]
        return min(peers, key=self.best.get, default=None)

    def ratio(self, peer):
        """The peer's best time as a multiple of attune's; None where one of them has no time."""
        if ATTUNE not in self.best or peer not in self.best:
            return None
        return self.best[peer] / self.best[ATTUNE]


def roof(limit, intensity):
    """GFLOP/s that the machine allows at an intensity, or None where a limit is unknown."""
    if not limit or not limit["peak_gflops"] or not limit["read_gbs"]:
        return None
    return min(max(limit["peak_gflops"]), max(limit["read_gbs"]) * intensity)


class Section:
    """All cases of one dtype with one number of threads."""

    def __init__(self, record, dtype, threads):
        self.dtype, self.threads = dtype, threads
        self.limit = next((limit for limit in record["limits"] if limit["threads"] == threads
                           and limit.get("dtype", dtype) == dtype), None)
        results = [result for result in record["results"]
                   if (result["dtype"], result["threads"]) == (dtype, threads)]
        present = {result["case"] for result in results}
        self.rows = [Row(number, name, case, [r for r in results if r["case"] == name], self.limit)
                     for number, (name, case) in enumerate(record["cases"][dtype].items(), 1)
                     if name in present]
        names = dict.fromkeys(result["contender"] for result in results)
        self.contenders = [ATTUNE, *(name for name in names if name != ATTUNE)]
        self.peak = max(self.limit["peak_gflops"], default=None) if self.limit else None
        self.read_gbs = max(self.limit["read_gbs"], default=None) if self.limit else None

    @property
    def peak_name(self):
        """What the peak is one of."""
        dtype = (self.limit or {}).get("dtype", "float32")
        return "FMA peak" if dtype == "float32" else f"{dtype} multiply-add peak"

    @property
    def title(self):
        return f"{self.dtype}, {self.threads} thread{'s' if self.threads > 1 else ''}"

    def ratios(self):
        """Best peer's time over attune's, of the cases that have both."""
        found = [row.ratio(row.best_peer()) for row in self.rows]
        return [ratio for ratio in found if ratio is not None]

    def refusals(self):
        """What attune said of cases that it did not run, each text once."""
        found = {}
        for row in self.rows:
            result = row.results.get(ATTUNE, {})
            if result.get("status", "ok") != "ok":
                text = f"attune: {result['status']}: {result.get('message') or 'no message'}"
                found.setdefault(text, []).append(row.name)
        return [f"{text} ({'all cases' if len(names) == len(self.rows) else ', '.join(names)})"
                for text, names in found.items()]

    def mean_ratio(self):
        """Their geometric mean, or None."""
        ratios = self.ratios()
        return statistics.geometric_mean(ratios) if ratios else None


def sections(record):
    keys = dict.fromkeys((result["dtype"], result["threads"]) for result in record["results"])
    return [Section(record, *key) for key in keys]
