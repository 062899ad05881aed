#!/usr/bin/env python3
"""Lets Optuna choose the schedules of attune tune.

    python3 -m venv venv && venv/bin/pip install optuna
    attune tune core.json --target-length 1024 --candidates 60 \\
        --searcher 'venv/bin/python tools/example/optuna_searcher.py'

The conversation is lines of JSON: tools/docs/tune.md describes them.
"""
import json
import sys

import optuna


def say(message):
    print(json.dumps(message), flush=True)


def hear():
    """The next message; None once attune has closed the conversation or the search is over."""
    line = sys.stdin.readline()
    message = json.loads(line) if line else {"type": "end"}
    return None if message["type"] == "end" else message


def main():
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = hear()
    choices = {knob["name"]: knob["values"] for knob in space["knobs"]}
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=space["seed"]))
    study.enqueue_trial({knob["name"]: knob["default"] for knob in space["knobs"]})
    while True:
        trial = study.ask()
        say({"id": trial.number,
             "knobs": {name: trial.suggest_categorical(name, values)
                       for name, values in choices.items()}})
        result = hear()
        if result is None:
            return
        if result["status"] == "ok":
            study.tell(trial, result["ms"])
        else:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)


main()
