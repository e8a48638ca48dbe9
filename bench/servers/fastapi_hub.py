"""The existing backend's way to tell its clients, on FastAPI: python3 fastapi_hub.py <file with an event per line>

Every event is a task that sends to one client after the other and stringifies for each. Orders as in orders.mjs.
"""

import asyncio
import json
import resource
import sys
import time

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
clients: set[WebSocket] = set()
broadcasts: set[asyncio.Task] = set()  # asyncio itself may forget a task that nobody holds
received = 0
acknowledged = asyncio.Event()


@app.websocket("/{path:path}")
async def device(client: WebSocket):
    await client.accept()
    clients.add(client)
    try:
        while True:
            await client.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        clients.discard(client)


async def broadcast(event):
    for client in list(clients):
        try:
            await client.send_json(event)
        except Exception:
            clients.discard(client)


def publish(event):
    task = asyncio.create_task(broadcast(event))
    broadcasts.add(task)
    task.add_done_callback(broadcasts.discard)


def cpu_micros():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return 1e6 * (usage.ru_utime + usage.ru_stime)


async def all_received(events):
    while received < events:
        acknowledged.clear()
        await acknowledged.wait()


async def run(events, batch, window, interval_ms):
    global received
    received = 0
    sent_at = []
    started_at, started_cpu = time.monotonic(), cpu_micros()
    turn = 0
    while len(sent_at) < events:
        if window:
            await all_received(len(sent_at) + batch - window)
        # A wait of 0 still is a turn of the event loop.
        await asyncio.sleep(max(0, started_at + turn * interval_ms / 1000 - time.monotonic()))
        for _ in range(batch):
            publish(device_statuses[len(sent_at) % len(device_statuses)])
            sent_at.append(1000 * time.monotonic())
        turn += 1
    if window:
        await all_received(events)
    wall_ms = 1000 * (time.monotonic() - started_at)
    tell({"cpuMicros": cpu_micros() - started_cpu, "wallMs": wall_ms, "sentAt": sent_at})


def tell(message):
    print(json.dumps(message), flush=True)


async def take_orders(server):
    global received
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    runs = set()
    while line := await lines.readline():
        order, *values = line.decode().split()
        if order == "run":
            runs.add(asyncio.create_task(run(*map(int, values[:3]), float(values[3]))))
        elif order == "received":
            received = int(values[0])
            acknowledged.set()
        elif order == "collect":
            tell({"collected": True})
    server.should_exit = server.force_exit = True


async def main():
    config = uvicorn.Config(app, host="127.0.0.1", port=0, backlog=4096, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    tell({"port": server.servers[0].sockets[0].getsockname()[1]})
    await take_orders(server)
    await serving


with open(sys.argv[1]) as file:
    device_statuses = [json.loads(line) for line in file]
try:
    import uvloop

    uvloop.install()
except ImportError:
    pass
asyncio.run(main())
