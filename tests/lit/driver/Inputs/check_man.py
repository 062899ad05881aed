"""check_man.py PAGE: every option in --help of every command stands in the part of the man page that
is about the command, and nothing else does; every key of the schema stands in it. PAGE is text without
markup."""
import json
import re
import subprocess
import sys


def run(*arguments):
    return subprocess.run(["attune", *arguments], capture_output=True, text=True, check=True).stdout


def help_options(text):
    """The names in the left column of the lists "Options:" and "Positionals:"."""
    names = set()
    for block in re.findall(r"^(?:Options|Positionals):\n((?:  .*\n)+)", text, re.M):
        for line in re.findall(r"^  (\S+)", block, re.M):
            names.update(line.split(","))
    return names


def page_options(part):
    """The tags of indented descriptions: names of options, or that of a positional argument."""
    names = set()
    for tag in re.findall(r"^ {7}(--?[a-z-]+(?:, --?[a-z-]+)*|[A-Z]+)(?: |$)", part, re.M):
        names.update(tag.split(", "))
    return names


def main(path):
    with open(path, encoding="utf-8") as file:
        page = file.read()
    sections = dict(re.findall(r"^([A-Z][A-Z ]+)\n((?:(?:   .*)?\n)*)", page, re.M))
    commands = re.findall(r"^  ([a-z]+) {2,}", run("--help").split("Subcommands:")[1], re.M)
    parts = {"": sections["OPTIONS"]}
    for part in re.split(r"^   attune ", sections["COMMANDS"], flags=re.M)[1:]:
        parts[part.split()[0]] = part
    wrong = []
    if set(parts) != {"", *commands}:
        wrong.append(f"commands: {sorted(parts)}, expected {commands}")
    count = 0
    for command, part in parts.items():
        expected = help_options(run(*command.split(), "--help"))
        count += len(expected)
        if page_options(part) != expected:
            wrong.append(f"{command}: {sorted(page_options(part))}, expected {sorted(expected)}")
    schema = json.loads(run("print", "schema"))["properties"]
    for name, value in schema.items():
        for key in [f"{name}.{leaf}" for leaf in value.get("properties", {})] or [name]:
            if not re.search(rf"^ {{7}}{re.escape(key)}\b", sections["CONFIGURATION"], re.M):
                wrong.append(f"key {key} is missing")
    print("\n".join(wrong))
    print(f"{len(commands)} commands, {count} options")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
