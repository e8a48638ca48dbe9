import {
  Project,
  type Scan,
  Scan as ScanSchema,
  ScanPath,
  type ScanSettings,
  Timestamp,
} from "@openscan/protocol";
import { z } from "zod";
import { scanFolderName } from "./layout.js";

/** As the project files have always been indented. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/**
 * A scan's JSON and the scan it tells of: `total_size_bytes` counts the JSON itself, so the number is looked
 * for until it fits. Each round can only add a digit, hence few are needed.
 *
 * @param otherBytes size of all files of the scan except its JSON
 */
export function encodeScan(scan: Scan, otherBytes: number): { readonly scan: Scan; readonly text: string } {
  let sized = scan;
  let text = toJson(sized);
  for (let round = 0; round < 5; round++) {
    const total = otherBytes + Buffer.byteLength(text);
    if (total === sized.total_size_bytes) break;
    sized = { ...sized, total_size_bytes: total };
    text = toJson(sized);
  }
  return { scan: sized, text };
}

/** A copy as files and replies have always shown it: a bound that is null, which is none, is left out. */
export function withoutNullBounds(settings: ScanSettings): ScanSettings {
  const shown: Partial<ScanSettings> = structuredClone(settings);
  for (const bound of ["min_phi", "max_phi"] as const) if (shown[bound] === null) delete shown[bound];
  return shown as ScanSettings;
}

const scanTexts = new WeakMap<Scan, string>();

/** A scan as JSON without blanks; made once, because a scan that was handed out never changes. */
export function jsonOf(scan: Scan): string {
  const known = scanTexts.get(scan);
  if (known !== undefined) return known;
  const text = JSON.stringify(scan);
  scanTexts.set(scan, text);
  return text;
}

/** A project's own values: everything but its scans. */
export type ProjectFields = Omit<Project, "scans">;

export function encodeProject(project: ProjectFields, scans: readonly Scan[]): string {
  const summaries = scans.map(({ index, created, total_size_bytes }) => [
    scanFolderName(index),
    { index, created, total_size_bytes },
  ]);
  return toJson({ ...project, scans: Object.fromEntries(summaries) });
}

/** The older backend wrote local time without a zone, which moves when the zone changes. */
const UtcTimestamp = Timestamp.transform((text, context) => {
  const ms = Date.parse(text);
  if (!Number.isNaN(ms)) return text.endsWith("Z") ? text : new Date(ms).toISOString();
  context.issues.push({ code: "custom", message: "is not a date and time", input: text });
  return z.NEVER;
});

const ProjectFile = Project.omit({ scans: true }).extend({ created: UtcTimestamp });
const PathFile = ScanPath.extend({ generated: UtcTimestamp });
const ScanFile = ScanSchema.extend({ created: UtcTimestamp, last_updated: UtcTimestamp });

/** @throws Error telling what is wrong with the JSON */
export function decodeProject(json: unknown): ProjectFields {
  return parse(ProjectFile, json);
}

/** @throws Error telling what is wrong with the JSON */
export function decodeScan(json: unknown): Scan {
  return parse(ScanFile, json);
}

/** @throws Error telling what is wrong with the JSON */
export function decodePath(json: unknown): ScanPath {
  return parse(PathFile, json);
}

function parse<T>(schema: z.ZodType<T>, json: unknown): T {
  const { success, data, error } = schema.safeParse(json);
  if (success) return data;
  throw new Error(z.prettifyError(error), { cause: error });
}

/** Makes a value read-only through and through, so that it can be handed out without a copy. */
export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
