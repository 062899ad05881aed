"""attune as a contender: `attune compile --emit=so`, called through ctypes.

The structs mirror runtime/include/attune/attune.h, version ABI_VERSION; the shared object holds the
runtime as well. The call that is timed is NAME_forward with arguments that were filled before.
"""
import ctypes
import json
import os
import subprocess
import tempfile

import numpy as np

from peers import NotSupported
from problem import with_weights

ABI_VERSION, MAX_RANK, ALIGNMENT = 3, 6, 64
DTYPE_CODES = {"float32": 0, "bfloat16": 2}


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_int32),
                ("sizes", ctypes.c_int64 * MAX_RANK), ("strides", ctypes.c_int64 * MAX_RANK)]


class ContextOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("threads", ctypes.c_int32),
                ("parallel_for", ctypes.c_void_p), ("user", ctypes.c_void_p)]


def arguments_struct(names):
    class Arguments(ctypes.Structure):
        _fields_ = [("struct_size", ctypes.c_size_t), ("packed", ctypes.c_void_p),
                    ("packed_size", ctypes.c_size_t), ("workspace", ctypes.c_void_p),
                    ("workspace_size", ctypes.c_size_t), *((name, Tensor) for name in names)]
    return Arguments


def parameters_struct(names):
    class Parameters(ctypes.Structure):
        _fields_ = [("struct_size", ctypes.c_size_t), *((name, Tensor) for name in names)]
    return Parameters


def aligned(size):
    """An array of bytes that starts at a multiple of ALIGNMENT."""
    memory = np.zeros(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start:start + size]


class Attune:
    """Generated code for the host."""

    def __init__(self, threads, dtype, executable):
        self.threads, self.dtype, self.executable = threads, dtype, executable
        self.folder = tempfile.TemporaryDirectory(prefix="attune-compare-")
        self.schedule = None  # of what was compiled last

    def version(self):
        return subprocess.run([self.executable, "--version"], capture_output=True, text=True,
                              check=True).stdout.strip().removeprefix("attune ")

    def prepare(self, case, inputs):
        return Call(self.compile(case), self.threads, self.dtype, case, inputs).functions()

    def compile(self, case):
        """The path of the shared object."""
        name = f"case_{len(os.listdir(self.folder.name))}"
        config = os.path.join(self.folder.name, name + ".config.json")
        with open(config, "w") as file:
            json.dump(case.config(name, self.dtype), file)
        result = subprocess.run([self.executable, "compile", config, "-o", self.folder.name,
                                 "--emit=so", "--target", "host"], capture_output=True, text=True)
        if result.returncode:
            message = result.stderr.strip().removeprefix("attune: error: ").removeprefix(config + ":1: ")
            raise (NotSupported if "not supported" in message else RuntimeError)(message)
        with open(os.path.join(self.folder.name, name + ".json")) as file:
            metadata = json.load(file)
        if metadata["attune_abi"] != ABI_VERSION:
            raise RuntimeError(f"interface version {metadata['attune_abi']}, this tool knows {ABI_VERSION}")
        self.schedule = metadata["schedule"]
        return os.path.join(self.folder.name, name + ".so")


class Call:
    """One prepared call: library, context, packed parameters, workspace, tensors."""

    def __init__(self, path, threads, dtype, case, inputs):
        self.name = os.path.basename(path).removesuffix(".so")
        self.library = ctypes.CDLL(path)
        self.library.attune_last_error.restype = ctypes.c_char_p
        self.dtype, self.kept = dtype, []
        self.context = ctypes.c_void_p()
        options = ContextOptions(ctypes.sizeof(ContextOptions), threads, None, None)
        self.require(self.library.attune_context_create(ctypes.byref(options),
                                                        ctypes.byref(self.context)))
        self.case = case
        parameters = [name for name in inputs if name.startswith(("in_proj", "out_proj"))]
        tensors = [name for name in inputs if name not in parameters]
        shapes = {"out": inputs["query"].shape}
        if case.weights:
            shapes["weights"] = (case.batch, case.target, case.source)
        self.arguments = arguments_struct([*tensors, *shapes])()
        self.arguments.struct_size = ctypes.sizeof(self.arguments)
        for name in tensors:
            setattr(self.arguments, name, self.tensor(inputs[name]))
        self.outputs = [np.zeros(shape, np.float32 if dtype == "float32" else np.uint16)
                        for shape in shapes.values()]
        for name, output in zip(shapes, self.outputs):
            setattr(self.arguments, name, self.tensor(output))
        if parameters:
            self.pack({name: inputs[name] for name in parameters})
        self.give_workspace(case)

    def function(self, suffix, restype=ctypes.c_int):
        function = getattr(self.library, self.name + suffix)
        function.restype = restype
        return function

    def require(self, status):
        if status:
            raise RuntimeError(self.library.attune_last_error().decode() or f"status {status}")

    def tensor(self, array):
        """A view; a float32 array becomes a copy in the call's dtype."""
        if self.dtype == "bfloat16" and array.dtype == np.float32:
            array = (array.view(np.uint32) >> 16).astype(np.uint16)
        self.kept.append(array)
        strides = [stride // array.itemsize for stride in array.strides]
        fill = [0] * (MAX_RANK - array.ndim)
        return Tensor(array.ctypes.data, DTYPE_CODES[self.dtype], array.ndim,
                      (ctypes.c_int64 * MAX_RANK)(*array.shape, *fill),
                      (ctypes.c_int64 * MAX_RANK)(*strides, *fill))

    def pack(self, weights):
        parameters = parameters_struct(weights)()
        parameters.struct_size = ctypes.sizeof(parameters)
        for name, array in weights.items():
            setattr(parameters, name, self.tensor(array))
        packed = aligned(self.function("_packed_size", ctypes.c_size_t)())
        self.kept.append(packed)
        address = ctypes.c_void_p(packed.ctypes.data)
        self.require(self.function("_pack")(self.context, ctypes.byref(parameters), address,
                                            ctypes.c_size_t(packed.size)))
        self.arguments.packed, self.arguments.packed_size = packed.ctypes.data, packed.size

    def give_workspace(self, case):
        sizes = [ctypes.c_int64(size) for size in (case.batch, case.target, case.source)]
        workspace = aligned(self.function("_workspace_size", ctypes.c_size_t)(self.context, *sizes))
        self.kept.append(workspace)
        self.arguments.workspace = workspace.ctypes.data
        self.arguments.workspace_size = workspace.size

    def functions(self):
        """run() and result(), as in peers.py."""
        forward, context, arguments = self.function("_forward"), self.context, self.arguments
        pointer = ctypes.byref(arguments)
        def run():
            if forward(context, pointer):
                self.require(1)
        def as_float32(output):
            if self.dtype == "float32":
                return output
            return (output.astype(np.uint32) << 16).view(np.float32)
        def result():
            outputs = [as_float32(output) for output in self.outputs]
            return with_weights(self.case, *outputs) if self.case.weights else outputs[0]
        return run, result
