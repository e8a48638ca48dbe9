import { settle } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { BackgroundJobs } from "./background-jobs.js";

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test("as many jobs as the limit run at once; the next waits for one to end", async () => {
  const jobs = new BackgroundJobs(2);
  const gates = [gate(), gate(), gate()];
  const started: number[] = [];
  const start = (index: number) =>
    jobs.start(async () => {
      started.push(index);
      await gates[index]?.opened;
    });
  await start(0);
  await start(1);
  const third = start(2);
  await settle();
  expect(started).toEqual([0, 1]);
  gates[1]?.open();
  await third;
  expect(started).toEqual([0, 1, 2]);
  gates[0]?.open();
  gates[2]?.open();
  await jobs.done();
});

test("the first failure is told by the next start and by done, and ended waits without telling", async () => {
  const jobs = new BackgroundJobs(2);
  await Promise.all([
    jobs.start(() => Promise.reject(new Error("disk full"))),
    jobs.start(() => Promise.reject(new Error("later"))),
  ]);
  await jobs.ended();
  let ran = false;
  const next = jobs.start(async () => {
    ran = true;
  });
  await expect(next).rejects.toThrow("disk full");
  await expect(jobs.done()).rejects.toThrow("disk full");
  expect(ran).toBe(false);
});
