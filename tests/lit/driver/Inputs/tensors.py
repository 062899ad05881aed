"""tensors.py FILE NAME=DTYPE:SIZES:VALUE ...: writes tensors as .safetensors. VALUE is a number for all
elements, or `random`: numbers between -1 and 1, for BOOL and U8 0 and 1, the same in every run.
tensors.py --list FILE: prints name, dtype and sizes of the tensors of a file."""
import json
import random
import struct
import sys

FORMATS = {"F32": "f", "F64": "d", "BOOL": "B", "U8": "B", "I32": "i"}


def values(dtype, count, value):
    if value != "random":
        return [float(value) if dtype in ("F32", "F64") else int(value)] * count
    if dtype in ("BOOL", "U8"):
        return [random.randint(0, 1) for _ in range(count)]
    return [random.uniform(-1, 1) for _ in range(count)]


def write(path, tensors):
    random.seed(1)
    header, data = {}, b""
    for tensor in tensors:
        name, description = tensor.split("=")
        dtype, sizes, value = description.split(":")
        shape = [int(size) for size in sizes.split(",")]
        count = 1
        for size in shape:
            count *= size
        content = struct.pack(f"<{count}{FORMATS[dtype]}", *values(dtype, count, value))
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def show(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    for name, tensor in header.items():
        print(name, tensor["dtype"], tensor["shape"])


if sys.argv[1] == "--list":
    show(sys.argv[2])
else:
    write(sys.argv[1], sys.argv[2:])
