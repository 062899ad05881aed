"""Checks the innermost FMA loops of the kernels in an assembly file, without timing anything.

    check_hot_loops.py FILE.s ymm|zmm

In every kernel attune_scores_RxV_... and attune_accumulate_RxV_... some innermost loop must hold at
least R * V packed FMAs, all on registers of the given width; no innermost loop with FMAs may call, or
have a vector register on the stack.
"""
import re
import sys

FMA = re.compile(r"vfn?m(add|sub)\d+ps\s")


def functions(path):
    """Name -> instructions and labels, in order."""
    result, name = {}, None
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].strip()
            if re.match(r"\.Lfunc_end", line):
                name = None
            elif start := re.match(r"([A-Za-z_]\w*):", line):
                name = start.group(1)
                result[name] = []
            elif name and line:
                result[name].append(line)
    return result


def innermost_loops(lines):
    """The bodies of backward branches that hold no other."""
    places = {line[:-1]: at for at, line in enumerate(lines) if line.endswith(":")}
    loops = set()
    for at, line in enumerate(lines):
        jump = re.match(r"j\w+\s+(\S+)$", line)
        if jump and places.get(jump.group(1), at) < at:
            loops.add((places[jump.group(1)], at))
    inside = lambda a, b: a != b and b[0] <= a[0] and a[1] <= b[1]
    return [lines[a[0] : a[1] + 1] for a in sorted(loops) if not any(inside(b, a) for b in loops)]


def problems(name, rows, vectors, lines, width):
    loops = [body for body in innermost_loops(lines) if any(FMA.match(line) for line in body)]
    # rbp is a general register unless the function makes it its frame pointer.
    frame = "sb" if any(re.match(r"movq\s+%rsp, %rbp", line) for line in lines) else "s"
    stack = re.compile(rf"\(%r[{frame}]p")
    best = 0
    for body in loops:
        fmas = [line for line in body if FMA.match(line)]
        if all(width in line for line in fmas):
            best = max(best, len(fmas))
        for line in body:
            if re.match(r"call", line):
                yield f"{name}: {body[0]} calls: {line}"
            if re.search(r"[xyz]mm", line) and stack.search(line):
                yield f"{name}: {body[0]} has a vector on the stack: {line}"
    if best < rows * vectors:
        yield f"{name}: no loop of {rows * vectors} FMAs on {width}; the largest has {best}"
    else:
        print(f"{name}: {best} FMAs in the largest loop")


def main(path, width):
    found, kernels = [], 0
    for name, lines in functions(path).items():
        kernel = re.match(r"attune_(?:scores|accumulate)_(\d+)x(\d+)_", name)
        if kernel:
            kernels += 1
            found += problems(name, int(kernel.group(1)), int(kernel.group(2)), lines, width)
    if not kernels:
        found.append(f"{path}: no kernel attune_scores_ or attune_accumulate_")
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
