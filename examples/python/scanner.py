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
    loop = asyncio.get_running_loop()

    async def session(socket):
        # The events since the connection wait in the socket until the state is there.
        on_state(*await loop.run_in_executor(None, get, base_url(arguments) + state_path))
        say("connected")
        async for message in messages(socket):
            if message.get("type") == "ping":
                await socket.send('{"type":"pong"}')
            else:
                on_message(message)

    await keep_connected(lambda: socket_url(arguments, namespace), session)


def base_url(arguments):
    return f"{arguments.url.rstrip('/')}/{arguments.version}"


def socket_url(arguments, namespace):
    return f"ws{base_url(arguments).removeprefix('http')}/ws/{namespace}"


async def messages(socket):
    while True:
        yield json.loads(await asyncio.wait_for(socket.recv(), SILENCE_S))


async def keep_connected(next_url, session):
    """Calls session(socket) with a connection to next_url(), and again whenever that one is lost."""
    loop = asyncio.get_running_loop()
    failures = 0
    while True:
        opened_at = None
        wait_s = 0
        try:
            async with websockets.connect(next_url(), open_timeout=OPEN_TIMEOUT_S) as socket:
                opened_at = loop.time()
                await session(socket)
        except websockets.ConnectionClosed as closed:
            if closed.rcvd and closed.rcvd.code in FINAL_CLOSE_CODES:
                sys.exit(f"the scanner refuses: {closed.rcvd.code} {closed.rcvd.reason}")
            say(f"connection lost: {closed}")
            wait_s = asked_to_wait(closed.rcvd)
        except (OSError, asyncio.TimeoutError, websockets.InvalidHandshake, ValueError) as error:
            lost = "no connection" if opened_at is None else "connection given up"
            say(f"{lost}: {error or type(error).__name__}")
        if opened_at is not None and loop.time() - opened_at >= STABLE_S:
            failures = 0
        await asyncio.sleep(wait_s + random.uniform(0, min(20, 0.5 * 2**failures)))
        failures += 1


def asked_to_wait(close):
    try:
        return json.loads(close.reason)["retry_after_ms"] / 1000
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0


def run(coroutine):
    try:
        asyncio.run(coroutine)
    except KeyboardInterrupt:
        pass
