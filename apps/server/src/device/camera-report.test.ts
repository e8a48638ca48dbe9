import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Device } from "@openscan/hardware";
import { DeviceConfiguration } from "@openscan/protocol";
import { silentLogger } from "@openscan/runtime";
import { FakeClock } from "@openscan/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import { CameraReports, reportText } from "./camera-report.js";

/** A machine with these programs, which are scripts for Node, and these video devices. */
async function create({
  programs = {},
  video,
  limitMs = 10_000,
}: {
  programs?: Record<string, string>;
  video?: Record<string, string | null>;
  limitMs?: number;
} = {}) {
  const folder = await mkdtemp(join(tmpdir(), "openscan-report-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, script] of Object.entries(programs)) {
    const file = join(folder, name);
    await writeFile(file, `#!${process.execPath}\n${script}`);
    await chmod(file, 0o755);
  }
  for (const [device, name] of Object.entries(video ?? {})) {
    const file = join(folder, "video", device, "name");
    await mkdir(dirname(file), { recursive: true });
    if (name !== null) await writeFile(file, `${name}\n`);
  }
  const clock = new FakeClock();
  const device = new Device({ clock, log: silentLogger });
  onTestFinished(() => device.close());
  const reports = new CameraReports({
    device,
    version: "1.2.3",
    clock,
    videoDir: join(folder, "video"),
    programs: { limitMs, maxBytes: 2000, env: { PATH: folder } },
  });
  return { device, reports, folder };
}

test("a machine without anything has a report that says so", async () => {
  const { reports } = await create();
  const made = await reports.make();
  expect(made).toMatchObject({
    ok: true,
    return_code: 0,
    stderr: "",
    gphoto2: { available: false, error: "gphoto2 is not installed", detected: false, cameras: [] },
  });
  expect(made.report).toContain("Cameras, 2026-01-01T00:00:00.000Z: OpenScan server 1.2.3, ");
  expect(made.report).toContain("Cameras of this device\n  none\n");
  expect(made.report).toContain("Camera drivers of this server\n  simulated\n");
  expect(made.report).toContain("(V4L2)\n  cannot be listed: ENOENT");
  expect(made.report).toContain("none of rpicam-hello, libcamera-hello, cam is installed");
});

test("cameras of every kind are told", async () => {
  const { device, reports } = await create({
    programs: {
      gphoto2: `
        if (process.argv.slice(2).join() !== "--auto-detect") process.exit(9);
        console.log("Model                          Port");
        console.log("----------------------------------------------------------");
        console.log("Canon EOS 100D                 usb:001,005     ");
        console.log("A Camera With A Very Long Name Indeed usb:002,003");
        console.error("a warning");`,
      "libcamera-hello": `console.log("0 : imx519 [4656x3496]", process.argv[2]);`,
    },
    video: { video1: null, video0: "HD Webcam" },
  });
  await device.initialize(
    DeviceConfiguration.parse({
      name: "Test",
      cameras: { "my camera": { type: "picamera2", path: "simulated" } },
    }),
  );
  const made = await reports.make();
  const cameras = [
    { model: "Canon EOS 100D", port: "usb:001,005" },
    { model: "A Camera With A Very Long Name Indeed", port: "usb:002,003" },
  ];
  expect(made.gphoto2).toEqual({ available: true, error: null, detected: true, cameras });
  expect(made.stderr).toBe("a warning\n");
  for (const line of [
    "my camera: picamera2 at simulated; delivers jpeg, dng, raw, rgb_array, yuv_array",
    "/dev/video0: HD Webcam\n  /dev/video1: without a name",
    "Canon EOS 100D at usb:001,005",
    "libcamera-hello --list-cameras:\n  0 : imx519 [4656x3496] --list-cameras",
  ])
    expect(made.report).toContain(line);
  const text = reportText(made);
  expect(text.startsWith(made.report)).toBe(true);
  expect(JSON.parse(text.slice(text.indexOf("\n{")))).toEqual(made.gphoto2);
});

test.each([
  ["fails", "console.error('*** Error ***'); process.exit(1)", "gphoto2 ended with code 1"],
  [
    "hangs",
    "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)",
    "gphoto2 did not end within 400 ms",
  ],
  ["talks for ever", "for (;;) require('fs').writeSync(1, 'x'.repeat(500))", "gphoto2 said too much"],
  [
    "crashes",
    "process.kill(process.pid, 'SIGSEGV'); setInterval(() => {}, 9)",
    "gphoto2 was ended by SIGSEGV",
  ],
])("a gphoto2 that %s is told, and does not keep the report", async (what, script, error) => {
  const { reports } = await create({
    programs: { gphoto2: script },
    limitMs: what === "hangs" ? 400 : 10_000,
  });
  const made = await reports.make();
  expect(made).toMatchObject({ ok: true, gphoto2: { available: true, error, detected: false } });
  expect(made.report.length).toBeLessThan(4000);
});

test("a gphoto2 that may not be run is told", async () => {
  const { reports, folder } = await create({ programs: { gphoto2: "" } });
  await chmod(join(folder, "gphoto2"), 0o644);
  expect((await reports.make()).gphoto2).toMatchObject({
    error: expect.stringContaining("EACCES") as string,
  });
});

test("all who ask at once get one report", async () => {
  const { reports } = await create();
  const [first, second] = await Promise.all([reports.make(), reports.make()]);
  expect(second).toBe(first);
  expect(await reports.make()).not.toBe(first);
});
