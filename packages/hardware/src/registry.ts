import { type DriverChoice, ScanError } from "@openscan/protocol";
import type { Logger } from "@openscan/runtime";
import { z } from "zod";
import type { ComponentKind, Components, DetectedCamera, DriverContext, DriverDefinition } from "./define.js";

/** Any of the five kinds of drivers. */
export type AnyDriver = { [Kind in ComponentKind]: DriverDefinition<Kind> }[ComponentKind];

type FoundCamera = DetectedCamera & { readonly driver: { readonly kind: string } };

/** The drivers there are: an explicit list. */
export class DriverRegistry {
  readonly #drivers: readonly AnyDriver[];
  readonly #defaultKind: string;

  /** @param defaultKind drives components whose configuration names no driver */
  constructor(drivers: readonly AnyDriver[], defaultKind: string) {
    this.#drivers = drivers;
    this.#defaultKind = defaultKind;
  }

  /**
   * Picks the driver of one component and checks its settings, without touching any hardware.
   *
   * @returns opens the driver
   * @throws ScanError `invalid` naming the component and what is wrong
   */
  resolve<Kind extends ComponentKind>(
    component: Kind,
    name: string,
    choice: DriverChoice = { kind: this.#defaultKind },
  ): (context: DriverContext<Kind>) => Promise<Components[Kind]["driver"]> {
    const known = this.#drivers.filter((driver) => driver.component === component);
    const found = known.find(({ kind }) => kind === choice.kind);
    if (!found) {
      const kinds = known.map(({ kind }) => kind).join(", ");
      throw new ScanError(
        "invalid",
        `${component} ${JSON.stringify(name)}: there is no driver ${JSON.stringify(choice.kind)}, only ${kinds}`,
      );
    }
    const { kind: _, ...settings } = choice;
    const parsed = (found as unknown as DriverDefinition<Kind>).parse(settings);
    if (parsed.success) return parsed.data;
    throw new ScanError(
      "invalid",
      `${component} ${JSON.stringify(name)}: driver ${choice.kind}: ${z.prettifyError(parsed.error)}`,
    );
  }

  /** Which driver drives a component that is configured like this. */
  kindOf(choice: DriverChoice | undefined): string {
    return choice?.kind ?? this.#defaultKind;
  }

  /** All cameras that the drivers find, and which driver found them. A search that fails is logged. */
  async detectCameras(log: Logger): Promise<Record<string, FoundCamera>> {
    const cameras: Record<string, FoundCamera> = {};
    for (const { kind, detect } of this.#drivers) {
      try {
        for (const [name, camera] of Object.entries((await detect?.()) ?? {})) {
          cameras[name] = { ...camera, driver: { kind } };
        }
      } catch (err) {
        log.error({ err, driver: kind }, "the search for cameras failed");
      }
    }
    return cameras;
  }

  kinds(component: ComponentKind): string[] {
    return this.#drivers.filter((driver) => driver.component === component).map(({ kind }) => kind);
  }

  /** JSON Schema of every driver's settings, by component and kind: a form for them needs nothing else. */
  schemas(): Record<ComponentKind, Record<string, unknown>> {
    const schemas = { camera: {}, motor: {}, light: {}, trigger: {}, endstop: {} };
    for (const { component, kind, settings } of this.#drivers) {
      Object.assign(schemas[component], { [kind]: z.toJSONSchema(settings, { io: "input" }) });
    }
    return schemas;
  }
}
