import type { Device } from "@openscan/hardware";
import {
  addConfiguration,
  addRunningConfiguration,
  applyConfiguration,
  configurationOf,
  type DeviceConfiguration,
  getConfigurationFile,
  getCurrentConfiguration,
  initializeDevice,
  listConfigurations,
  saveConfiguration,
} from "@openscan/protocol";
import type { TaskManager } from "@openscan/tasks";
import type { Configurations } from "../device/configurations.js";
import { type Route, route } from "../http/route.js";
import { deviceControl } from "./device-control.js";
import { requireNoScan } from "./scanner-in-use.js";

interface Parts {
  readonly device: Device;
  readonly configurations: Configurations;
  readonly tasks: TaskManager;
}

export function configurationRoutes({ device, configurations, tasks }: Parts): Route[] {
  const done = deviceControl(device);
  const add = async (name: string, configuration: DeviceConfiguration) => {
    device.check(configuration);
    return done(`Configuration stored as ${await configurations.add(name, configuration)}`);
  };
  return [
    route(listConfigurations, async () => ({ status: "success", configs: await configurations.list() })),
    route(getCurrentConfiguration, () => configurations.currentFile()),
    route(getConfigurationFile, ({ params }) => configurations.file(params.filename)),
    route(addConfiguration, ({ body: { filename, config_data } }) => {
      const name = filename.config_file;
      return add(name.endsWith(".json") ? name : `${name}.json`, config_data);
    }),
    route(addRunningConfiguration, ({ body: { filename, config_data } }) =>
      add(`${filename.config_file}.json`, configurationOf(config_data)),
    ),
    route(saveConfiguration, async () => {
      await configurations.save(() => device.configuration());
      return done("Configuration saved");
    }),
    route(applyConfiguration, async ({ body }) => {
      const configuration = await configurations.read(body.config_file);
      device.check(configuration);
      const action = "apply a configuration";
      requireNoScan(tasks, action);
      await configurations.putIntoUse(configuration, async () => {
        // One may have begun while another configuration was put into use.
        requireNoScan(tasks, action);
        await device.initialize(configuration);
        return device.configuration();
      });
      return done(`Configuration ${body.config_file} applied`);
    }),
    route(initializeDevice, async ({ query }) => {
      const configuration = await configurations.current();
      requireNoScan(tasks, "initialize the hardware");
      await device.initialize(configuration, { detectCameras: query.detect_cameras });
      return done("Hardware initialized");
    }),
  ];
}
