"""Runs the example in a pass's documentation.

    check_pass_docs.py ATTUNE_OPT PASS.td

The description of the pass holds a ```mlir block after "Before:". What the pass makes of it must be
the block after "After:", up to the names of values. Where the documentation says "After (checked by
PATH)" instead, the pass must accept the example and PATH must exist.
"""
import difflib
import os
import re
import subprocess
import sys

BLOCK = r"{}:?\s*```mlir\n(.*?)```"


def opt(tool, text, *arguments):
    """`text` as attune-opt prints it, which renames all values, after the given passes."""
    done = subprocess.run([tool, *arguments, "-"], input=text, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"attune-opt {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout.splitlines()


def main(tool, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    name = re.search(r'def \w+ : Pass<"([^"]+)"', text).group(1)
    before = re.search(BLOCK.format("Before"), text, re.S)
    if not before:
        sys.exit(f"{path}: the description has no example after Before:")
    actual = opt(tool, before.group(1), f"--{name}")
    elsewhere = re.search(r"After \(checked by (\S+?)\)", text)
    if elsewhere:
        root = os.path.dirname(os.path.abspath(__file__))
        if not os.path.exists(os.path.join(root, "..", "..", elsewhere.group(1))):
            sys.exit(f"{path}: {elsewhere.group(1)} does not exist")
        print("\n".join(actual))
        return 0
    after = re.search(BLOCK.format("After"), text, re.S)
    if not after:
        sys.exit(f"{path}: the description has no example after After:")
    expected = opt(tool, after.group(1))
    difference = list(
        difflib.unified_diff(expected, actual, "documented", f"made by --{name}", lineterm="")
    )
    print("\n".join(difference) if difference else f"{path}: --{name} does what it says")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
