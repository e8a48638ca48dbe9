import { randomBytes, randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Device } from "@openscan/hardware";
import { attachHub, Hub } from "@openscan/hub";
import { type Health, ScanError } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import { removeUnfinishedWrites } from "@openscan/runtime/atomic-file";
import { FileTaskStore, TaskManager } from "@openscan/tasks";
import { helloWorldAsync } from "@openscan/tasks/examples";
import { CloudAccount } from "./cloud/account.js";
import { CloudProjects } from "./cloud/cloud-projects.js";
import { TransferFiles } from "./cloud/transfer-files.js";
import type { Config } from "./config.js";
import { CameraReports } from "./device/camera-report.js";
import { Configurations } from "./device/configurations.js";
import type { Machine } from "./device/machine.js";
import { FirmwareSettingsFile } from "./device/firmware-settings-file.js";
import { findHardware } from "./device/find-hardware.js";
import { UncleanShutdown } from "./device/unclean-shutdown.js";
import { DirectoryLock } from "./directory-lock.js";
import { RunFiles } from "./external-trigger/run-files.js";
import { externalTriggerRunTask } from "./external-trigger/run-task.js";
import { ExternalTriggerRuns } from "./external-trigger/runs.js";
import { connectFeeds } from "./feeds.js";
import { createApplication } from "./http/application.js";
import { documents } from "./http/documents.js";
import { namespaceOf } from "./http/sockets.js";
import { SharpnessMeter } from "./imaging/sharpness-meter.js";
import { Metrics } from "./metrics.js";
import { PhotoPayloads } from "./photo-payloads.js";
import { ProjectStore, type SavedPhoto } from "./projects/project-store.js";
import { Scans } from "./projects/scans.js";
import { requireStackable, Stackings } from "./projects/stackings.js";
import { archiveRoutes } from "./routes/archives.js";
import { cameraRoutes } from "./routes/cameras.js";
import { cloudRoutes } from "./routes/cloud.js";
import { configurationRoutes } from "./routes/configurations.js";
import { developRoutes } from "./routes/develop.js";
import { deviceRoutes } from "./routes/device.js";
import { externalTriggerRoutes } from "./routes/external-trigger.js";
import { firmwareRoutes } from "./routes/firmware.js";
import { focusStackingRoutes } from "./routes/focus-stacking.js";
import { gpioRoutes } from "./routes/gpio.js";
import { lightRoutes } from "./routes/lights.js";
import { logRoutes } from "./routes/logs.js";
import { motorRoutes } from "./routes/motors.js";
import { poseRoutes } from "./routes/poses.js";
import { projectRoutes } from "./routes/projects.js";
import { scanRoutes } from "./routes/scans.js";
import { softwareRoutes } from "./routes/software.js";
import { taskRoutes } from "./routes/tasks.js";
import { triggerRoutes } from "./routes/triggers.js";
import { Access } from "./security/access.js";
import { admitUpgrade } from "./security/admit-upgrade.js";
import { limitConnections, parserLimits } from "./security/flood-limits.js";
import { OwnNames } from "./security/own-names.js";
import { redactor } from "./security/redact.js";
import { Senders } from "./security/senders.js";
import { cloudDownloadTask, cloudUploadTask } from "./tasks/cloud-tasks.js";
import { addCommunityTasks } from "./tasks/community-tasks.js";
import { cropTask } from "./tasks/crop-task.js";
import { qrScanTask } from "./tasks/qr-scan-task.js";
import { forgetEarlierQrScans, startQrScanIfOffline } from "./tasks/qr-scans.js";
import { scanTask } from "./tasks/scan-task.js";
import { followScanTasks } from "./tasks/scan-status.js";
import { stackingTask } from "./tasks/stacking-task.js";
import { watchForStalls } from "./tasks/stalled-tasks.js";
import { type Network, noNetwork } from "./wifi/network.js";
import { QrReader } from "./wifi/qr-reader.js";

export interface Environment {
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Brings lines that wait in memory to the disk. */
  readonly flushLog?: () => Promise<void>;
  /** Checks every reply against its schema; for tests. */
  readonly checkResponses?: boolean;
  /** Ends this server in order and starts it anew; without it a client's wish to restart is refused. */
  readonly restart?: () => void;
  /** What clients may switch off; without it they are refused. */
  readonly machine?: Machine;
  /** By which Wi-Fi is set up; default none. */
  readonly network?: Network;
}

export interface ScannerServer {
  /** Starts to listen; resolves with the port. Until `initialize` is done, streams are open and REST waits. */
  listen(): Promise<number>;
  /** Restores the tasks and opens the device; its first event tells every early client the whole device. */
  initialize(): Promise<void>;
  /** Tells the clients, interrupts and saves the tasks, stops the motors. `restart` invites clients to come back. */
  close(reason: "stop" | "restart"): Promise<void>;
}

/** What a restart takes on a Raspberry Pi, roughly. */
const retryAfterMs = 2000;

const beside = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Builds the whole server: the only place that knows every part. No file is touched before the port is ours, so that
 * a second server that is started by mistake cannot harm the first one.
 */
export function compose(config: Config, environment: Environment): ScannerServer {
  const {
    version,
    clock,
    log,
    checkResponses = false,
    restart,
    machine,
    network = noNetwork,
    flushLog = async () => {},
  } = environment;
  const shutdown = new UncleanShutdown(config.runtimeDir, version, clock);
  const configurations = new Configurations({
    directory: join(config.settingsDir, "device"),
    presetDir: beside("../presets"),
    initialPreset: findHardware(log) ? "unconfigured.json" : "simulated_mini.json",
    log,
  });
  const firmwareDir = join(config.settingsDir, "firmware");
  const firmware = new FirmwareSettingsFile({ directory: firmwareDir, log });
  const account = new CloudAccount({ directory: firmwareDir, environmentToken: config.cloudToken, log });

  const metrics = new Metrics({ stats: () => hub.stats(), tasks: () => tasks.list() });
  const hub = new Hub({
    clock,
    log,
    server: { name: "openscan", version },
    state: { tasks: () => tasks.list(), device: () => device.status() },
    onFlushed: metrics.onFlushed,
  });
  const device = new Device({ clock, log });
  const store = new ProjectStore({
    directory: config.projectDir,
    clock,
    log,
    turntableSign: () => device.configuration().turntable_sign,
  });
  const files = new TransferFiles({ directory: join(config.runtimeDir, "tmp", "cloud"), clock, log });
  const cloud = { account, store, files };
  const runFiles = new RunFiles(join(config.runtimeDir, "external-trigger-runs"));
  const tasks: TaskManager = new TaskManager({
    types: [
      scanTask({ device, store, onStep: metrics.onStep }),
      stackingTask({ store, requireStackable: (scan) => requireStackable(scan, tasks) }),
      externalTriggerRunTask({ device, files: runFiles }),
      qrScanTask({
        camera: (name) => device.camera(name),
        network,
        openReader: () => new QrReader(),
        forgetEarlier: (id) => forgetEarlierQrScans(tasks, id),
        dismissed: async () => {
          await firmware.change((settings) => ({ ...settings, qr_wifi_scan_enabled: false }));
        },
      }),
      cloudUploadTask(cloud),
      cloudDownloadTask(cloud),
      cropTask({
        camera: (name) => device.camera(name),
        keep: (camera, bytes) =>
          payloads.keep(camera, { bytes, mediaType: "image/jpeg", filename: "crop.jpg" }),
      }),
      helloWorldAsync,
    ],
    store: new FileTaskStore({ directory: join(config.runtimeDir, "tasks"), log }),
    clock,
    log,
    newId: randomUUID,
  });
  const scanStatus = followScanTasks(tasks.events, store, log);
  const stalls = watchForStalls({ events: tasks.events, clock, log });
  const meter = new SharpnessMeter({ clock, log });
  const sharpness = async ({ scan, file }: SavedPhoto) =>
    meter.measure(await store.photoFile(scan.project_name, scan.index, file).catch(() => ""));
  const feeds = connectFeeds({ hub, device, tasks, photos: store.photos, stalls, sharpness, log });
  const scans = new Scans({ device, store, tasks });
  const stackings = new Stackings({ store, tasks });
  const runs = new ExternalTriggerRuns({ device, files: runFiles, tasks });
  const payloads = new PhotoPayloads({ clock, newId: () => randomBytes(16).toString("hex") });

  const senders = new Senders({ ...config, log, ownNames: new OwnNames({ clock }) });
  const access = new Access({ ...config, clock, log });
  const redact = redactor(config);

  const locks: DirectoryLock[] = [];
  let status: Health["status"] = "starting";
  let markReady = () => {};
  const ready = new Promise<void>((resolve) => {
    markReady = resolve;
  });
  const startedAt = clock.monotonic();
  const application = createApplication(
    [
      ...softwareRoutes({
        version,
        runtimeDir: config.runtimeDir,
        projectDir: config.projectDir,
        lastShutdownWasUnclean: () => shutdown.lastWasUnclean,
        model: () => device.status().model,
      }),
      ...configurationRoutes({ device, configurations, tasks }),
      ...deviceRoutes({ device, configurations, machine }),
      ...cameraRoutes({ device, payloads, reports: new CameraReports({ device, version, clock }) }),
      ...motorRoutes(device, tasks),
      ...lightRoutes(device),
      ...triggerRoutes(device),
      ...gpioRoutes(device),
      ...externalTriggerRoutes(runs),
      ...firmwareRoutes(firmware),
      ...logRoutes({ directory: config.logDir, clock, flush: flushLog }),
      ...cloudRoutes({
        account,
        projects: new CloudProjects({ ...cloud, tasks, clock }),
        clock,
        disable: () => firmware.change((settings) => ({ ...settings, enable_cloud: false })),
      }),
      ...taskRoutes(tasks),
      ...archiveRoutes(store),
      ...poseRoutes(store),
      ...projectRoutes({ store, tasks, scans }),
      ...scanRoutes({ store, scans }),
      ...focusStackingRoutes(stackings),
      // Last: the preview of a path takes every other name below /develop.
      ...developRoutes({ tasks, payloads, clock, restart }),
    ],
    {
      log,
      senders,
      access,
      redact,
      checkResponses,
      position: (namespace) => hub.position(namespace),
      publicDir: beside("../public"),
      uiDir: config.uiDir,
      ready,
      documents: documents({ version, metrics }),
      health: () => ({ status, version, uptime_seconds: (clock.monotonic() - startedAt) / 1000 }),
    },
  );
  const http = createServer(parserLimits, application);
  limitConnections(http);
  const detachHub = attachHub(http, hub, {
    route: namespaceOf,
    admit: admitUpgrade(senders, access, redact),
  });

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        http.once("error", (cause: NodeJS.ErrnoException) => reject(listenError(cause, config)));
        http.listen(config.port, config.host, () => {
          const { address, port } = http.address() as AddressInfo;
          log.info({ address, port, tokens: access.scopes.join(", ") || "off" }, "listening");
          resolve(port);
        });
      }),
    async initialize() {
      for (const directory of [config.projectDir, config.runtimeDir])
        await mkdir(directory, { recursive: true });
      for (const directory of new Set([config.projectDir, config.runtimeDir]))
        locks.push(await DirectoryLock.take({ directory, clock, log }));
      await removeUnfinishedWrites(config.runtimeDir, log);
      // On a full disk it cannot be noted, and the server is needed to delete something.
      await shutdown.start().catch((err: unknown) => log.error({ err }, "the start could not be noted"));
      if (shutdown.lastWasUnclean) log.warn({}, "the last shutdown was unclean");
      await configurations.prepare();
      await firmware.load();
      await account.load();
      await store.load();
      await files.sweep(store.list());
      if (config.taskAutodiscovery && config.communityTasksDir !== undefined) {
        await addCommunityTasks(config.communityTasksDir, {
          tasks,
          replace: config.taskOverride ?? false,
          device,
          clock,
          log,
        });
      }
      await tasks.restore();
      await device.initialize(await configurations.atStart((configuration) => device.check(configuration)));
      await store.saveStalePoses();
      // Whoever initialises the device anew wants the settings that are on the disk now.
      device.changes.on(({ changed }) => {
        if (changed === null) void account.load();
      });
      status = "ok";
      markReady();
      void startQrScanIfOffline({ settings: firmware.get(), network, device, tasks, log });
    },
    async close(reason) {
      status = "stopping";
      log.info({ reason }, "shutting down");
      const restarts = reason === "restart";
      // Tasks before sockets, so that clients still hear how their tasks ended.
      const clean = await inOrder(log, {
        "refuse new clients": () => {
          detachHub();
          http.close();
        },
        "interrupt the tasks": () => tasks.close(),
        "stop the hardware": () => device.close(),
        "note how the scans stand": () => scanStatus.settled(),
        "write the projects": () => store.close(),
        "give the directories back": () => Promise.all(locks.map((lock) => lock.release())),
        "measure no more photos": () => meter.close(),
        "tell of the last photos": () => feeds.settled(),
        "close the streams": () =>
          restarts ? hub.close(1012, JSON.stringify({ retry_after_ms: retryAfterMs })) : hub.close(1001),
        "forget the photos": () => payloads.close(),
        "close the requests": () => http.closeAllConnections(),
      });
      if (clean) await shutdown.markClean();
      log.info({ clean }, "shut down");
    },
  };
}

function listenError(cause: NodeJS.ErrnoException, { host, port }: Config): Error {
  if (cause.code === "EADDRINUSE")
    return new ScanError("conflict", `port ${port} is in use; choose another one with --port`, { cause });
  return new ScanError("internal", `cannot listen on ${host} port ${port}: ${cause.message}`, { cause });
}

/** One step that fails must not keep the others, the motors above all, from being made. */
async function inOrder(log: Logger, steps: Record<string, () => unknown>): Promise<boolean> {
  let clean = true;
  for (const [step, run] of Object.entries(steps)) {
    try {
      await run();
    } catch (err) {
      clean = false;
      log.error({ err, step }, "a step of the shutdown failed");
    }
  }
  return clean;
}
