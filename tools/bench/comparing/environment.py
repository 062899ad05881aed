"""The private virtual environment of the peers, under build/. Standard library only."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
REQUIREMENTS = os.path.join(HERE, "requirements.txt")
# PyTorch for CPUs alone. PyPI has the same version together with several GB of CUDA libraries, which
# import but are never used here; it is taken where this index cannot be reached.
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def python_of(folder):
    return os.path.join(folder, "bin", "python")


def library_source():
    """The program that joins oneDNN's C++ interface to Python."""
    return os.path.join(HERE, "onednn_attention.cpp")


def variables(contender, threads, folder):
    """Environment variables of a contender's process."""
    if contender != "onednn":
        return {}
    # oneDNN's wheel runs on SYCL, whose CPU device is an OpenCL driver from the same environment.
    libraries = os.path.join(folder, "lib")
    return {"LD_LIBRARY_PATH": libraries, "DPCPP_CPU_NUM_CUS": str(threads),
            "OCL_ICD_FILENAMES": os.path.join(libraries, "libintelocl.so")}


def requirements():
    with open(REQUIREMENTS) as file:
        return file.read()


def is_ready(folder):
    stamp = os.path.join(folder, "set-up")
    if not os.path.exists(stamp):
        return False
    with open(stamp) as file:
        return file.read() == stamp_text(folder)


def stamp_text(folder):
    with open(library_source()) as file:
        return f"{sys.version}\n{os.path.abspath(folder)}\n{requirements()}\n{file.read()}"


def prepare(folder, say):
    """Makes or renews the environment; returns its Python. Raises RuntimeError with pip's last words."""
    if is_ready(folder):
        return python_of(folder)
    log = folder + ".log"
    say(f"installing the peers into {folder} (log: {log})")
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with open(log, "w") as file:
        run([sys.executable, "-m", "venv", "--clear", folder], file)
        pip = [python_of(folder), "-m", "pip", "install", "--disable-pip-version-check"]
        torch = next(line for line in requirements().splitlines() if line.startswith("torch=="))
        subprocess.run([*pip, "--no-deps", "--retries", "0", "--timeout", "20",
                        "--index-url", CPU_INDEX, torch], stdout=file, stderr=file)
        run([*pip, "--requirement", REQUIREMENTS], file)
        libraries = os.path.join(folder, "lib")
        run(["c++", "-std=c++17", "-O2", "-shared", "-fPIC", library_source(), "-o",
             os.path.join(libraries, "libonednn_attention.so"), "-I" + os.path.join(folder, "include"),
             "-L" + libraries, "-ldnnl", "-Wl,--allow-shlib-undefined"], file)
    with open(os.path.join(folder, "set-up"), "w") as file:
        file.write(stamp_text(folder))
    return python_of(folder)


def run(command, log):
    log.flush()
    if subprocess.run(command, stdout=log, stderr=log).returncode:
        with open(log.name) as file:
            last = "".join(file.readlines()[-15:])
        raise RuntimeError(f"failed: {' '.join(command)}\n{last}")
