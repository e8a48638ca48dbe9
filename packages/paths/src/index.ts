export { cartesianToPolar, polarToCartesian } from "./coordinates.js";
export { type FibonacciOptions, fibonacciPath, unconstrainedFibonacci } from "./fibonacci.js";
export { nearestNeighborOrder, optimizeOrder, optimizingOrder, orderTime, type Travel } from "./optimize.js";
export type { CartesianPoint, Direction, PolarPoint } from "./points.js";
export { type AxisMotion, travelTime } from "./travel-time.js";
