#!/usr/bin/env python3
"""Writes the seeds that are not text: seeds/{safetensors,npy,npz,pt}.

They are small, so that a test can cut them at every byte and flip every bit. A seed whose name
begins with `refused_` must be refused, every other one must be read.
"""
import collections
import io
import json
import pathlib
import pickle
import struct
import sys
import types
import zipfile

SEEDS = pathlib.Path(__file__).parent / "seeds"
EPOCH = (1980, 1, 1, 0, 0, 0)


def write(path, content):
    (SEEDS / path).parent.mkdir(parents=True, exist_ok=True)
    (SEEDS / path).write_bytes(content)


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def archive(members, compression=zipfile.ZIP_STORED, zip64=False):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as target:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = compression
            with target.open(info, "w", force_zip64=zip64) as member:
                member.write(content)
    return file.getvalue()


# --- safetensors ---


def safetensors(header, data=b""):
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def write_safetensors():
    write("safetensors/empty.safetensors", safetensors({}))
    write("safetensors/two.safetensors",
          safetensors({"__metadata__": {"format": "pt"}, "a": tensor("F32", [2, 1], 0, 8),
                       "b.c": tensor("BOOL", [3], 8, 11)}, floats(1, 2) + b"\0\1\1"))
    write("safetensors/shapes.safetensors",
          safetensors({"scalar": tensor("I64", [], 0, 8), "none": tensor("F16", [0, 4], 8, 8),
                       "six": tensor("U8", [1, 1, 2, 1, 1, 1], 8, 10)}, bytes(10)))
    write("safetensors/refused_hole.safetensors",
          safetensors({"a": tensor("F32", [1], 4, 8)}, bytes(8)))


# --- NumPy ---


def npy(descr, shape, data, fortran=False, version=1):
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    length_bytes = 2 if version == 1 else 4
    header += " " * (-(6 + 2 + length_bytes + len(header) + 1) % 64) + "\n"
    return (b"\x93NUMPY" + bytes([version, 0]) + len(header).to_bytes(length_bytes, "little")
            + header.encode() + data)


def write_npy():
    six = floats(1, 2, 3, 4, 5, 6)
    write("npy/matrix.npy", npy("<f4", (2, 3), six))
    write("npy/version_2.npy", npy("<f8", (1,), bytes(8), version=2))
    write("npy/fortran.npy", npy("<f4", (2, 3), six, fortran=True))
    write("npy/boolean.npy", npy("|b1", (2,), b"\0\1"))
    write("npy/scalar.npy", npy("<i8", (), bytes(8)))
    write("npy/empty.npy", npy("<f2", (0, 3), b""))
    write("npy/refused_object.npy", npy("|O", (1,), pickle.dumps([None], 2)))
    write("npz/two.npz", archive({"a.npy": npy("<f4", (2,), floats(1, 2)),
                                  "b.npy": npy("|u1", (), b"\7")}))
    write("npz/zip64.npz", archive({"a.npy": npy("<f4", (1,), floats(1))}, zip64=True))
    write("npz/refused_deflated.npz",
          archive({"a.npy": npy("<f4", (2,), floats(1, 2))}, zipfile.ZIP_DEFLATED))


# --- PyTorch ---


def fake_torch():
    """Modules with the names that PyTorch's pickles hold; without PyTorch itself."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch._utils = utils
    for name in ("FloatStorage", "HalfStorage", "BoolStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    for name in ("_rebuild_tensor_v2", "_rebuild_parameter"):
        function = types.FunctionType((lambda: None).__code__, {}, name)
        function.__module__, function.__qualname__ = "torch._utils", name
        setattr(utils, name, function)
    sys.modules.update({"torch": torch, "torch._utils": utils})
    return torch


class Storage:
    def __init__(self, kind, key, count):
        self.kind, self.key, self.count = kind, key, count


class Rebuilt:
    """Pickled as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", value.kind, value.key, "cpu", value.count)
        return None


class StateDict(collections.OrderedDict):
    """An OrderedDict with an attribute, which PyTorch's state dicts have."""

    def __reduce__(self):
        return (collections.OrderedDict, (), {"_metadata": collections.OrderedDict()}, None,
                iter(self.items()))


def pt(value, storages, byteorder=b"little", **options):
    text = io.BytesIO()
    Pickler(text, 2).dump(value)
    members = {"m/data.pkl": text.getvalue(), "m/byteorder": byteorder}
    members.update({f"m/data/{key}": data for key, data in storages.items()})
    members["m/version"] = b"3\n"
    return archive(members, **options)


def write_pt():
    torch = fake_torch()
    utils = torch._utils

    def view(storage, offset, size, stride):
        return Rebuilt(utils._rebuild_tensor_v2, storage, offset, size, stride, False,
                       collections.OrderedDict())

    four = Storage(torch.FloatStorage, "0", 4)
    whole = view(four, 0, (2, 2), (2, 1))
    data = {"0": floats(1, 2, 3, 4)}
    write("pt/state_dict.pt", pt(StateDict(w=whole, b=view(four, 2, (2,), (1,))), data))
    write("pt/views.pt", pt({"t": view(four, 0, (2, 2), (1, 2)), "s": view(four, 3, (), ())}, data))
    write("pt/nested.pt", pt({"model": {"w": whole}, "epoch": 3, "rate": 0.5, "flags": [True, None],
                              "size": (1, 2), "big": 1 << 40}, data))
    parameter = Rebuilt(utils._rebuild_parameter, whole, True, collections.OrderedDict())
    write("pt/parameter.pt", pt(collections.OrderedDict(w=parameter), data))
    write("pt/types.pt",
          pt({"h": view(Storage(torch.HalfStorage, "0", 1), 0, (1,), (1,)),
              "b": view(Storage(torch.BoolStorage, "1", 2), 0, (2,), (1,)),
              "l": view(Storage(torch.LongStorage, "2", 0), 0, (0, 2), (2, 1))},
             {"0": bytes(2), "1": b"\0\1", "2": b""}))
    write("pt/refused_big_endian.pt", pt({"w": whole}, data, b"big"))
    write("pt/refused_code.pt", pt({"w": Rebuilt(eval, "1")}, {}))
    write("pt/refused_deflated.pt", pt({"w": whole}, data, compression=zipfile.ZIP_DEFLATED))
    write("pt/refused_outside.pt", pt({"w": view(four, 1, (2, 2), (2, 1))}, data))


write_safetensors()
write_npy()
write_pt()
