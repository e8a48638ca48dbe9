import { type CreateRenderer, simulatedCamera } from "./camera/drivers/simulated.js";
import { simulatedEndstop } from "./endstop/drivers/simulated.js";
import { simulatedLight } from "./light/drivers/simulated.js";
import { simulatedMotor } from "./motor/drivers/simulated.js";
import type { AnyDriver } from "./registry.js";
import { SimulatedWorld } from "./simulated-world.js";
import { simulatedTrigger } from "./trigger/drivers/simulated.js";

/**
 * A simulated driver for each kind of component, all in one world.
 *
 * @param world whoever has it sees what is physically true, whatever the device believes
 * @param createRenderer replaces the twin that renders the pictures
 */
export function simulatedDrivers(
  world: SimulatedWorld = new SimulatedWorld(),
  createRenderer?: CreateRenderer,
): readonly AnyDriver[] {
  return [
    simulatedCamera(world, createRenderer),
    simulatedMotor(world),
    simulatedLight(world),
    simulatedTrigger(world),
    simulatedEndstop(world),
  ];
}
