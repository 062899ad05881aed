"""run_page.py PAGE SOURCE BUILD CMAKE: does what a documentation page says, in a folder of its own.

A fenced block whose first line names a file (```c main.c) is written to that file. A block `console`
is run: lines that begin with "$ " are commands (a backslash at the end continues one), the lines below
are the output expected. `...` stands for anything, on a line of its own for any lines; a command
without lines below may print what it likes. A command fails if and only if it prints an error
("attune: error: ..."). The folder `attune` is the repository, with its build in attune/build/release,
and the programs of BUILD and CMAKE are in PATH. The commands of a page at the top of the repository are
run there instead. Every path of the repository that the page names must
exist, but for those with NAME in it.
"""
import os
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)
ROOMS = r"(?:compiler|runtime|schedules|tests|tools)/"
ERROR = re.compile(r"^\w+: error: ", re.M)
SECONDS = 300


def make_repository(folder, source, build):
    """`attune`: the sources as links, so that build/release can be any build."""
    os.makedirs(os.path.join(folder, "attune", "build"))
    os.symlink(build, os.path.join(folder, "attune", "build", "release"))
    for name in os.listdir(source):
        if name not in ("build", ".git"):
            os.symlink(os.path.join(source, name), os.path.join(folder, "attune", name))


def environment(folder, build, cmake):
    path = [os.path.join(build, "bin"), os.path.dirname(cmake), os.environ["PATH"]]
    kept = {k: v for k, v in os.environ.items() if not re.search(r"FLAGS$|^CMAKE_|^attune_", k)}
    return kept | {"PATH": ":".join(path), "HOME": folder, "ATTUNE_CACHE_DIR": "",
                   "ATTUNE_DATABASE": os.path.join(folder, "schedules.jsonl"), "LC_ALL": "C.UTF-8",
                   "CC": "cc", "CXX": "c++"}


def steps(block):
    """Pairs of a command and the lines expected."""
    command, lines = None, []
    for line in block.splitlines():
        if command is not None and command.endswith("\\"):
            command += "\n" + line
        elif line.startswith("$ "):
            if command is not None:
                yield command, lines
            command, lines = line[2:], []
        else:
            lines.append(line)
    if command is None:
        sys.exit(f"a console block without a command:\n{block}")
    yield command, lines


def pattern(lines):
    parts = [
        r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in lines
    ]
    return re.compile("".join(parts))


def run(command, lines, folder, variables):
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=variables, text=True, check=False,
                          timeout=SECONDS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = done.stdout
    print(f"$ {command}\n{output}", end="")
    if (done.returncode != 0) != bool(ERROR.search("\n".join(lines) + "\n")):
        sys.exit(f"-- exit status {done.returncode} is not what the page says")
    if lines and not pattern(lines).fullmatch(output):
        sys.exit("-- the page shows other output:\n" + "\n".join(lines))


def missing_paths(text, page, source):
    prose = BLOCK.sub("", text)
    named = re.findall(rf"`({ROOMS}[\w./-]+)`", prose)
    links = re.findall(r"\]\(([^):]+)\)", prose)
    paths = [os.path.join(source, name) for name in named if "NAME" not in name]
    paths += [os.path.join(os.path.dirname(page), link.split("#")[0]) for link in links]
    return [path for path in paths if not os.path.exists(path)]


def main(page, source, build, cmake):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    if missing := missing_paths(text, page, source):
        sys.exit("the page names what does not exist: " + ", ".join(missing))
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        make_repository(folder, source, build)
        variables = environment(folder, build, cmake)
        if os.path.dirname(page) == source:
            folder = os.path.join(folder, "attune")
        for language, name, block in BLOCK.findall(text):
            if name:
                os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(block)
            elif language == "console":
                for command, lines in steps(block):
                    run(command, lines, folder, variables)
                    count += 1
    if count == 0:
        sys.exit("the page has no commands")
    print(f"-- {count} commands did what the page says")


if __name__ == "__main__":
    main(*sys.argv[1:])
