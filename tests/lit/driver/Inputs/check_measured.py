"""check_measured.py FOLDER BENCH TARGET_FOLDER ...: each file of a folder that is named for a target, as in
schedules/measured/, fits the case of the comparison and the dtype in its name. BENCH is tools/bench/comparing."""
import glob
import json
import os
import subprocess
import sys

work, bench, *folders = sys.argv[1:]
sys.dont_write_bytecode = True
sys.path.insert(0, bench)
from cases import CASES

for folder in folders:
    target = os.path.basename(folder.rstrip("/"))
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        case, dtype, _ = os.path.basename(path).removesuffix(".json").split("-")
        config = os.path.join(work, f"{case}.{dtype}.json")
        with open(config, "w", encoding="utf-8") as file:
            json.dump(CASES[case].config(case, dtype), file)
        result = subprocess.run(["attune", "explain", config, "--target", target, "--schedule", path],
                                capture_output=True, text=True)
        if result.returncode:
            sys.exit(f"{path}: {result.stderr}")
        with open(path, encoding="utf-8") as file:
            provenance = json.load(file)["provenance"]
        if not all(provenance[key] for key in ("source", "machine", "date", "measured")):
            sys.exit(f"{path}: provenance: found {provenance}, expected all of it")
        print(f"fits {target}/{os.path.basename(path)}")
