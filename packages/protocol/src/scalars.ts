import { z } from "zod";

/** ISO-8601 date and time; written in UTC with `Z`. Files of the older backend carry local time without a zone. */
export const Timestamp = z.string().meta({ format: "date-time" });
export type Timestamp = z.output<typeof Timestamp>;

/** An angle in degrees. */
export const Angle = z.number().min(0).max(360);

/** A reply that only tells what was removed. */
export const DeleteResponse = z.object({
  success: z.boolean(),
  message: z.string(),
  deleted: z.array(z.string()),
});
export type DeleteResponse = z.output<typeof DeleteResponse>;
