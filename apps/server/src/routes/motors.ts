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
} from "@openscan/protocol";
import { type Route, route } from "../http/route.js";
import { settingsRoutes } from "./settings.js";
import { statuses } from "./statuses.js";

export function motorRoutes(device: Device): Route[] {
  const find = ({ motor_name }: { motor_name: string }) => device.motor(motor_name);
  return [
    route(listMotors, () => statuses(device.motors)),
    route(getMotor, ({ params }) => find(params).status()),
    route(moveMotorTo, async ({ params, query }) => {
      await find(params).moveTo(query.degrees);
      return find(params).status();
    }),
    route(moveMotorBy, async ({ params, body }) => {
      await find(params).moveBy(body.degrees);
      return find(params).status();
    }),
    route(overrideMotorAngle, async ({ params, query }) => {
      await find(params).overrideAngle(query.angle);
      return find(params).status();
    }),
    route(calibrateMotor, async ({ params, query }) => {
      await find(params).calibrate({ force: query.force });
      return find(params).status();
    }),
    route(homeMotor, async ({ params }) => {
      await find(params).home();
      return find(params).status();
    }),
    route(moveScanner, async ({ body }) => {
      await device.moveTo({ theta: body.theta, fi: body.fi });
      return null;
    }),
    ...settingsRoutes(motorSettings, (name) => device.motor(name).settings),
  ];
}
