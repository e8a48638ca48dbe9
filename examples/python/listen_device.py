#!/usr/bin/env python3
"""Prints every change of the scanner's motors, lights and cameras."""

from scanner import arguments, follow, run, say


def summary(device):
    parts = [
        f"{name} {motor['angle']:.1f}°{' moving' if motor['busy'] else ''}"
        for name, motor in device["motors"].items()
    ]
    parts += [f"{name} {'on' if light['is_on'] else 'off'}" for name, light in device["lights"].items()]
    parts += [f"{name} {'busy' if camera['busy'] else 'idle'}" for name, camera in device["cameras"].items()]
    return ", ".join(parts)


def on_state(status, device):
    if status == 200:
        say(f"device {device['name']}: {summary(device)}")
    elif "Device configuration is not loaded." in str(device):
        say("the scanner is not configured yet")
    else:
        say(f"no device: HTTP {status} {device}")


def on_message(message):
    if message["type"] != "device.status":
        return
    changed = message["changed"]
    what = "anything" if changed is None else ", ".join(changed)
    say(f"changed {what}: {summary(message['device'])}")


run(follow(arguments(__doc__), "device", "/device/info", on_state, on_message))
