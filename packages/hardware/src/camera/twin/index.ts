export {
  cameraPose,
  type Frame,
  type Intrinsics,
  type Pose,
  project,
  twinFrame,
  twinIntrinsics,
} from "./camera-model.js";
export { type DepthView, renderDepth } from "./depth-map.js";
export { surfaceDistance } from "./shape.js";
export { surfacePoints } from "./surface-points.js";
export { Twin } from "./twin.js";
export type { Vector } from "./vector.js";
export { previewSize, stillSize, type TwinPhoto, type TwinView } from "./view.js";
