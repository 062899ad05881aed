"""One contender in a process of its own: reads a request a line from stdin, answers a line of JSON.

usage: python worker.py CONTENDER THREADS DTYPE CPUS [ATTUNE]

Requests: {"do": "prepare", "case": C, "folder": F} with the files of problem.py, then any number of
{"do": "time", "case": C, "seconds": S, "least": R}. Cases stay prepared until the process ends.
"""
import ctypes
import json
import os
import signal
import sys
import time

import numpy as np

from cases import CASES
from generated import Attune
from onednn import OneDnn
from peers import NotSupported, OnnxRuntime, OpenVino, Torch, WrongResult
from problem import ALLOWED

PR_SET_PDEATHSIG = 1


def make_contender(name, threads, dtype, attune):
    if name == "attune":
        return Attune(threads, dtype, attune)
    return {"torch": Torch, "openvino": OpenVino, "onnxruntime": OnnxRuntime,
            "onednn": OneDnn}[name](threads, dtype)


class Prepared:
    """A case that is ready to run, and the result it must give."""

    def __init__(self, contender, case, folder, allowed):
        inputs = {file.removesuffix(".npy"): np.load(os.path.join(folder, file))
                  for file in sorted(os.listdir(folder), key=self.rank) if file != "reference.npy"}
        self.reference = np.load(os.path.join(folder, "reference.npy"), mmap_mode="r")
        self.magnitude = float(np.abs(self.reference).max())
        self.allowed = allowed * self.magnitude
        self.run, self.result = contender.prepare(case, inputs)
        self.inputs = inputs  # peers keep addresses of them

    @staticmethod
    def rank(file):
        """The order of inputs and parameters in the interface of the generated code."""
        order = ["query", "key", "value", "in_proj_weight", "in_proj_bias", "out_proj_weight",
                 "out_proj_bias", "reference"]
        return order.index(file.removesuffix(".npy"))

    def check(self):
        """Largest absolute error of the latest result; raises WrongResult where it is too large."""
        error = float(np.abs(self.result() - self.reference).max())
        if not error <= self.allowed:  # a NaN is too large
            raise WrongResult(f"off by {error:.2g} where {self.allowed:.2g} is allowed")
        return error


def measure(run, seconds, least):
    """Milliseconds of runs, until `seconds` are spent and `least` runs are made, or four times as
    many seconds. Before come two runs to warm up, or one that takes as long as a turn."""
    samples, spent, clock = [], 0.0, time.perf_counter
    start = clock()
    run()
    if clock() - start < seconds:
        run()
    while spent < seconds or (len(samples) < least and spent < 4 * seconds):
        start = clock()
        run()
        samples.append(clock() - start)
        spent += samples[-1]
    return [round(sample * 1e3, 5) for sample in samples]


class Worker:
    def __init__(self, name, threads, dtype, attune):
        self.arguments, self.dtype = (name, threads, dtype, attune), dtype
        self.contender, self.prepared = None, {}

    def answer(self, request):
        name = request["case"]
        if request["do"] == "prepare":
            if self.contender is None:
                self.contender = make_contender(*self.arguments)
            prepared = Prepared(self.contender, CASES[name], request["folder"], ALLOWED[self.dtype])
            prepared.run()
            answer = {"error": prepared.check(), "magnitude": prepared.magnitude,
                      "allowed": prepared.allowed, "version": self.contender.version(),
                      "schedule": getattr(self.contender, "schedule", None)}
            self.prepared[name] = prepared
            return answer
        prepared = self.prepared[name]
        samples = measure(prepared.run, request["seconds"], request["least"])
        return {"samples_ms": samples, "error": prepared.check()}


def main():
    name, threads, dtype, cpus, *attune = sys.argv[1:]
    # This process is stopped most of the time; it shall not stay behind when the race is killed.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # Before a library starts threads or counts CPUs.
    os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    # Libraries print what they like; answers have a channel of their own.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(name, int(threads), dtype, attune[0] if attune else None)
    for line in sys.stdin:
        try:
            answer = {"status": "ok", **worker.answer(json.loads(line))}
        except Exception as error:
            kinds = {NotSupported: "not supported", WrongResult: "wrong"}
            answer = {"status": kinds.get(type(error), "failed"),
                      "message": (str(error) or type(error).__name__)[:300]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
