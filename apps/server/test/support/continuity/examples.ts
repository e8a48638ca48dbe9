import type { Schedule } from "./schedule.js";

/** Schedules that failed once. */
export const tasksExamples: readonly Schedule[] = [];
export const deviceExamples: readonly Schedule[] = [];
