import { CameraSettings } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import { z } from "zod";
import { type DriverContext, defineCameraDriver } from "../../define.js";
import type { SimulatedWorld } from "../../simulated-world.js";
import { rgbArray, yuvArray } from "../arrays.js";
import type { CameraDriver, CaptureRequest, Shot } from "../driver.js";
import { twinFrame } from "../twin/camera-model.js";
import { twinFacts } from "../twin/facts.js";
import type { Twin, TwinPhoto, TwinView } from "../twin/index.js";
import { previewSize, stillSize } from "../twin/view.js";
import { settledWhiteBalance, type WhiteBalance, type WhiteBalanceSearch } from "../white-balance.js";
import { greyWorld } from "./grey-world.js";

/** Nearer, the camera would touch what it photographs: then the distance was not configured at all. */
const NEAREST_MM = 60;
const USUAL_MM = 110;

const SimulatedCameraSettings = z.object({
  radius_mm: z
    .number()
    .min(NEAREST_MM)
    .optional()
    .describe(
      "true distance of lens and turntable centre; default: scan_radius_mm, or 110 where that is too near",
    ),
  depth_blur: z.boolean().default(true).describe("whether what is out of focus is blurred; sharp is faster"),
});

/** What renders the pictures. */
export type Renderer = Pick<Twin, "still" | "preview" | "close">;
export type CreateRenderer = (options: { log: Logger }) => Promise<Renderer>;

// Loaded with the first picture: it brings an image library and worker threads along.
const createTwin: CreateRenderer = async ({ log }) => {
  const { Twin } = await import("../twin/index.js");
  return new Twin({ log });
};

/** A camera that sees the object of the simulated world from where the motors really are. */
export const simulatedCamera = (world: SimulatedWorld, createRenderer: CreateRenderer = createTwin) =>
  defineCameraDriver({
    kind: "simulated",
    settings: SimulatedCameraSettings,
    open: async ({ radius_mm, depth_blur }, context) => {
      const { scanRadiusMm } = context;
      const radiusMm = radius_mm ?? (scanRadiusMm >= NEAREST_MM ? scanRadiusMm : USUAL_MM);
      return new SimulatedCamera({ world, context, createRenderer, radiusMm, depthBlur: depth_blur });
    },
    detect: async () => ({ simulated_camera: { type: "picamera2", path: "simulated" } }),
  });

interface SimulatedCameraOptions {
  readonly world: SimulatedWorld;
  readonly context: DriverContext<"camera">;
  readonly createRenderer: CreateRenderer;
  readonly radiusMm: number;
  readonly depthBlur: boolean;
}

class SimulatedCamera implements CameraDriver {
  readonly formats = ["jpeg", "dng", "raw", "rgb_array", "yuv_array"] as const;
  readonly #world: SimulatedWorld;
  readonly #clock: Clock;
  readonly #radiusMm: number;
  readonly #depthBlur: boolean;
  readonly #createRenderer: () => Promise<Renderer>;
  #renderer: Promise<Renderer> | undefined;
  #settings: CameraSettings;
  /** Seed of a photo that asked for none: each has noise of its own. */
  #shots = 0;

  constructor({ world, context, createRenderer, radiusMm, depthBlur }: SimulatedCameraOptions) {
    this.#world = world;
    this.#clock = context.clock;
    this.#settings = context.settings;
    this.#radiusMm = radiusMm;
    this.#depthBlur = depthBlur;
    this.#createRenderer = () => createRenderer({ log: context.log });
  }

  async configure(settings: CameraSettings): Promise<void> {
    for (const [width, height] of [stillSize(settings), previewSize(settings)])
      twinFrame(width, height, settings);
    this.#settings = settings;
  }

  async capture({ format, signal, seed = this.#shots++ }: CaptureRequest): Promise<Shot> {
    const renderer = await this.#open();
    const isArray = format === "rgb_array" || format === "yuv_array";
    const isRaw = format === "dng" || format === "raw";
    // Arrays are decoded from the picture, so it is compressed as little as possible.
    const settings = isArray ? { ...this.#settings, jpeg_quality: 100 } : this.#settings;
    const view = { ...this.#view(settings, seed), encoding: isRaw ? "dng" : "jpeg" } as const;
    const sensorTimestamp = Math.round(this.#clock.monotonic() * 1e6);
    const photo = await renderer.still(view, signal);
    const { bytes } = photo;
    const facts = twinFacts({ ...view, ...photo });
    const rawMetadata = {
      ...describe(view, photo),
      SensorTimestamp: sensorTimestamp,
      ...(isRaw && { capture_name: "simulated.dng" }),
    };
    if (!isArray) return { format, bytes, facts, rawMetadata };
    const pixels = await decode(bytes);
    return { format, bytes: format === "rgb_array" ? rgbArray(pixels) : yuvArray(pixels), rawMetadata };
  }

  async preview(): Promise<Uint8Array> {
    const renderer = await this.#open();
    return renderer.preview(this.#view(this.#settings, 0));
  }

  /** Frames with the gains of the last one, as automatic white balance sees them, until they are grey on average. */
  async calibrateWhiteBalance(
    search: WhiteBalanceSearch,
    signal: AbortSignal,
  ): Promise<WhiteBalance | undefined> {
    const renderer = await this.#open();
    const plain = { ...this.#settings, saturation: 1, contrast: 1, jpeg_quality: 100 };
    const { awbg_red, awbg_blue } = this.#settings;
    let gains = { red: awbg_red || 1, blue: awbg_blue || 1 };
    const nextFrame = async () => {
      const settings = { ...plain, awbg_red: gains.red, awbg_blue: gains.blue };
      const cast = greyWorld(await decode(await renderer.preview(this.#view(settings, 0))));
      if (!cast) return undefined;
      gains = { red: stepTowards(gains.red, cast.red), blue: stepTowards(gains.blue, cast.blue) };
      return gains;
    };
    return settledWhiteBalance(nextFrame, search, { clock: this.#clock, signal });
  }

  /** Ends the worker threads; the next picture starts others. */
  async restart(): Promise<void> {
    const renderer = this.#renderer;
    this.#renderer = undefined;
    await (await renderer?.catch(() => undefined))?.close();
  }

  async close(): Promise<void> {
    const renderer = await this.#renderer?.catch(() => undefined);
    await renderer?.close();
  }

  #open(): Promise<Renderer> {
    this.#renderer ??= this.#createRenderer().catch((error: unknown) => {
      this.#renderer = undefined;
      throw error;
    });
    return this.#renderer;
  }

  /** What there is to see at this very moment. */
  #view(settings: CameraSettings, seed: number): TwinView {
    const [width, height] = stillSize(settings);
    return {
      width,
      height,
      settings,
      seed,
      theta: this.#world.angle("rotor"),
      fi: this.#world.angle("turntable"),
      radiusMm: this.#radiusMm,
      light: this.#world.light,
      depthBlur: this.#depthBlur,
    };
  }
}

/** Part of the way that automatic white balance goes with each frame, lest colours jump. */
const AWB_STEP = 0.5;
const GREATEST_GAIN = 32;

function stepTowards(gain: number, factor: number): number {
  return Math.min(GREATEST_GAIN, gain * factor ** AWB_STEP);
}

const defaults = CameraSettings.parse({});

/** What a Raspberry Pi camera tells about a shot, in its names and units, and what only a simulation knows. */
function describe(
  { theta, fi, radiusMm, light, seed, settings }: TwinView,
  { intrinsics: { f, cx, cy }, focusDioptres, width, height }: TwinPhoto,
) {
  return {
    ExposureTime: Math.round(1000 * (settings.shutter ?? defaults.shutter ?? 0)),
    AnalogueGain: settings.gain ?? defaults.gain,
    ColourGains: [settings.awbg_red ?? defaults.awbg_red, settings.awbg_blue ?? defaults.awbg_blue],
    LensPosition: focusDioptres,
    FocalLengthPixels: f,
    PrincipalPoint: [cx, cy],
    ImageSize: [width, height],
    Simulated: { theta, fi, r: radiusMm, light, seed },
  };
}

async function decode(jpeg: Uint8Array) {
  const { default: sharp } = await import("sharp");
  const { data, info } = await sharp(jpeg).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: data };
}
