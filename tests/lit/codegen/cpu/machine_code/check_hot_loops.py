"""Checks the innermost FMA loops of the kernels in an assembly file, without timing anything.

    check_hot_loops.py FILE.s ymm|zmm|neon

In every kernel attune_scores_RxV_... and attune_accumulate_RxV_... some innermost loop must hold at
least R * V packed FMAs, all on registers of the given width; no innermost loop with FMAs may call, or
have a vector register on the stack.
"""
import re
import sys
from dataclasses import dataclass


@dataclass
class Language:
    """Regular expressions of an assembly language."""

    comment: str
    fma: str
    jump: str  # its group is the label
    call: str
    vector: str
    stack: str
    framed: str = ""  # the instruction that makes a register the frame pointer
    frame: str = ""  # the stack in functions with that instruction


X86 = Language("#", r"vfn?m(?:add|sub)\d+ps\s", r"j\w+\s+(\S+)$", "call", r"[xyz]mm", r"\(%rsp",
               r"movq\s+%rsp, %rbp", r"\(%r[sb]p")
AARCH64 = Language("//", r"fml[as]\s", r"(?:b\.\w+|b|cbn?z|tbn?z)\s+(?:.*, )?(\.L\S+)$", r"blr?\s",
                   r"\b[qv]\d", r"\[sp")

# What every FMA of a loop has, by the last argument of the command.
WIDTHS = {"ymm": (X86, "ymm"), "zmm": (X86, "zmm"), "neon": (AARCH64, ".4s")}


def functions(path, language):
    """Name -> instructions and labels, in order."""
    result, name = {}, None
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.split(language.comment)[0].strip()
            if re.match(r"\.Lfunc_end", line):
                name = None
            elif start := re.match(r"([A-Za-z_]\w*):", line):
                name = start.group(1)
                result[name] = []
            elif name and line:
                result[name].append(line)
    return result


def innermost_loops(lines, language):
    """The bodies of backward branches that hold no other."""
    places = {line[:-1]: at for at, line in enumerate(lines) if line.endswith(":")}
    loops = set()
    for at, line in enumerate(lines):
        jump = re.match(language.jump, line)
        if jump and places.get(jump.group(1), at) < at:
            loops.add((places[jump.group(1)], at))
    inside = lambda a, b: a != b and b[0] <= a[0] and a[1] <= b[1]
    return [lines[a[0] : a[1] + 1] for a in sorted(loops) if not any(inside(b, a) for b in loops)]


def problems(name, rows, vectors, lines, language, width):
    fma = re.compile(language.fma)
    loops = innermost_loops(lines, language)
    loops = [body for body in loops if any(fma.match(line) for line in body)]
    framed = language.framed and any(re.match(language.framed, line) for line in lines)
    stack = re.compile(language.frame if framed else language.stack)
    best = 0
    for body in loops:
        fmas = [line for line in body if fma.match(line)]
        if all(width in line for line in fmas):
            best = max(best, len(fmas))
        for line in body:
            if re.match(language.call, line):
                yield f"{name}: {body[0]} calls: {line}"
            if re.search(language.vector, line) and stack.search(line):
                yield f"{name}: {body[0]} has a vector on the stack: {line}"
    if best < rows * vectors:
        yield f"{name}: no loop of {rows * vectors} FMAs on {width}; the largest has {best}"
    else:
        print(f"{name}: {best} FMAs in the largest loop")


def main(path, width):
    language, mark = WIDTHS[width]
    found, kernels = [], 0
    for name, lines in functions(path, language).items():
        kernel = re.match(r"attune_(?:scores|accumulate)_(\d+)x(\d+)_", name)
        if kernel:
            kernels += 1
            rows, vectors = int(kernel.group(1)), int(kernel.group(2))
            found += problems(name, rows, vectors, lines, language, mark)
    if not kernels:
        found.append(f"{path}: no kernel attune_scores_ or attune_accumulate_")
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
