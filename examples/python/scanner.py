"""Follows a namespace of the scanner's realtime API for ever. Needs the package websockets (10.4 or newer)."""

import argparse
import asyncio
import json
import random
import sys
import urllib.error
import urllib.request

import websockets

OPEN_TIMEOUT_S = 8
SILENCE_S = 75  # the server sends something at least every 30 s
STABLE_S = 30
FINAL_CLOSE_CODES = (4401, 4403, 4406)


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--url", default="http://localhost:8000", help="the scanner (default: %(default)s)")
    parser.add_argument("--version", default="latest", help="API version (default: %(default)s)")
    return parser.parse_args()


def say(text):
    print(text, flush=True)


def get(url):
    """The JSON of an answer, also of an error: an unconfigured scanner says so with status 503."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


async def follow(arguments, namespace, state_path, on_state, on_message):
    """Calls on_state(status, body) after each (re)connection, then on_message(message) for each event."""
    base = f"{arguments.url.rstrip('/')}/{arguments.version}"
    socket_url = f"ws{base.removeprefix('http')}/ws/{namespace}"
    loop = asyncio.get_running_loop()
    failures = 0
    while True:
        opened_at = None
        try:
            async with websockets.connect(socket_url, open_timeout=OPEN_TIMEOUT_S) as socket:
                # The events since the connection wait in the socket until the state is there.
                on_state(*await loop.run_in_executor(None, get, base + state_path))
                opened_at = loop.time()
                say("connected")
                while True:
                    message = json.loads(await asyncio.wait_for(socket.recv(), SILENCE_S))
                    if message.get("type") == "ping":
                        await socket.send('{"type":"pong"}')
                    else:
                        on_message(message)
        except websockets.ConnectionClosed as closed:
            if closed.rcvd and closed.rcvd.code in FINAL_CLOSE_CODES:
                sys.exit(f"the scanner refuses: {closed.rcvd.code} {closed.rcvd.reason}")
            say(f"connection lost: {closed}")
        except (OSError, asyncio.TimeoutError, websockets.InvalidHandshake, ValueError) as error:
            say(f"no connection: {error or type(error).__name__}")
        if opened_at is not None and loop.time() - opened_at >= STABLE_S:
            failures = 0
        await asyncio.sleep(random.uniform(0, min(20, 0.5 * 2**failures)))
        failures += 1


def run(coroutine):
    try:
        asyncio.run(coroutine)
    except KeyboardInterrupt:
        pass
