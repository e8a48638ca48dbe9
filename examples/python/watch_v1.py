#!/usr/bin/env python3
"""Prints every event of the tasks and of the device, and notices if one is missing: the dialect v1."""

import asyncio
from urllib.parse import urlencode

from scanner import arguments, keep_connected, messages, run, say, socket_url


class Missed(ValueError):
    """What came does not follow what came before."""


class Follower:
    """A state and the position that belongs to it, as in docs/protocol.md."""

    def __init__(self, namespace):
        self.namespace = namespace
        self.forget()

    def forget(self):
        self.state = self.epoch = self.seq = None

    def query(self):
        options = {"v": 1, "delta": 1}
        if self.seq is not None:
            options.update(since=self.seq, epoch=self.epoch)
        return urlencode(options)

    async def session(self, socket):
        async for message in messages(socket):
            self.take(message)

    def take(self, message):
        kind = message["type"]
        if kind == "hello":
            self.begin(message)
        elif kind == "error":
            say(f"{self.namespace} error {message['code']}: {message['message']}")
        elif kind == "ping":
            if message["last"] != self.seq:
                raise Missed(f"{self.namespace}: {message['last']} was sent, {self.seq} came last")
        elif "seq" in message:
            self.take_event(kind, message)

    def begin(self, hello):
        recovered = hello["resume"]["recovered"]
        if not recovered:
            self.forget()
        self.epoch = hello["epoch"]
        how = {True: "resumed, nothing is lost", False: "events may be lost", None: "from the start"}
        say(f"{self.namespace} connected: {how[recovered]}")

    def take_event(self, kind, event):
        is_snapshot = event.get("snapshot", False)
        if not is_snapshot and self.seq is not None and event["seq"] <= self.seq:
            return
        if event["prev"] is not None and event["prev"] != self.seq:
            raise Missed(f"{self.namespace}: {event['prev']} was sent, {self.seq} came last")
        try:
            self.fold(kind, event)
        except (KeyError, TypeError) as error:
            self.forget()
            raise Missed(f"{self.namespace}: {kind} {event['seq']} does not fit: {error!r}") from error
        self.seq = event["seq"]
        say(f"{self.namespace} {self.seq} {describe(kind, event)}")

    def fold(self, kind, event):
        if kind == "tasks.snapshot":
            self.state = {task["id"]: task for task in event["tasks"]}
        elif kind == "task.update":
            self.state[event["task"]["id"]] = event["task"]
        elif kind == "task.deleted":
            self.state.pop(event["id"], None)
        elif kind == "device.status":
            self.state = event["device"]
        elif kind == "device.delta":
            for pointer in event["unset"]:
                parent, name = self.member(pointer)
                del parent[name]
            for pointer, value in event["set"].items():
                parent, name = self.member(pointer)
                parent[name] = value

    def member(self, pointer):
        *parents, name = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
        parent = self.state
        for part in parents:
            parent = parent[part]
        return parent, name


def describe(kind, event):
    if kind == "task.update":
        task = event["task"]
        steps = f"{task['progress']['current']:g}/{task['progress']['total']:g}"
        return f"task {task['id']} {task['name']} {task['status']} {steps}"
    if kind == "photo.captured":
        return f"photo {event['file']} of task {event['task_id']}"
    if kind == "tasks.snapshot":
        return f"{len(event['tasks'])} tasks"
    changed = event.get("changed", [event.get("component", event.get("id", ""))])
    return f"{kind} {'anything' if changed is None else ', '.join(changed)}"


async def watch(options):
    followers = [Follower("tasks"), Follower("device")]
    await asyncio.gather(
        *(
            keep_connected(lambda f=f: f"{socket_url(options, f.namespace)}?{f.query()}", f.session)
            for f in followers
        )
    )


run(watch(arguments(__doc__)))
