"""The cases of the comparison: sizes, work, bytes, and the configuration that attune compiles.

`core` is attention alone: query (N, H, L, D), key and value (N, H, S, D). `module` is
nn.MultiheadAttention with self-attention, batch first: query (N, L, E). Standard library only.
"""
import dataclasses

DTYPE_BYTES = {"float32": 4, "bfloat16": 2}


@dataclasses.dataclass(frozen=True)
class Case:
    """Sizes as PyTorch names them; embed_dim is 0 for the core, head_dim is E / H for a module."""
    batch: int
    heads: int
    target: int
    source: int
    head_dim: int
    causal: bool = False
    embed_dim: int = 0
    weights: bool = False  # of a module, averaged over the heads

    @property
    def is_module(self):
        return self.embed_dim > 0

    def flops(self):
        """4 N H L S D, half of it when causal, and 8 N L E E for a module's four projections."""
        attention = 4 * self.batch * self.heads * self.target * self.source * self.head_dim
        projections = 8 * self.batch * self.target * self.embed_dim**2
        return attention // (2 if self.causal else 1) + projections

    def bytes(self, dtype):
        """Bytes that must move at least: inputs, parameters and outputs, each once."""
        if self.is_module:
            elements = 2 * self.batch * self.target * self.embed_dim
            elements += 4 * self.embed_dim**2 + 4 * self.embed_dim
            elements += self.batch * self.target * self.source if self.weights else 0
        else:
            elements = 2 * self.batch * self.heads * (self.target + self.source) * self.head_dim
        return elements * DTYPE_BYTES[dtype]

    def text(self):
        """The sizes in words, for a reader who knows attention but not the names of the cases."""
        sizes = f"{self.target} × {self.source}" if self.target != self.source else f"{self.target}²"
        batch = f"batch {self.batch}, " if self.batch > 1 else ""
        width = f"E {self.embed_dim}" if self.is_module else f"D {self.head_dim}"
        causal = ", causal" if self.causal else ""
        weights = ", returns weights" if self.weights else ""
        return f"{batch}{self.heads} heads, {sizes}, {width}{causal}{weights}"

    def config(self, name, dtype):
        """The configuration for attune; batch and lengths stay open."""
        if self.is_module:
            return {"name": name, "op": "multihead_attention", "dtype": dtype,
                    "module": {"embed_dim": self.embed_dim, "num_heads": self.heads,
                               "batch_first": True},
                    "forward": {"inputs": "self", "need_weights": self.weights}}
        return {"name": name, "op": "attention", "dtype": dtype,
                "module": {"num_heads": self.heads, "head_dim": self.head_dim},
                "forward": {"is_causal": self.causal, "need_weights": False}}


def _core(batch, heads, target, source, head_dim, causal=False):
    return Case(batch, heads, target, source, head_dim, causal)


def _module(batch, length, embed_dim, heads, weights=False):
    return Case(batch, heads, length, length, embed_dim // heads, False, embed_dim, weights)


CASES = {
    "core_d64": _core(1, 12, 1024, 1024, 64),
    "core_d64_causal": _core(1, 12, 1024, 1024, 64, causal=True),
    "core_d128": _core(1, 16, 2048, 2048, 128),
    "core_d128_causal": _core(1, 16, 2048, 2048, 128, causal=True),
    "core_d256": _core(1, 10, 512, 512, 256),
    "core_small": _core(8, 12, 128, 128, 64),
    "core_odd": _core(2, 7, 333, 517, 80),
    "decode": _core(1, 32, 1, 4096, 128),
    "mha_128_768": _module(1, 128, 768, 12),
    "mha_512_768": _module(1, 512, 768, 12),
    "mha_128_2560": _module(1, 128, 2560, 10),
    "mha_1024_1024": _module(1, 1024, 1024, 16),
    "mha_b8_128_1024": _module(8, 128, 1024, 16),
    "mha_weights": _module(1, 1024, 1024, 16, weights=True),
}


def describe(name, dtype):
    """What a record says of a case, so that its page can be drawn without this table."""
    case = CASES[name]
    return {"kind": "module" if case.is_module else "core", "text": case.text(),
            "flops": case.flops(), "bytes": case.bytes(dtype)}
