"""run_shipped.py FOLDER RECORD ...: compiles and runs the schedule of each record, a file as in schedules/shipped/, for
a module of its kind, with results compared to the float64 reference; a target that this machine cannot run is only
compiled. A pattern without files stands for none."""
import glob
import json
import os
import subprocess
import sys

ROWS = 150  # several query tiles, and a rest


def module_of(record):
    heads, shape = 2, record["shape"]
    forward = {"is_causal": shape["causal"], "need_weights": shape["weights"]}
    config = {"name": "shipped", "op": record["op"], "dtype": record["dtype"], "forward": forward}
    if shape["masked"]:
        forward["attn_mask"] = "bool_2d"
    depth = record["head_dim"]
    tensors = {}
    if record["op"] == "attention":
        config["module"] = {"num_heads": heads, "head_dim": depth}
        for name in ("query", "key", "value"):
            tensors[name] = (1, heads, ROWS, depth)
    else:
        width = heads * depth
        config["module"] = {"embed_dim": width, "num_heads": heads, "batch_first": True}
        forward["inputs"] = "self"
        tensors = {"query": (1, ROWS, width), "in_proj_weight": (3 * width, width), "in_proj_bias": (3 * width,),
                   "out_proj.weight": (width, width), "out_proj.bias": (width,)}
    words = [f"{name}=F32:{','.join(map(str, sizes))}:random" for name, sizes in tensors.items()]
    if shape["masked"]:
        words.append(f"attn_mask=BOOL:{ROWS},{ROWS}:random")
    return config, words


def check(path, folder):
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    config, tensors = module_of(record)
    files = [os.path.join(folder, name) for name in ("config.json", "schedule.json", "tensors.safetensors")]
    schedule = record["schedule"] | {"provenance": {"source": "", "machine": "", "date": "", "measured": ""}}
    for name, content in zip(files, (config, schedule)):
        with open(name, "w", encoding="utf-8") as file:
            json.dump(content, file)
    helper = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tensors.py")
    subprocess.run([sys.executable, helper, files[2], *tensors], check=True)
    common = [files[0], "--schedule", files[1], "--target", record["target"]]
    subprocess.run(["attune", "compile", *common, "-o", folder], stdout=subprocess.DEVNULL, check=True)
    weights = ["--weights", files[2]] if record["op"] != "attention" else []
    done = subprocess.run(["attune", "run", *common, *weights, "--inputs", files[2], "-o",
                           os.path.join(folder, "out.safetensors"), "--check"], capture_output=True, text=True)
    if "this CPU lacks" in done.stderr or "cannot run on this machine" in done.stderr:
        print("compiled", os.path.basename(path))
        return
    if done.returncode:
        sys.exit(f"{path}: {done.stderr}")
    print("ran", os.path.basename(path), done.stdout.strip())


def main(folder, *patterns):
    os.makedirs(folder, exist_ok=True)
    for pattern in patterns:
        for path in sorted(glob.glob(pattern)):
            check(path, folder)


main(*sys.argv[1:])
