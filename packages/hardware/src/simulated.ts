export type { CreateRenderer, Renderer } from "./camera/drivers/simulated.js";
export {
  cameraPose,
  type DepthView,
  type Frame,
  type Intrinsics,
  type Pose,
  previewSize,
  project,
  renderDepth,
  stillSize,
  surfaceDistance,
  surfacePoints,
  Twin,
  type TwinPhoto,
  type TwinView,
  twinFrame,
  twinIntrinsics,
  type Vector,
} from "./camera/twin/index.js";
export { simulatedLines } from "./gpio/simulated-lines.js";
export { simulatedDrivers } from "./simulated-drivers.js";
export { SimulatedWorld } from "./simulated-world.js";
