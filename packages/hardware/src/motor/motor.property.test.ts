import fc from "fast-check";
import { expect, test } from "vitest";
import { createMotor } from "../../test/support.js";

const action = fc.oneof(
  fc.record({ kind: fc.constant("to" as const), degrees: fc.double({ min: -720, max: 720, noNaN: true }) }),
  fc.record({ kind: fc.constant("by" as const), degrees: fc.double({ min: -400, max: 400, noNaN: true }) }),
);
const moves = fc.array(fc.record({ action, stopAfterMs: fc.option(fc.integer({ min: 0, max: 1500 })) }), {
  minLength: 1,
  maxLength: 8,
});
const motors = fc.record({
  steps_per_rotation: fc.integer({ min: 200, max: 60_000 }),
  direction: fc.constantFrom(1 as const, -1 as const),
  max_speed: fc.integer({ min: 500, max: 7500 }),
  limits: fc.constantFrom([0, 360] as const, [0, 145] as const, [12, 125] as const, [89, 91] as const),
});

test("whatever is asked and stopped, the angle is that of the steps executed and never beyond the limits", async () => {
  await fc.assert(
    fc.asyncProperty(motors, moves, async ({ limits: [min_angle, max_angle], ...gear }, requests) => {
      const settings = { ...gear, min_angle, max_angle };
      const { clock, motor, world, driver } = await createMotor({ settings });
      for (const { action, stopAfterMs } of requests) {
        const move = action.kind === "to" ? motor.moveTo(action.degrees) : motor.moveBy(action.degrees);
        const outcome = move.then(
          () => "done",
          (error: { code?: string }) => error.code,
        );
        if (stopAfterMs !== null) {
          await clock.advance(stopAfterMs);
          await motor.stop();
        }
        expect(["done", "cancelled"]).toContain(await clock.run(outcome));

        const { angle, busy } = motor.status();
        const physical = world.angle("rotor");
        expect(busy).toBe(false);
        expect(physical).toBeCloseTo(
          90 + (driver.position * gear.direction * 360) / gear.steps_per_rotation,
          6,
        );
        const turns = (physical - angle) / 360;
        expect(Math.abs(turns - Math.round(turns)) * 360).toBeLessThan(1e-6);
        if (max_angle === 360) continue;
        expect(physical).toBeGreaterThan(min_angle - 1e-6);
        expect(physical).toBeLessThan(max_angle + 1e-6);
      }
    }),
    { numRuns: 60 },
  );
});
