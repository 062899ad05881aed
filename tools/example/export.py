"""export.py FILE: writes a PyTorch attention module, an input and PyTorch's result."""
import sys

import torch
from safetensors.torch import save_file

torch.manual_seed(0)
module = torch.nn.MultiheadAttention(256, 8, batch_first=True).eval()
query = torch.randn(2, 50, 256)
with torch.no_grad():
    out, _ = module(query, query, query, need_weights=False)
save_file({**module.state_dict(), "query": query, "out": out}, sys.argv[1])
