import { z } from "zod";

const Reply = z.record(z.string(), z.unknown());
const UploadResult = z.object({
  /** Its name in the cloud. */
  project: z.string(),
  parts_uploaded: z.int(),
  archive_size_bytes: z.int(),
  photo_count: z.int(),
  create_response: Reply,
  start_response: Reply,
});
export type UploadResult = z.output<typeof UploadResult>;

/** How far an upload has come: what its successor goes on with. */
export const UploadRecord = z.object({
  project: z.string(),
  /** Of the photos in the archive; others need another archive. */
  photos: z.string(),
  photo_count: z.int(),
  archive_bytes: z.int(),
  split_size: z.int(),
  /** Of the account that the remote project belongs to. */
  account: z.string(),
  remote: z.string().nullable(),
  links: z.array(z.string()),
  /** Parts that the cloud has, zero-based. */
  sent: z.array(z.int()),
  create_response: Reply,
  /** Set once the cloud has begun to work on it. */
  start_response: Reply.nullable(),
  /** Whether the project tells of it. */
  told: z.boolean(),
});
export type UploadRecord = z.output<typeof UploadRecord>;

/** Nothing of it is in the cloud yet. */
export function unsent() {
  return { remote: null, links: [], sent: [], create_response: {}, start_response: null, told: false };
}

export function resultOf(record: UploadRecord): UploadResult {
  return {
    project: record.remote ?? "",
    parts_uploaded: record.sent.length,
    archive_size_bytes: record.archive_bytes,
    photo_count: record.photo_count,
    create_response: record.create_response,
    start_response: record.start_response ?? {},
  };
}
