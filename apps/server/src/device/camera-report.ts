import { readdir, readFile } from "node:fs/promises";
import { release, type } from "node:os";
import { join } from "node:path";
import type { Device } from "@openscan/hardware";
import type { CameraReport } from "@openscan/protocol";
import { type Clock, timestamp } from "@openscan/runtime";
import { type ProgramRun, type RunOptions, runProgram } from "./run-program.js";

export interface CameraReportsOptions {
  readonly device: Pick<Device, "cameras" | "configuration" | "driverKinds">;
  readonly version: string;
  readonly clock: Clock;
  /** Where the kernel lists video devices. */
  readonly videoDir?: string;
  readonly programs?: RunOptions;
}

const defaultPrograms: RunOptions = { limitMs: 10_000, maxBytes: 64 * 1024 };
/** Programs of libcamera that list cameras, the newest name first. */
const libcameraPrograms = [
  ["rpicam-hello", "--list-cameras"],
  ["libcamera-hello", "--list-cameras"],
  ["cam", "--list"],
] as const;

/**
 * Tells what is known about cameras: of this device, of the kernel, and of the programs that know others. What is not
 * there is said to be missing; there always is a report.
 */
export class CameraReports {
  readonly #options: CameraReportsOptions;
  #making: Promise<CameraReport> | undefined;

  constructor(options: CameraReportsOptions) {
    this.#options = options;
  }

  /** All who ask while a report is made get that one: programs run once. */
  make(): Promise<CameraReport> {
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  async #make(): Promise<CameraReport> {
    const { version, clock, videoDir = "/sys/class/video4linux", programs = defaultPrograms } = this.#options;
    const [videoDevices, gphoto2, libcamera] = await Promise.all([
      listVideoDevices(videoDir),
      runProgram("gphoto2", ["--auto-detect"], programs),
      listWithLibcamera(programs),
    ]);
    const cameras = gphoto2.isInstalled ? gphoto2Cameras(gphoto2.stdout) : [];
    const sections = {
      "Cameras of this device": this.#ownCameras(),
      "Camera drivers of this server": this.#options.device.driverKinds("camera"),
      "Video devices of the kernel (V4L2)": videoDevices,
      "Cameras that gphoto2 finds": [
        ...cameras.map(({ model, port }) => `${model} at ${port}`),
        ...(gphoto2.error ? [gphoto2.error] : []),
      ],
      "Cameras that libcamera finds": libcamera,
    };
    const report = [
      `Cameras, ${timestamp(clock)}: OpenScan server ${version}, ${type()} ${release()}, Node ${process.versions.node}`,
      ...Object.entries(sections).map(([title, lines]) =>
        [title, ...(lines.length > 0 ? lines : ["none"]).map((line) => `  ${line}`)].join("\n"),
      ),
    ].join("\n\n");
    return {
      ok: true,
      return_code: 0,
      script: "camera report of the server",
      report: `${report}\n`,
      stderr: gphoto2.stderr,
      gphoto2: {
        available: gphoto2.isInstalled,
        error: gphoto2.error,
        detected: cameras.length > 0,
        cameras,
      },
    };
  }

  #ownCameras(): string[] {
    const { device } = this.#options;
    return Object.entries(device.configuration().cameras).map(([name, { type, path, driver }]) => {
      const camera = device.cameras.get(name);
      const state = camera
        ? `delivers ${camera.formats.join(", ")}${camera.status().busy ? "; busy" : ""}`
        : "could not be opened: the log tells why";
      return `${name}: ${type} at ${path}${driver ? `, driver ${driver.kind}` : ""}; ${state}`;
    });
  }
}

/** The report for people, as one text. */
export function reportText({ report, gphoto2 }: CameraReport): string {
  return `${report}\ngphoto2\n${JSON.stringify(gphoto2, null, 2)}\n`;
}

async function listVideoDevices(directory: string): Promise<string[]> {
  try {
    const devices = await readdir(directory);
    return await Promise.all(
      devices.sort().map(async (device) => {
        const name = await readFile(join(directory, device, "name"), "utf8").catch(() => "without a name");
        return `/dev/${device}: ${name.trim()}`;
      }),
    );
  } catch (error) {
    return [`cannot be listed: ${(error as Error).message}`];
  }
}

async function listWithLibcamera(options: RunOptions): Promise<string[]> {
  for (const [program, ...args] of libcameraPrograms) {
    const run = await runProgram(program, args, options);
    if (!run.isInstalled) continue;
    return [`${program} ${args.join(" ")}:`, ...linesOf(run)];
  }
  return [`none of ${libcameraPrograms.map(([program]) => program).join(", ")} is installed`];
}

function linesOf({ stdout, error }: ProgramRun): string[] {
  return [...stdout.split("\n").filter((line) => line.trim() !== ""), ...(error ? [error] : [])];
}

/** Lines such as `Canon EOS 100D                 usb:001,005`, below two lines of heading. */
function gphoto2Cameras(output: string): CameraReport["gphoto2"]["cameras"] {
  return output.split("\n").flatMap((line) => {
    const [, model, port] =
      /^(\S.*?)\s+((?:usb|usbscsi|usbdiskdirect|serial|ptpip|disk|ip):\S*)\s*$/.exec(line) ?? [];
    return model && port ? [{ model, port }] : [];
  });
}
