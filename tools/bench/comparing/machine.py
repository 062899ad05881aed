"""What the machine is, which CPUs a run uses, and how fast it can at most compute and read.

Standard library only.
"""
import json
import os
import platform
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
LARGEST_BLOCK = 1 << 30


def read_text(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def cpu_field(name):
    match = re.search(rf"^{name}\s*:\s*(.*)$", read_text("/proc/cpuinfo"), re.MULTILINE)
    return match.group(1).strip() if match else ""


def parse_cpu_list(text):
    """The CPUs of a list such as 0-3,8."""
    cpus = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        cpus += range(int(first), int(last or first) + 1)
    return cpus


def choose_cpus(threads):
    """CPUs for so many threads, each on a core of its own; raises ValueError if there are too few."""
    allowed, chosen, taken = sorted(os.sched_getaffinity(0)), [], set()
    for cpu in allowed:
        if cpu in taken:
            continue
        chosen.append(cpu)
        siblings = read_text(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        taken |= {cpu, *parse_cpu_list(siblings)}
    if threads > len(chosen):
        raise ValueError(f"{threads} threads need as many cores; this process may use {len(chosen)}")
    return chosen[:threads]


def cache_sizes():
    """Level and kind of CPU 0's data caches, to KiB: {"L1d": 32, "L2": 1024, "L3": 32768}."""
    sizes = {}
    for index in range(8):
        folder = f"/sys/devices/system/cpu/cpu0/cache/index{index}/"
        kind, size = read_text(folder + "type").strip(), read_text(folder + "size").strip()
        if kind in ("Data", "Unified") and size.endswith("K"):
            level = read_text(folder + "level").strip()
            sizes["L" + level + ("d" if kind == "Data" else "")] = int(size[:-1])
    return sizes


def describe():
    memory = re.search(r"MemTotal:\s*(\d+)", read_text("/proc/meminfo"))
    flags = cpu_field("flags").split()
    return {"cpu": cpu_field("model name") or platform.processor() or platform.machine(),
            "family": cpu_field("cpu family"), "model": cpu_field("model"), "flags": flags,
            "cpus": os.cpu_count(), "cpus_allowed": sorted(os.sched_getaffinity(0)),
            "caches_kib": cache_sizes(),
            "memory_gib": round(int(memory.group(1)) / 2**20, 1) if memory else None,
            "virtual": "hypervisor" in flags, "kernel": platform.release(),
            "governor": read_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip()}


def busy_seconds():
    """CPU seconds of the whole machine since it started: worked, and stolen by other machines."""
    ticks = [int(field) for field in read_text("/proc/stat").split("\n", 1)[0].split()[1:]] or [0] * 8
    rate = os.sysconf("SC_CLK_TCK")
    return {"busy": (sum(ticks[:3]) + sum(ticks[5:7])) / rate, "stolen": ticks[7] / rate}


def pinned(command, cpus):
    """Runs a command on these CPUs; its standard output, or raises RuntimeError with its errors."""
    result = subprocess.run(command, capture_output=True, text=True,
                            start_new_session=True,
                            preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    if result.returncode:
        raise RuntimeError(result.stderr.strip() or f"{command[0]} failed")
    return result.stdout


class Limits:
    """Measures the peak of the fastest instruction that multiplies and adds a dtype (`attune bench`)
    and the read bandwidth (read_bandwidth.c)."""

    def __init__(self, attune, folder):
        self.attune, self.folder = attune, folder
        self.reader = os.path.join(folder, "read_bandwidth")
        subprocess.run(["cc", "-std=c11", "-O3", "-march=native",
                        os.path.join(HERE, "read_bandwidth.c"), "-lpthread", "-o", self.reader],
                       check=True)

    def peak_gflops(self, cpus, dtype):
        config = os.path.join(self.folder, f"peak.{dtype}.json")
        with open(config, "w") as file:
            json.dump({"name": "peak", "op": "attention", "dtype": dtype,
                       "module": {"num_heads": 1, "head_dim": 64}}, file)
        text = pinned([self.attune, "bench", config, "--target-length", "64",
                       "--threads", str(len(cpus)), "--json"], cpus)
        return json.loads(text)["peak_gflops"]

    def read_gbs(self, cpus):
        """Blocks together four times the last-level cache, and 256 MiB a thread at least."""
        cache = max([*cache_sizes().values(), 0]) * 1024
        block = min(LARGEST_BLOCK, max(256 << 20, 4 * cache // len(cpus)))
        text = pinned([self.reader, str(len(cpus)), str(block), "6"], cpus)
        return float(text.split()[0])
