/**
 * How a server's messages are read, by dialect. `read(text)` finds in a message
 * - an `event` with its `seq` and that of the event before it (0 where a dialect has none), or
 * - `start`: the `seq` that the events which follow continue; where there is a `greeting`, a client is `ready` with it
 * - something to `reply`, or nothing of interest.
 */
export const dialects = {
  plain: {
    path: "/",
    greeting: false,
    read(text) {
      const event = JSON.parse(text);
      return event.type === "ping" ? {} : { event, seq: 0, prev: 0 };
    },
  },
  v1: {
    path: "/?v=1",
    greeting: true,
    read(text) {
      const { seq, prev, ts, ...event } = JSON.parse(text);
      if (["hello", "ping"].includes(event.type)) return {};
      if (Number.isNaN(Date.parse(ts))) throw new Error(`${text.slice(0, 200)} has no time`);
      return event.snapshot ? { start: seq } : { event, seq, prev };
    },
  },
  socketIo: {
    path: "/socket.io/?EIO=4&transport=websocket",
    greeting: true,
    read(text) {
      if (text.startsWith("42")) return { event: JSON.parse(text.slice(2))[1], seq: 0, prev: 0 };
      if (text.startsWith("40")) return { start: 0 };
      if (text.startsWith("0")) return { reply: "40" };
      return text === "2" ? { reply: "3" } : {};
    },
  },
};
