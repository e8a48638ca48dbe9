#!/usr/bin/env python3
"""Prints every step of the scanner's tasks."""

from scanner import arguments, follow, run, say


def show(task):
    progress = task["progress"]
    message = task["error"] or progress["message"]
    steps = f"{progress['current']:g}/{progress['total']:g}"
    say(f"task {task['id']} {task['name']} {task['status']} {steps} {message}".rstrip())


def on_state(status, tasks):
    if status != 200:
        say(f"no list of tasks: HTTP {status} {tasks}")
        return
    say(f"{len(tasks)} tasks")
    for task in tasks:
        show(task)


def on_message(message):
    if message["type"] == "task.update":
        show(message["task"])


run(follow(arguments(__doc__), "tasks", "/tasks/", on_state, on_message))
