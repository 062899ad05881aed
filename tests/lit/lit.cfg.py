"""Tests of the compiler through its drivers: see the folders, which mirror compiler/."""
import os

import lit.formats

config.name = "attune"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = config.attune_lit_build_dir

# attune, attune-opt; FileCheck, not and the binary utilities.
config.environment["PATH"] = os.pathsep.join(
    [config.attune_tools_dir, config.llvm_tools_dir, os.environ.get("PATH", "")]
)
# Every compilation is one, and the user's cache is left alone; tests of the cache have their own.
config.environment["ATTUNE_CACHE_DIR"] = ""
# Schedules are those of the default function, and not what was measured on some machine.
config.environment["ATTUNE_DATABASE"] = ""
for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

config.substitutions.append(("%python", f'"{config.python}"'))
config.substitutions.append(("%compiler", os.path.join(config.attune_source_dir, "compiler")))
config.substitutions.append(("%tests", os.path.join(config.attune_source_dir, "tests")))
config.substitutions.append(("%lit", config.test_source_root))
