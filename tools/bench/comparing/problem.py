"""Inputs of a case and its result in float64, written as .npy files that every contender reads.

usage: python problem.py CASE DTYPE FOLDER
"""
import os
import sys

import numpy as np

from cases import CASES

# Largest error allowed, as a share of the result's largest magnitude. Wide enough for any order of
# summation and for bfloat16 between stages, far below what a wrong mask, scale or layout gives.
ALLOWED = {"float32": 2e-5, "bfloat16": 3e-2}


def round_to_bfloat16(array):
    """float32 values that bfloat16 holds exactly: nearest, ties to even."""
    bits = array.view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return rounded.view(np.float32)


def make_inputs(case, dtype):
    """Seeded standard normal inputs; weights uniform in +-1/sqrt(E). Their values are exact in `dtype`."""
    generator = np.random.default_rng(1)
    def normal(*shape):
        return generator.standard_normal(shape, np.float32)
    if case.is_module:
        width, bound = case.embed_dim, case.embed_dim**-0.5
        def weight(rows):
            return generator.uniform(-bound, bound, (rows, width)).astype(np.float32)
        arrays = {"query": normal(case.batch, case.target, width),
                  "in_proj_weight": weight(3 * width), "in_proj_bias": normal(3 * width) * 0.1,
                  "out_proj_weight": weight(width), "out_proj_bias": normal(width) * 0.1}
    else:
        arrays = {name: normal(case.batch, case.heads, length, case.head_dim)
                  for name, length in (("query", case.target), ("key", case.source),
                                       ("value", case.source))}
    if dtype == "bfloat16":
        arrays = {name: round_to_bfloat16(array.astype(np.float32)) for name, array in arrays.items()}
    return {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}


def attend(case, query, key, value):
    """Softmax(q k^T / sqrt(D)) v in float64, head by head; causal is aligned at the top left. And
    the mean of the softmax over the heads."""
    out = np.empty(query.shape, np.float64)
    mean = np.zeros((case.batch, case.target, case.source), np.float64)
    hidden = np.triu(np.ones((case.target, case.source), bool), 1) if case.causal else None
    for batch, head in np.ndindex(case.batch, case.heads):
        q, k, v = (array[batch, head].astype(np.float64) for array in (query, key, value))
        scores = q @ k.T / np.sqrt(case.head_dim)
        if case.causal:
            scores[hidden] = -np.inf
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
        out[batch, head] = scores @ v
        mean[batch] += scores / case.heads
    return out, mean


def with_weights(case, out, weights):
    """A result with weights as one array, in which both are of like magnitude."""
    return np.concatenate([out.ravel(), weights.ravel() * case.source])


def reference(case, inputs):
    """The result in float64, in the shape of the query, or as with_weights gives it."""
    if not case.is_module:
        return attend(case, inputs["query"], inputs["key"], inputs["value"])[0]
    exact = {name: array.astype(np.float64) for name, array in inputs.items()}
    projected = exact["query"] @ exact["in_proj_weight"].T + exact["in_proj_bias"]
    def heads(part):
        block = projected[..., part * case.embed_dim:(part + 1) * case.embed_dim]
        split = block.reshape(case.batch, case.target, case.heads, case.head_dim)
        return split.transpose(0, 2, 1, 3)
    attended, weights = attend(case, heads(0), heads(1), heads(2))
    merged = attended.transpose(0, 2, 1, 3).reshape(case.batch, case.target, case.embed_dim)
    out = merged @ exact["out_proj_weight"].T + exact["out_proj_bias"]
    return with_weights(case, out, weights) if case.weights else out


def main():
    name, dtype, folder = sys.argv[1:]
    inputs = make_inputs(CASES[name], dtype)
    part = folder + ".part"
    os.makedirs(part)
    for key, array in inputs.items():
        np.save(os.path.join(part, key + ".npy"), array)
    np.save(os.path.join(part, "reference.npy"), reference(CASES[name], inputs))
    os.rename(part, folder)


if __name__ == "__main__":
    main()
