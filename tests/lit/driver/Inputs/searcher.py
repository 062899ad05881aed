"""A searcher that tries the first values of the knob query_tile, and says on stderr what it was told."""
import json
import sys

space = json.loads(sys.stdin.readline())
values = {knob["name"]: knob["values"] for knob in space["knobs"]}["query_tile"]
for number, value in enumerate(values):
    print(json.dumps({"id": number, "knobs": {"query_tile": value}}), flush=True)
    answer = json.loads(sys.stdin.readline() or '{"type": "end"}')
    print(f"searcher: {answer['type']} {answer.get('id')} {answer.get('status')}", file=sys.stderr)
    if answer["type"] == "end":
        break
