import type { MotorSettings } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import { z } from "zod";
import { defineMotorDriver } from "../../define.js";
import type { SimulatedWorld } from "../../simulated-world.js";
import { degreesOf } from "../angles.js";
import type { MotorDriver, MoveOptions } from "../driver.js";
import { planSteps, type StepProfile } from "../profile.js";

/** How often a move that may end early is looked at; the steps between two looks are then made one by one. */
const TICK_MS = 10;

const SimulatedMotorSettings = z.object({
  start_angle: z
    .number()
    .default(90)
    .describe(
      "degrees at which the motor really stands when it is opened, whatever its angle is taken to be",
    ),
});

/** A motor that takes the time of a real one and turns the simulated world. */
export const simulatedMotor = (world: SimulatedWorld) =>
  defineMotorDriver({
    kind: "simulated",
    settings: SimulatedMotorSettings,
    open: async ({ start_angle }, { name, settings, clock }) => {
      const motor = new SimulatedMotor({ world, clock, settings, startAngle: start_angle });
      world.place(name, () => motor.physicalAngle);
      return motor;
    },
  });

interface Move extends MoveOptions {
  readonly profile: StepProfile;
  readonly sign: 1 | -1;
  readonly startedAt: number;
  /** Steps made so far. */
  done: number;
  /** `until` has said so: no further step. */
  met: boolean;
}

class SimulatedMotor implements MotorDriver {
  readonly #world: SimulatedWorld;
  readonly #clock: Clock;
  #settings: MotorSettings;
  #enabled = false;
  #position = 0;
  #angle: number;
  #move: Move | undefined;
  #advancing = false;

  constructor({
    world,
    clock,
    settings,
    startAngle,
  }: {
    world: SimulatedWorld;
    clock: Clock;
    settings: MotorSettings;
    startAngle: number;
  }) {
    this.#world = world;
    this.#clock = clock;
    this.#settings = settings;
    this.#angle = startAngle;
  }

  get position(): number {
    this.#advance();
    return this.#position;
  }

  get physicalAngle(): number {
    this.#advance();
    return this.#angle;
  }

  async configure(settings: MotorSettings): Promise<void> {
    this.#settings = settings;
  }

  async enable(on: boolean): Promise<void> {
    this.#enabled = on;
  }

  async move(steps: number, options: MoveOptions): Promise<void> {
    const profile = planSteps(Math.abs(steps), this.#settings);
    const sign = steps > 0 ? 1 : -1;
    const move: Move = { ...options, profile, sign, startedAt: this.#clock.monotonic(), done: 0, met: false };
    this.#move = move;
    try {
      await this.#wait(move);
    } finally {
      this.#advance();
      this.#move = undefined;
      this.#world.moved();
    }
  }

  async close(): Promise<void> {
    this.#enabled = false;
  }

  async #wait(move: Move): Promise<void> {
    const { profile, signal, until } = move;
    for (;;) {
      const left = profile.durationMs - (this.#clock.monotonic() - move.startedAt);
      try {
        await this.#clock.sleep(until ? Math.min(TICK_MS, left) : left, signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      // The timer of the last step may fire a little early: it is due all the same.
      this.#advance(left <= TICK_MS || !until ? profile.steps : undefined);
      if (move.met || move.done === profile.steps) return;
      this.#world.moved();
    }
  }

  /** Makes the steps that are due by now. Asked from within `until`, it has nothing to do. */
  #advance(due?: number): void {
    const move = this.#move;
    if (!move || this.#advancing) return;
    this.#advancing = true;
    const target = due ?? move.profile.stepsExecutedAt(this.#clock.monotonic() - move.startedAt);
    while (move.done < target && !move.met) {
      const steps = move.until ? 1 : target - move.done;
      move.done += steps;
      this.#position += move.sign * steps;
      // A motor that is not energised counts pulses, but stays where it is.
      if (this.#enabled) this.#angle += degreesOf(move.sign * steps, this.#settings);
      move.met = move.until?.() ?? false;
    }
    this.#advancing = false;
  }
}
