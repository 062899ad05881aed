"""The page of tools/bench/compare, drawn from record.json, whose figures are made up."""
import copy
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.path.join(os.path.dirname(os.path.dirname(HERE)), "tools/bench")
RECORD = os.path.join(HERE, "record.json")
sys.path.insert(0, os.path.join(BENCH, "comparing"))

import cases
import environment
import markdown
import page
import record as records
import roofline

# What would make a browser fetch something, or run something.
FOREIGN = re.compile(r"https?:|//\w|\bsrc=|@import|url\(|<(script|link|iframe|img|object|embed)\b", re.I)
VOID = {"meta", "br"}


def load():
    with open(RECORD, encoding="utf-8") as file:
        return json.load(file)


def compare(path, out):
    command = [sys.executable, "-B", os.path.join(BENCH, "compare"), "--from-json", path, "--html", out]
    return subprocess.run(command, capture_output=True, text=True)


class Reader(html.parser.HTMLParser):
    """Checks that elements are closed in order; gathers links, ids and table rows."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.ids, self.tables = [], [], [], []
        self.feed(text)
        self.close()
        if self.open:
            raise AssertionError(f"not closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.links += [attributes[key] for key in ("href", "xlink:href") if key in attributes]
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")

    def handle_data(self, data):
        if "td" in self.open[-3:] or "th" in self.open[-3:]:
            self.tables[-1][-1][-1] += data


class PageTest(unittest.TestCase):
    def setUp(self):
        self.text = page.draw(load())
        self.read = Reader(self.text)

    def rows(self, table):
        return {next(name for name in load()["cases"]["float32"]
                     if re.match(rf"{name}(?![a-z_])", row[1])): row
                for row in self.read.tables[table][1:]}

    def test_every_case_is_in_every_section(self):
        self.assertEqual(len(self.read.tables), 2)
        for table in (0, 1):
            self.assertEqual(list(self.rows(table)), list(load()["cases"]["float32"]))
        drawings = re.findall(r"<svg.*?</svg>", self.text, re.S)
        self.assertEqual(len(drawings), 3)  # two of float32; without attune no ratios of bfloat16
        for name in load()["cases"]["float32"]:
            self.assertIn(name, drawings[0])
            self.assertIn(name, drawings[1])
            self.assertIn(name, drawings[2])

    def test_nothing_is_loaded(self):
        self.assertIsNone(FOREIGN.search(self.text))
        self.assertEqual({link.removeprefix("#") for link in self.read.links}, set(self.read.ids))
        self.assertTrue(all(link.startswith("#") for link in self.read.links))

    def test_the_check_for_foreign_things_finds_them(self):
        for text in ('<img src="x.png">', "@import 'a.css'", "https://example.org", 'href="//host"',
                     "url(font.woff)", "<script>"):
            self.assertIsNotNone(FOREIGN.search(text), text)

    def test_drawings_are_well_formed(self):
        for drawing in re.findall(r"<svg.*?</svg>", self.text, re.S):
            xml.etree.ElementTree.fromstring(drawing)

    def test_ratios_use_best_times_and_the_fastest_peer(self):
        ratios = {name: row[-3] for name, row in self.rows(0).items()}
        self.assertEqual(ratios, {"core_d64": "1.25×", "core_d64_causal": "2.00×", "decode": "0.50×",
                                  "mha_128_768": "–"})
        mean = records.sections(load())[0].mean_ratio()
        self.assertAlmostEqual(mean, 1.25 ** (1 / 3))
        self.assertIn(f"<b>{mean:.2f}×</b>", self.text)
        self.assertIn("faster in 2 of 3 cases", self.text)

    def test_shares(self):
        row = self.rows(0)["core_d64"]
        # 3.2 GFLOP in 40 ms is 80.5 GFLOP/s of 100; the peak bounds this case, not the bandwidth.
        self.assertEqual(row[3], "80.540 · 41.5 ms")
        self.assertEqual(row[-2:], ["81%", "81%"])
        row = self.rows(0)["decode"]
        # 67 MFLOP in 30 ms is 2.2 GFLOP/s; 0.5 FLOP a byte allows 5 at 10 GB/s.
        self.assertEqual(row[-2:], ["2%", "45%"])

    def test_the_peak_is_that_of_the_dtype(self):
        record = load()
        record["limits"] = [{"dtype": "bfloat16", "threads": 1, "peak_gflops": [900.0], "read_gbs": [9.0]},
                            {"dtype": "float32", "threads": 1, "peak_gflops": [90.0], "read_gbs": [10.0]}]
        first = records.sections(record)[0]
        self.assertEqual((first.dtype, first.peak, first.peak_name), ("float32", 90.0, "FMA peak"))
        record["cases"]["bfloat16"] = record["cases"]["float32"]
        for result in record["results"]:
            result["dtype"] = "bfloat16"
        other = records.sections(record)[0]
        self.assertEqual((other.peak, other.read_gbs), (900.0, 9.0))
        self.assertIn("share of bfloat16 multiply-add peak", markdown.draw(record))
        # A record without dtypes has the float32 peak for all.
        record["limits"] = [{"threads": 1, "peak_gflops": [99.0], "read_gbs": [10.0]}]
        self.assertEqual((records.sections(record)[0].peak_name, records.sections(record)[0].peak),
                         ("FMA peak", 99.0))

    def test_wrong_and_failed_results_have_no_time(self):
        self.assertEqual(self.rows(0)["core_d64_causal"][5], "wrong")
        self.assertEqual(self.rows(0)["mha_128_768"][3], "failed")
        self.assertEqual(self.rows(1)["core_d64"][3], "not supported")
        self.assertIn("is not supported yet (all cases)", self.text)

    def test_texts_are_escaped(self):
        self.assertIn("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; more", self.text)

        record = load()
        record["cases"]["float32"]["decode"]["text"] = "1 < 2 & 3"
        Reader(page.draw(record))
        for drawing in re.findall(r"<svg.*?</svg>", page.draw(record), re.S):
            xml.etree.ElementTree.fromstring(drawing)

    def test_times_of_a_wrong_result_do_not_count(self):
        record = load()
        result = next(result for result in record["results"] if result["status"] == "wrong")
        result["rounds_ms"] = [[0.001]]
        self.assertEqual(page.draw(record), self.text)

    def test_the_command_measures_the_same(self):
        self.assertIn("--dtypes float32,bfloat16", self.text)
        self.assertIn("--cases core_d64,core_d64_causal,decode,mha_128_768", self.text)
        record = load()
        record["options"]["cases"] = list(cases.CASES)
        self.assertNotIn("--cases", page.draw(record))

    def test_notices(self):
        self.assertNotIn("interrupted", self.text)
        self.assertNotIn("not quiet", self.text)
        record = load()
        record["complete"], record["options"]["quick"] = False, True
        record["load"].update(others_share=0.4, stolen_share=0.3)
        text = page.draw(record)
        for part in ("was interrupted", "A quick run", "took 40% of its CPUs", "withheld 30%"):
            self.assertIn(part, text)

    def test_a_run_that_was_interrupted_early_has_a_page(self):
        record = load()
        record["complete"], record["limits"] = False, []
        for result in record["results"]:
            result["rounds_ms"] = []
        Reader(page.draw(record))
        record["results"] = []
        Reader(page.draw(record))


class CasesTest(unittest.TestCase):
    def test_work(self):
        self.assertEqual(cases.CASES["core_d64"].flops(), 4 * 12 * 1024 * 1024 * 64)
        self.assertEqual(cases.CASES["core_d64_causal"].flops(), 2 * 12 * 1024 * 1024 * 64)
        self.assertEqual(cases.CASES["mha_128_768"].flops(), 8 * 128 * 768**2 + 4 * 128 * 128 * 768)
        self.assertEqual(cases.CASES["decode"].bytes("float32"), 4 * 32 * 128 * (2 + 2 * 4096))
        self.assertEqual(cases.CASES["decode"].bytes("bfloat16"), 2 * 32 * 128 * (2 + 2 * 4096))

    def test_neighbours_in_the_roofline_keep_their_distance_and_order(self):
        places = roofline.spread([10.0, 100.0, 100.0, 101.0, 500.0])
        self.assertEqual((places[0], places[4]), (10.0, 500.0))
        for before, after in zip(places, places[1:]):
            self.assertGreaterEqual(after - before, roofline.DISTANCE - 1e-9)
        self.assertAlmostEqual(sum(places[1:4]), 301.0)  # moved evenly to both sides


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = os.path.join(self.folder.name, "page.html")

    def write(self, text):
        path = os.path.join(self.folder.name, "record.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_draws(self):
        result = compare(RECORD, self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.out, encoding="utf-8") as file:
            self.assertEqual(file.read(), page.draw(load()))

    def refused(self, text, *parts):
        result = compare(self.write(text), self.out)
        self.assertEqual(result.returncode, 1)
        self.assertNotIn("Traceback", result.stderr)
        for part in ("compare: error: ", "record.json", *parts):
            self.assertIn(part, result.stderr)
        self.assertFalse(os.path.exists(self.out))

    def test_malformed_json(self):
        with open(RECORD, encoding="utf-8") as file:
            text = file.read()
        for broken in ("", text[:len(text) // 2], text + "]", "{'format': 1}", "[" * 100000):
            self.refused(broken, "not JSON")

    def test_missing_file(self):
        result = compare(os.path.join(self.folder.name, "none.json"), self.out)
        self.assertEqual(result.returncode, 1)
        self.assertIn("compare: error: ", result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_records_that_say_something_else(self):
        def without_results(record): del record["results"]
        def foreign_format(record): record["format"] = "attune-compare-0"
        def negative(record): record["results"][1]["rounds_ms"] = [[1.0, -2.0]]
        def not_a_number(record): record["results"][1]["rounds_ms"] = [[float("nan")]]
        def no_list(record): record["results"][2]["rounds_ms"] = [3.0]
        def unknown_case(record): record["results"][0]["case"] = "core_d65"
        def unknown_status(record): record["results"][0]["status"] = "fine"
        def text_for_work(record): record["cases"]["float32"]["decode"]["flops"] = "many"
        def no_work(record): record["cases"]["float32"]["decode"]["bytes"] = 0
        def text_for_error(record): record["results"][0]["error"] = "small"
        def no_limit(record): record["limits"][0]["peak_gflops"] = [None]
        for change, place in (
                (without_results, "'results' is missing"), (foreign_format, "record.format"),
                (negative, "results[1].rounds_ms"), (not_a_number, "results[1].rounds_ms"),
                (no_list, "results[2].rounds_ms"), (unknown_case, "core_d65"),
                (unknown_status, "results[0].status"), (text_for_work, "decode.flops"),
                (text_for_error, "results[0].error"), (no_work, "float32.decode"), (no_limit, "limits[0]")):
            record = copy.deepcopy(load())
            change(record)
            with self.subTest(change.__name__):
                self.refused(json.dumps(record), place)
        self.refused("[]", "expected an object")


class Markdown(unittest.TestCase):
    def test_tables_have_every_case_and_the_fastest_is_bold(self):
        record = load()
        text = markdown.draw(record)
        tables = [part for part in text.split("\n\n") if part.startswith("| case ")]
        self.assertEqual(len(tables), len(records.sections(record)))
        for section, table in zip(records.sections(record), tables):
            lines = [line.strip("| ").split(" | ") for line in table.strip().splitlines()]
            self.assertEqual(len({line.count("|") for line in table.strip().splitlines()}), 1)
            rows = {line[0].split(":")[0]: line for line in lines[2:]}
            for row in section.rows:
                fastest = min(row.best, key=row.best.get)
                bold = [cell for cell in rows[row.name] if cell.startswith("**")]
                self.assertEqual(bold, [f"**{row.gflops(fastest):.1f}**"])

    def test_what_has_no_time_is_a_word(self):
        text = markdown.draw(load())
        self.assertIn("| not supported |", text)
        self.assertIn("| wrong |", text)


class Environment(unittest.TestCase):
    def test_onednn_gets_its_threads_by_variable(self):
        self.assertEqual(environment.variables("onednn", 2, "/venv")["DPCPP_CPU_NUM_CUS"], "2")
        self.assertEqual(environment.variables("torch", 2, "/venv"), {})


unittest.main()
