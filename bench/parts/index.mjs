import { delta } from "./delta.mjs";
import { fanOut } from "./fan-out.mjs";
import { idle } from "./idle.mjs";
import { latency } from "./latency.mjs";
import { loop } from "./loop.mjs";
import { photo } from "./photo.mjs";
import { projects } from "./projects.mjs";
import { scan } from "./scan.mjs";
import { stalled } from "./stalled.mjs";
import { zip } from "./zip.mjs";

/**
 * What can be measured. Each has a `title`, `peerNames` that it is measured with, and
 * `measure({ peers, rounds, quick, progress })`, which resolves with the `rows` of a table, `goals` and `notes`.
 */
export const parts = { "fan-out": fanOut, latency, stalled, idle, delta, scan, photo, loop, projects, zip };
