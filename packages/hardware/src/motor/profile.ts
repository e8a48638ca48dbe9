/** When each step of one move is due: a ramp up, a stretch at full speed, a ramp down. */
export interface StepProfile {
  readonly steps: number;
  /** Moment of the last step, in ms after the start; 0 without steps. */
  readonly durationMs: number;
  /** Moment of step `number` (1 … steps) in ms after the start. */
  dueMs(number: number): number;
  /** How many steps are due `ms` after the start. */
  stepsExecutedAt(ms: number): number;
}

export interface Speed {
  /** steps/s² */
  readonly acceleration: number;
  /** steps/s */
  readonly max_speed: number;
}

/**
 * Plans a move of exactly `steps` steps. Formulas: device API reference, section 6.4; a single step is the
 * first of a ramp. Neighbouring steps are never closer than at `max_speed`, so pulses (10 µs) keep their distance.
 */
export function planSteps(steps: number, { acceleration, max_speed }: Speed): StepProfile {
  const rampTime = (count: number) => Math.sqrt((2 * count) / acceleration);
  const fullRamp = Math.floor(max_speed ** 2 / (2 * acceleration));
  const triangular = 2 * fullRamp > steps;
  const ramp = steps === 1 ? Math.min(1, fullRamp) : triangular ? Math.floor(steps / 2) : fullRamp;
  const constant = Math.max(0, steps - 2 * ramp);
  const rampEnd = triangular ? rampTime(ramp) : max_speed / acceleration;
  const brake = rampEnd + constant / max_speed;

  const dueMs = (number: number) => {
    if (number <= ramp) return 1000 * rampTime(number);
    if (number <= ramp + constant) return 1000 * (rampEnd + (number - ramp) / max_speed);
    const left = steps - number;
    return 1000 * (brake + rampTime(ramp) - rampTime(left));
  };

  return {
    steps,
    durationMs: steps === 0 ? 0 : dueMs(steps),
    dueMs,
    stepsExecutedAt(ms) {
      let [done, notDone] = [0, steps + 1];
      while (notDone - done > 1) {
        const middle = Math.floor((done + notDone) / 2);
        if (dueMs(middle) <= ms) done = middle;
        else notDone = middle;
      }
      return done;
    },
  };
}
