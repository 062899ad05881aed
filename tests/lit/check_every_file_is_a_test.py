"""Checks that no file beside this script is left out: each lies in one of the folders named on the
command line and is a test with a RUN line, an input of one (a folder Inputs) or a script (.py)."""
import os
import sys


def is_helper(path):
    return "/Inputs/" in path or path.endswith(".py")


def problem(path):
    if not path.endswith((".mlir", ".test")):
        return "is neither .mlir nor .test"
    with open(path, encoding="utf-8") as file:
        return None if any("RUN:" in line for line in file) else "has no RUN line"


def main(folders):
    root = os.path.dirname(os.path.abspath(__file__))
    found = {entry.name for entry in os.scandir(root) if entry.is_dir() and entry.name[0] not in "_."}
    problems = [f"{name}: no ctest test runs this folder" for name in sorted(found - set(folders))]
    count = 0
    for folder in folders:
        for directory, _, names in os.walk(os.path.join(root, folder)):
            if directory.endswith("__pycache__"):
                continue
            for name in names:
                path = os.path.join(directory, name)
                if is_helper(path):
                    continue
                count += 1
                if wrong := problem(path):
                    problems.append(f"{os.path.relpath(path, root)}: {wrong}")
    print("\n".join(problems) if problems else f"{count} lit tests, every file is one")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
