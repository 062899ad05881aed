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
    return f"{sys.version}\n{os.path.abspath(folder)}\n{requirements()}"


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
    with open(os.path.join(folder, "set-up"), "w") as file:
        file.write(stamp_text(folder))
    return python_of(folder)


def run(command, log):
    log.flush()
    if subprocess.run(command, stdout=log, stderr=log).returncode:
        with open(log.name) as file:
            last = "".join(file.readlines()[-15:])
        raise RuntimeError(f"failed: {' '.join(command)}\n{last}")
