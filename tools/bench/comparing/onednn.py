"""oneDNN as a peer: attention by its graph API, through a small library of onednn_attention.cpp."""
import ctypes
import os
import sys

import numpy as np

from peers import NotSupported

LIBRARY = os.path.join(sys.prefix, "lib", "libonednn_attention.so")


class OneDnn:
    """The pattern of scaled dot-product attention as one partition; attention alone."""

    def __init__(self, threads, dtype):
        self.library = ctypes.CDLL(LIBRARY)
        for name in ("error", "version"):
            getattr(self.library, f"onednn_attention_{name}").restype = ctypes.c_char_p
        self.library.onednn_attention_create.restype = ctypes.c_void_p
        self.is_bfloat16 = dtype == "bfloat16"

    def version(self):
        return self.library.onednn_attention_version().decode()

    def prepare(self, case, inputs):
        if case.is_module:
            raise NotSupported("oneDNN has no operation for the whole module")
        tensors = [self.convert(inputs[name]) for name in ("query", "key", "value")]
        tensors.append(np.zeros_like(tensors[0]))
        sizes = (ctypes.c_int64 * 5)(case.batch, case.heads, case.target, case.source, case.head_dim)
        buffers = (ctypes.c_void_p * 4)(*(array.ctypes.data for array in tensors))
        handle = self.library.onednn_attention_create(sizes, int(self.is_bfloat16),
                                                      int(case.causal), buffers)
        if not handle:
            raise NotSupported(self.library.onednn_attention_error().decode())
        execute, handle = self.library.onednn_attention_run, ctypes.c_void_p(handle)
        def run():
            if execute(handle):
                raise RuntimeError(self.library.onednn_attention_error().decode())
        return run, lambda: self.as_float32(tensors[-1])

    def convert(self, array):
        """The array in the dtype; the values of a bfloat16 case are exact in it."""
        return (array.view(np.uint32) >> 16).astype(np.uint16) if self.is_bfloat16 else array

    def as_float32(self, array):
        return (array.astype(np.uint32) << 16).view(np.float32) if self.is_bfloat16 else array
