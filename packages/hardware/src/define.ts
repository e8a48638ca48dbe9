import type {
  CameraSettings,
  EndstopSettings,
  LightSettings,
  MotorSettings,
  TriggerSettings,
} from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import type { z } from "zod";
import type { CameraDriver } from "./camera/driver.js";
import type { EndstopDriver } from "./endstop/driver.js";
import type { LightDriver } from "./light/driver.js";
import type { MotorDriver } from "./motor/driver.js";
import type { TriggerDriver } from "./trigger/driver.js";

/** Per kind of component: what its drivers implement, and the settings that a component brings along. */
export interface Components {
  camera: { driver: CameraDriver; settings: CameraSettings };
  motor: { driver: MotorDriver; settings: MotorSettings };
  light: { driver: LightDriver; settings: LightSettings };
  trigger: { driver: TriggerDriver; settings: TriggerSettings };
  endstop: { driver: EndstopDriver; settings: EndstopSettings };
}
export type ComponentKind = keyof Components;

/** What a driver is given when it is opened. */
export interface DriverContext<Kind extends ComponentKind> {
  /** Of the component, as configured: `rotor`. */
  readonly name: string;
  /** Of the component, to be used from the start. */
  readonly settings: Components[Kind]["settings"];
  /** Distance of lens and turntable centre as configured. */
  readonly scanRadiusMm: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A driver as its author writes it: one file, one value. */
export interface DriverSource<Kind extends ComponentKind, Schema extends z.ZodType> {
  /** What `driver.kind` of a configuration names. */
  readonly kind: string;
  /** Further members of `driver`; without defaults for all of them they must be configured. */
  readonly settings: Schema;
  /** Claims the hardware. Rejecting leaves this component out; the others go on. */
  open(settings: z.output<Schema>, context: DriverContext<Kind>): Promise<Components[Kind]["driver"]>;
  /** Cameras only: finds what is attached. Used for a device without a configured camera. */
  detect?(): Promise<Readonly<Record<string, DetectedCamera>>>;
}

/** A camera that a driver found, by the name it will have. */
export interface DetectedCamera {
  readonly type: "picamera2" | "gphoto2" | "linuxpy";
  readonly path: string;
}

type Open<Kind extends ComponentKind> = (context: DriverContext<Kind>) => Promise<Components[Kind]["driver"]>;

/** A driver as the registry keeps it: its settings' type is hidden behind `parse`. */
export interface DriverDefinition<Kind extends ComponentKind = ComponentKind> {
  readonly component: Kind;
  readonly kind: string;
  readonly settings: z.ZodType;
  /** Checks the driver's settings; the result opens it. */
  readonly parse: (input: unknown) => z.ZodSafeParseResult<Open<Kind>>;
  readonly detect: (() => Promise<Readonly<Record<string, DetectedCamera>>>) | undefined;
}

function definer<Kind extends ComponentKind>(component: Kind) {
  return <Schema extends z.ZodType>(source: DriverSource<Kind, Schema>): DriverDefinition<Kind> => ({
    component,
    kind: source.kind,
    settings: source.settings,
    parse: (input) =>
      source.settings
        .transform(
          (settings): Open<Kind> =>
            (context) =>
              source.open(settings, context),
        )
        .safeParse(input),
    detect: source.detect?.bind(source),
  });
}

export const defineCameraDriver = definer("camera");
export const defineMotorDriver = definer("motor");
export const defineLightDriver = definer("light");
export const defineTriggerDriver = definer("trigger");
export const defineEndstopDriver = definer("endstop");
