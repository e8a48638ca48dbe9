import type { Device } from "@openscan/hardware";
import {
  calibrateMotor,
  getMotor,
  homeMotor,
  listMotors,
  motorSettings,
  moveMotorBy,
  moveMotorTo,
  moveScanner,
  overrideMotorAngle,
  stopMotor,
} from "@openscan/protocol";
import type { TaskManager } from "@openscan/tasks";
import { type Route, route } from "../http/route.js";
import { requireMotorsFree } from "./scanner-in-use.js";
import { settingsRoutes } from "./settings.js";
import { statuses } from "./statuses.js";

export function motorRoutes(device: Device, tasks: TaskManager): Route[] {
  const find = ({ motor_name }: { motor_name: string }) => device.motor(motor_name);
  /** A motor that may be moved by hand now. */
  const free = (params: { motor_name: string }, action: string) => {
    const motor = find(params);
    requireMotorsFree(tasks, `${action} motor ${motor.name}`);
    return motor;
  };
  return [
    route(listMotors, () => statuses(device.motors)),
    route(getMotor, ({ params }) => find(params).status()),
    route(moveMotorTo, async ({ params, query }) => {
      await free(params, "move").moveTo(query.degrees);
      return find(params).status();
    }),
    route(moveMotorBy, async ({ params, body }) => {
      await free(params, "move").moveBy(body.degrees);
      return find(params).status();
    }),
    route(overrideMotorAngle, async ({ params, query }) => {
      await free(params, "override the angle of").overrideAngle(query.angle);
      return find(params).status();
    }),
    route(calibrateMotor, async ({ params, query }) => {
      await free(params, "calibrate").calibrate({ force: query.force });
      return find(params).status();
    }),
    route(homeMotor, async ({ params }) => {
      await free(params, "home").home();
      return find(params).status();
    }),
    route(stopMotor, async ({ params }) => {
      const motor = find(params);
      await motor.stop();
      return motor.status();
    }),
    route(moveScanner, async ({ body }) => {
      requireMotorsFree(tasks, "move the scanner");
      await device.moveTo({ theta: body.theta, fi: body.fi });
      return null;
    }),
    ...settingsRoutes(motorSettings, (name) => device.motor(name).settings),
  ];
}
