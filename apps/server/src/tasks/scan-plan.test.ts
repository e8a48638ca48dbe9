import { ScanError, ScanSettings } from "@openscan/protocol";
import { FakeClock } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { focusPositions } from "./focus-stack.js";
import { planScan, requireReachable, scanPoints } from "./scan-plan.js";
import { FakeScanner } from "./testing.js";

const settings = (patch: Partial<ScanSettings>) => ScanSettings.parse({ points: 10, ...patch });
const order = async (scanner: FakeScanner, patch: Partial<ScanSettings>) => {
  const scan = { project_name: "Vase", index: 1, settings: settings(patch) } as Parameters<
    typeof planScan
  >[0];
  const { points } = await planScan(scan, scanner, { clock: scanner.clock });
  return points.map((point) => point.original_step);
};

test("phi without bounds is the full circle", () => {
  expect(scanPoints(settings({ min_phi: null, max_phi: null }), 1)).toEqual(scanPoints(settings({}), 1));
});

test("settings that describe no path are refused with their values", () => {
  expect(() => scanPoints(settings({ min_theta: 130 }), 1)).toThrow(
    expect.objectContaining({ code: "invalid", message: expect.stringContaining("130") }),
  );
});

test("the order starts where the motors stand, unless none is wanted", async () => {
  const scanner = new FakeScanner(new FakeClock());
  const raw = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  expect(await order(scanner, { optimize_path: false })).toEqual(raw);
  expect(await order(scanner, { optimization_algorithm: "none" })).toEqual(raw);
  scanner.turntable.angle = 0;
  const optimised = await order(scanner, {});
  expect(optimised).not.toEqual(raw);
  expect(optimised.toSorted((a, b) => a - b)).toEqual(raw);
  scanner.turntable.angle = 200;
  expect(await order(scanner, {})).not.toEqual(optimised);
});

test("defect 25: the first position out of reach is named with the motor that cannot be there", () => {
  const scanner = new FakeScanner(new FakeClock());
  const points = [
    { theta: 90, fi: 350, r: 1 },
    { theta: 181, fi: 10, r: 1 },
  ];
  expect(() => requireReachable(points.slice(0, 1), scanner)).not.toThrow();
  expect(() => requireReachable(points, scanner)).toThrow(
    expect.objectContaining({
      code: "out_of_range",
      message: "position 2 of 2: rotor cannot be at 181 degrees",
    }),
  );
  scanner.checkReachable = () => {
    throw new ScanError("not_found", "there is no rotor");
  };
  expect(() => requireReachable(points, scanner)).toThrow(expect.objectContaining({ code: "not_found" }));
});

test("focus positions are spread evenly over the range, in its direction", () => {
  expect(focusPositions(settings({ focus_stacks: 1 }))).toEqual([null]);
  expect(focusPositions(settings({ focus_stacks: 3, focus_range: [14, 10] }))).toEqual([14, 12, 10]);
});
