import type { Rig } from "../rig.js";
import type { UsedPins } from "./gpio-pins.js";

/** The pins that the components of a device are wired to. */
export function usedPins({ motors, lights, triggers, endstops }: Rig): UsedPins {
  const wires = [...motors.values()].map((motor) => {
    const { direction_pin, enable_pin, step_pin } = motor.settings.get();
    return { motor, pins: [direction_pin, enable_pin, step_pin] };
  });
  return {
    outputs: new Set([
      ...wires.flatMap(({ pins }) => pins),
      ...[...lights.values()].flatMap((light) => light.settings.get().pins ?? []),
      ...[...triggers.values()].map((trigger) => trigger.settings.get().pin),
    ]),
    buttons: new Set([...endstops.values()].map(({ settings }) => settings.pin)),
    busy: new Map(
      wires
        .filter(({ motor }) => motor.busy)
        .flatMap(({ motor, pins }) => pins.map((pin) => [pin, `motor ${motor.name} is moving`] as const)),
    ),
  };
}
