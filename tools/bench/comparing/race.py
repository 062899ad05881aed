"""The race: processes, turns and rounds. Standard library only.

Every contender is one process for a dtype and a number of threads. First each prepares and checks
each case; then, round by round and case by case, the contenders take turns. Between its turns a
process is stopped, so that no waiting thread of one spins while another is timed.
"""
import dataclasses
import json
import os
import select
import signal
import subprocess
from collections.abc import Callable

import environment
from machine import Limits, choose_cpus

HERE = os.path.dirname(os.path.abspath(__file__))
ANSWER_SECONDS = 600
# A library that allocates its result in every call shall not pay for fresh pages each time, and
# buffers that come from numpy shall not have larger pages than those of a library.
VARIABLES = {"MALLOC_MMAP_THRESHOLD_": str(1 << 32), "MALLOC_TRIM_THRESHOLD_": str(1 << 36),
             "NUMPY_MADVISE_HUGEPAGE": "0"}


class Contender:
    """A process of worker.py that runs only while it is asked something."""

    def __init__(self, name, threads, dtype, settings):
        self.name, self.settings = name, settings
        cpus = ",".join(map(str, choose_cpus(threads)))
        self.arguments = [name, str(threads), dtype, cpus, settings.attune]
        self.variables = environment.variables(
            name, threads, os.path.dirname(os.path.dirname(settings.python)))
        self.log = os.path.join(settings.folder, f"{name}-{threads}-{dtype}.log")
        self.process = None
        self.prepared = set()

    def start(self):
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [self.settings.python, os.path.join(HERE, "worker.py"), *self.arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env={**os.environ, **VARIABLES, "OMP_NUM_THREADS": self.arguments[1],
                     **self.variables},
                start_new_session=True)  # Ctrl-C is for the race alone

    def ask(self, **request):
        """The answer; a process that dies or hangs is an answer with status "failed"."""
        if self.process is None:
            self.start()
        try:
            self.process.send_signal(signal.SIGCONT)
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], ANSWER_SECONDS)
            line = self.process.stdout.readline() if ready else ""
        except BrokenPipeError:  # the process ended while it was stopped
            ready, line = [self.process.stdout], ""
        if not line:
            return {"status": "failed", "message": self.why_silent(bool(ready))}
        self.process.send_signal(signal.SIGSTOP)
        return json.loads(line)

    def why_silent(self, ended):
        """What became of the process, with the last it said; it is stopped for good."""
        if not ended:
            self.stop()
            return f"no answer within {ANSWER_SECONDS} s"
        code = self.process.wait()
        self.stop()
        with open(self.log, errors="replace") as log:
            last = log.read().strip().splitlines()[-1:]
        return f"the process ended with {code}" + "".join(f": {line[:200]}" for line in last)

    def prepare(self, case, folder):
        """The answer; does nothing where the process has prepared the case already."""
        if case in self.prepared:
            return {"status": "ok"}
        answer = self.ask(do="prepare", case=case, folder=folder)
        if answer["status"] == "ok":
            self.prepared.add(case)
        return answer

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        self.prepared.clear()


@dataclasses.dataclass
class Settings:
    """How a race is run. `folder` is for files of this run alone; `say` takes a line of progress."""
    python: str
    attune: str
    folder: str
    contenders: list
    cases: list
    rounds: int
    seconds: float
    least: int
    limits: Limits
    say: Callable[[str], None]

    def problem(self, case, dtype):
        """The folder with the inputs and the reference of a case, made where it is not there yet."""
        folder = os.path.join(self.folder, f"{case}-{dtype}")
        if not os.path.exists(folder):
            subprocess.run([self.python, os.path.join(HERE, "problem.py"), case, dtype, folder],
                           check=True, start_new_session=True)
        return folder


class Block:
    """All cases of one dtype with one number of threads."""

    def __init__(self, record, dtype, threads, settings):
        self.record, self.dtype, self.threads, self.settings = record, dtype, threads, settings
        self.contenders = {name: Contender(name, threads, dtype, settings)
                           for name in settings.contenders}
        self.limit = {"dtype": dtype, "threads": threads, "peak_gflops": [], "read_gbs": []}
        self.results = {}

    def run(self):
        """Raises KeyboardInterrupt where the run is interrupted; the record holds what there is."""
        self.record["limits"].append(self.limit)
        try:
            for case in self.settings.cases:
                self.prepare(case)
            for number in range(1, self.settings.rounds + 1):
                self.run_round(number)
        finally:
            for contender in self.contenders.values():
                contender.stop()

    def prepare(self, case):
        """Inputs and reference, then each contender's check."""
        self.settings.say(f"{self.label()}: preparing {case}")
        folder = self.settings.problem(case, self.dtype)
        for name, contender in self.contenders.items():
            self.enter(case, name, contender.prepare(case, folder))

    def enter(self, case, name, answer):
        result = {"case": case, "dtype": self.dtype, "threads": self.threads, "contender": name,
                  "status": answer["status"], "message": answer.get("message", ""),
                  "error": answer.get("error"), "magnitude": answer.get("magnitude"),
                  "allowed": answer.get("allowed"), "rounds_ms": []}
        if answer.get("schedule"):
            result["schedule"] = answer["schedule"]
        self.results[case, name] = result
        self.record["results"].append(result)
        if "version" in answer:
            self.record["versions"][name] = answer["version"]
        if answer["status"] != "ok":
            self.settings.say(f"  {name}: {answer['status']}: {result['message']}")

    def run_round(self, number):
        self.measure_limits()
        for case in self.settings.cases:
            times = []
            for name, contender in self.in_order(number):
                if self.results[case, name]["status"] == "ok":
                    times.append(self.take_turn(case, name, contender))
            self.settings.say(f"{self.label()}: round {number} of {self.settings.rounds}, "
                              f"{case}: {', '.join(times)}")

    def in_order(self, number):
        """The contenders, each round another one first."""
        entries = list(self.contenders.items())
        first = number % len(entries)
        return entries[first:] + entries[:first]

    def take_turn(self, case, name, contender):
        """One turn; a contender that fails or gives a wrong result loses its times."""
        result = self.results[case, name]
        # Again only where the process had to be started anew.
        answer = contender.prepare(case, self.settings.problem(case, self.dtype))
        if answer["status"] == "ok":
            answer = contender.ask(do="time", case=case, seconds=self.settings.seconds,
                                   least=self.settings.least)
        if answer["status"] != "ok":
            result.update(status=answer["status"], message=answer["message"], rounds_ms=[])
            return f"{name} {answer['status']}"
        result["error"] = max(result["error"], answer["error"])
        result["rounds_ms"].append(answer["samples_ms"])
        return f"{name} {min(answer['samples_ms']):.2f} ms"

    def measure_limits(self):
        cpus, limits = choose_cpus(self.threads), self.settings.limits
        for key, measure in (("peak_gflops", lambda: limits.peak_gflops(cpus, self.dtype)),
                             ("read_gbs", lambda: limits.read_gbs(cpus))):
            try:
                self.limit[key].append(measure())
            except (RuntimeError, KeyError, ValueError) as error:
                self.settings.say(f"  cannot measure {key}: {error}")

    def label(self):
        return f"{self.dtype}, {self.threads} thread{'s' if self.threads > 1 else ''}"


def run(record, dtypes, threads, settings):
    """Fills the record, block by block; a later Ctrl-C keeps what is there."""
    for dtype in dtypes:
        for count in threads:
            Block(record, dtype, count, settings).run()
