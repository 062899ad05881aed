"""The words of the page: how it was measured, on what, and what a reader must know before trusting
it. Standard library only."""
from cases import CASES
from svg import label

METHOD = (
    "Each contender is a process of its own, with its own thread setting, bound to the same cores, one "
    "thread a core. Each is stopped while another has its turn, so that no waiting thread spins.",
    "Round by round and case by case the contenders take turns, each round another one first. A turn is "
    "two calls to warm up (one, where it is longer than a turn), then calls until its time is spent. The best time counts: other work on the "
    "machine can only make a call slower. Medians are over all calls of all rounds.",
    "Everything is timed by the same Python loop around one call, which costs about a microsecond. "
    "attune: the generated shared object (attune compile --emit=so --target host), called through "
    "ctypes with buffers made before. PyTorch: scaled_dot_product_attention, and nn.MultiheadAttention "
    "in eval mode, under inference_mode, with need_weights=False but in mha_weights. OpenVINO: a compiled "
    "model with ScaledDotProductAttention, latency hint, results shared and not copied. ONNX Runtime: "
    "MultiHeadAttention and Attention of com.microsoft, with bound inputs and outputs. oneDNN: the "
    "graph API's pattern of attention as one compiled partition, as its wheel runs it, on SYCL; it has "
    "no operation for a module.",
    "All read the same inputs in the layout that they prefer: (N, H, L, D); ONNX Runtime (N, L, H·D). "
    "Weights are prepared once by those that can; that is not timed. No one compiles or allocates more "
    "than a call of the library does, and freed memory stays with the process, so that a result that is "
    "allocated in every call costs no fresh pages. No buffer asks for huge pages.",
    "After every turn the result is compared with float64 on the same inputs. An error above 2e-5 "
    "(float32) or 3e-2 (bfloat16) of the largest magnitude is a wrong result, and its times are dropped.",
    "FLOPs count 4·N·H·L·S·D, half of it when causal, and 8·N·L·E·E for a module’s projections, whatever "
    "a contender really computes. Bytes count inputs, parameters and outputs once.",
    "bfloat16: inputs are values that bfloat16 holds exactly. PyTorch and attune get bfloat16 tensors; "
    "OpenVINO gets float32 tensors and the bfloat16 precision hint; ONNX Runtime’s operators have none.",
    "The peak is that of attune bench: independent accumulators in registers, by the instruction that "
    "multiplies most values of the dtype (FMA, vdpbf16ps or AMX tiles); the read "
    "bandwidth that of summing blocks together four times the last-level cache; both once a round, on "
    "the same cores, and the best counts.",
)
# CPU flags that matter for these kernels, as /proc/cpuinfo writes them.
FLAGS = ("avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
         "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8", "asimd", "sve", "bf16")
# Above these shares of all CPUs other work is worth a word.
BUSY, STOLEN = 0.03, 0.02


def notices(record):
    """Sentences on what makes the figures less than they seem."""
    load, options, found = record["load"], record["options"], []
    if not record["complete"]:
        found.append("The run was interrupted: some cases have fewer rounds than others, or none.")
    if options.get("quick"):
        found.append("A quick run with few short turns: good for trying the tool, not for quoting.")
    busy, stolen = load.get("others_share", 0), load.get("stolen_share", 0)
    if busy > BUSY:
        found.append(f"The machine was not quiet: other programs took {busy:.0%} of its CPUs during "
                     "the run. Do not quote these figures.")
    if stolen > STOLEN:
        found.append(f"The host of this virtual machine withheld {stolen:.0%} of its CPUs.")
    return found


def machine_facts(record):
    """Pairs of a name and a text."""
    machine, load = record["machine"], record["load"]
    caches = ", ".join(f"{name} {size / 1024:g} MiB" if size >= 1024 else f"{name} {size} KiB"
                       for name, size in machine.get("caches_kib", {}).items())
    flags = [flag for flag in FLAGS if flag in machine.get("flags", [])]
    kind = "virtual machine" if machine.get("virtual") else "no hypervisor seen"
    facts = [("CPU", f"{machine.get('cpu', 'unknown')} (family {machine.get('family', '?')}, model "
                     f"{machine.get('model', '?')}), {machine.get('cpus', '?')} CPUs, {kind}"),
             ("vector features", ", ".join(flags) or "unknown"), ("caches of a core", caches),
             ("memory", f"{machine.get('memory_gib', '?')} GiB"),
             ("kernel, governor", f"{machine.get('kernel', '?')}, "
                                  f"{machine.get('governor') or 'governor not known'}"),
             ("attune", record["attune"].get("describe", "unknown"))]
    facts += [(label(who), version) for who, version in record["versions"].items() if who != "attune"]
    if "elapsed_s" in load:
        options = record["options"]
        facts.append(("run", f"{options.get('rounds', '?')} rounds of turns of {options.get('seconds', '?')} "
                             f"s, {load['elapsed_s'] / 60:.0f} minutes; other programs took "
                             f"{load.get('others_share', 0):.1%} of the CPUs"))
    return facts


def command(record):
    """The command line that measures the same again."""
    options = record["options"]
    lists = [("--dtypes", "dtypes"), ("--threads", "threads"), ("--peers", "peers")]
    if set(options.get("cases", [])) != set(CASES):
        lists.append(("--cases", "cases"))
    parts = [f"{flag} {','.join(map(str, options[key]))}" for flag, key in lists if options.get(key)]
    if options.get("rounds"):
        parts.append(f"--rounds {options['rounds']}")
    return "tools/bench/compare " + " \\\n    ".join(parts + (["--quick"] if options.get("quick") else []))
