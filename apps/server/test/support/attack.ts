import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { TestServer } from "./in-process.js";
import { type RawAnswer, rawHandshake, rawRequest, sendRaw } from "./raw-http.js";

export const control = "control-token/0123+4567=";
export const view = "view-token-0123456789abcdef";
export const bearer = (token: string) => `openscan.bearer.${Buffer.from(token).toString("base64url")}`;

export const motor = "/latest/motors/turntable";
export const angleOf = async ({ api }: Pick<TestServer, "api">, headers: Record<string, string> = {}) => {
  const reply = await fetch(`${api.url}${motor}`, { headers });
  return ((await reply.json()) as { angle: number }).angle;
};

/** What a UI sends to turn the turntable by ten degrees, from wherever. */
export const turn = (url: string, headers: readonly (readonly [string, string])[], path = motor) =>
  sendRaw(url, rawRequest("PATCH", `${path}/angle`, headers, '{"degrees":10}'));

export const shake = (
  url: string,
  headers: readonly (readonly [string, string])[],
  target = "/latest/ws/device",
) => sendRaw(url, rawHandshake(target, headers));

export const detail = ({ body }: RawAnswer) => (JSON.parse(body) as { detail: string }).detail;
export const local = ["Host", "localhost"] as const;

/** How a handshake of a real client ends: opened, refused with a status, or opened only to be closed. */
export async function attempt(
  url: string,
  protocols: string[],
  headers: Record<string, string> = {},
  query = "",
) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/latest/ws/device${query}`, protocols, {
    headers,
  });
  onTestFinished(() => socket.terminate());
  return new Promise<{ status: number; protocol?: string; code?: number; reason?: string }>((resolve) => {
    socket.on("error", () => {});
    socket.on("unexpected-response", (_request, response) => resolve({ status: response.statusCode ?? 0 }));
    socket.on("close", (code, reason) => resolve({ status: 101, code, reason: String(reason) }));
    // The first message, or an answered ping, proves that the server keeps the connection.
    socket.on("open", () => socket.ping());
    const accepted = () => resolve({ status: 101, protocol: socket.protocol });
    socket.on("pong", accepted);
  });
}
