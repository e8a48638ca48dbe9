import "../../test/support/dom.js";
import { settle } from "@openscan/runtime/testing";
import { afterEach, expect, test } from "vitest";
import {
  type App,
  computed,
  createApp,
  createSSRApp,
  defineComponent,
  effectScope,
  h,
  nextTick,
  reactive,
  ref,
  shallowRef,
  watchEffect,
} from "vue";
import { renderToString } from "vue/server-renderer";
import { inMemory } from "../../test/support/in-memory.js";
import type { ScannerClient } from "../scanner-client.js";
import { useDevice, useStore, useStreamEvent, useTasks } from "./index.js";

let apps: App[] = [];
afterEach(() => {
  for (const app of apps) app.unmount();
  apps = [];
});

/** Lets everything arrive and be rendered. */
async function arrive(): Promise<void> {
  await settle();
  await nextTick();
}

/** Mounts `setup` into a page of its own; `text()` is what the page shows. */
function mount(setup: () => () => unknown) {
  const page = document.createElement("div");
  const app = createApp({ setup });
  app.config.warnHandler = (message) => expect.fail(message);
  app.mount(page);
  apps.push(app);
  const unmount = () => {
    app.unmount();
    apps = apps.filter((other) => other !== app);
  };
  return { text: () => page.textContent, unmount };
}

/** A component that shows the angle of the turntable. */
function turntable(client: ScannerClient) {
  return () => {
    const view = useDevice(client);
    return () => String(view.value.state?.motors["turntable"]?.angle);
  };
}

test("a component shows the state and follows it", async () => {
  const { scanner, client } = inMemory();
  const { text } = mount(() => {
    const device = useDevice(client);
    const tasks = useTasks(client);
    return () =>
      `${device.value.freshness.status} ${device.value.state?.name}, ${tasks.value.state?.length} tasks`;
  });
  expect(text()).toBe("offline undefined, undefined tasks");
  await arrive();
  expect(text()).toBe("live Fake OpenScan Mini, 0 tasks");
  scanner.setDevice("name", "Mini");
  scanner.startTask();
  await arrive();
  expect(text()).toBe("live Mini, 1 tasks");
});

test("a component renders again only when what it uses changes", async () => {
  const { scanner, client } = inMemory();
  const shown: unknown[] = [];
  mount(() => {
    const view = useDevice(client);
    const angle = computed(() => view.value.state?.motors["turntable"]?.angle);
    return () => {
      shown.push(angle.value);
      return null;
    };
  });
  await arrive();
  scanner.setDevice("lights.ringlight.is_on", true);
  await arrive();
  scanner.setDevice("motors.turntable.angle", 30);
  await arrive();
  expect(shown).toEqual([undefined, 0, 30]);
});

test("it shows how old the state is when the scanner falls silent, and when it is gone", async () => {
  const { scanner, client, clock } = inMemory();
  const { text } = mount(() => {
    const view = useTasks(client);
    return () => JSON.stringify(view.value.freshness);
  });
  await arrive();
  scanner.silence();
  await clock.advance(38_500);
  expect(text()).toBe('{"status":"stale","ageMs":38500}');
  await clock.advance(60_000);
  expect(text()).toBe('{"status":"offline"}');
  scanner.comeBack();
  await clock.advance(60_000);
  expect(text()).toBe('{"status":"live"}');
});

test("many components share one connection; the last to leave closes it", async () => {
  const memory = inMemory();
  const { scanner, client, clock } = memory;
  const Part = defineComponent(turntable(client));
  const first = mount(() => () => [h(Part), h(Part), h(Part)]);
  const second = mount(turntable(client));
  await arrive();
  expect([first.text(), second.text()]).toEqual(["000", "0"]);
  expect([memory.opened, scanner.connections("device")]).toEqual([1, 1]);
  first.unmount();
  await clock.advance(5000);
  expect(scanner.connections("device")).toBe(1);
  second.unmount();
  await clock.advance(1999);
  expect(scanner.connections("device")).toBe(1);
  await clock.advance(1);
  expect(scanner.connections("device")).toBe(0);
  expect(clock.pending).toBe(0);
});

test("a component that comes back shows the present state", async () => {
  const memory = inMemory();
  const { scanner, client, clock } = memory;
  const first = mount(turntable(client));
  await arrive();
  first.unmount();
  const second = mount(turntable(client));
  await arrive();
  expect([second.text(), memory.opened]).toEqual(["0", 1]);
  second.unmount();
  await clock.advance(2000);
  scanner.setDevice("motors.turntable.angle", 30);
  const third = mount(turntable(client));
  expect(third.text()).toBe("0");
  await arrive();
  expect([third.text(), memory.opened]).toEqual(["30", 2]);
});

test("outside of components an effect scope holds the connection, and its end releases it", async () => {
  const { scanner, client, clock } = inMemory();
  const seen: unknown[] = [];
  const scope = effectScope();
  scope.run(() => {
    const view = useStore(client.device);
    watchEffect(() => void seen.push(view.value.state?.name), { flush: "sync" });
  });
  await settle();
  scanner.setDevice("name", "Mini");
  await settle();
  scope.stop();
  scanner.setDevice("name", "Midi");
  await clock.advance(2000);
  expect(seen).toEqual([undefined, undefined, "Fake OpenScan Mini", "Mini"]);
  expect(scanner.connections("device")).toBe(0);
});

test("without a component or scope, nothing is subscribed to and the caller is told why", () => {
  const memory = inMemory();
  expect(() => useDevice(memory.client)).toThrow("setup of a component or in an effectScope");
  expect(() => useStreamEvent(memory.client.tasks, "resync", () => {})).toThrow("effectScope");
  expect(memory.opened).toBe(0);
});

test("another client is followed, the one before is let go", async () => {
  const [one, two] = [inMemory({ device: { name: "one" } }), inMemory({ device: { name: "two" } })];
  const chosen = shallowRef(one.client);
  const { text } = mount(() => {
    const view = useDevice(chosen);
    return () => String(view.value.state?.name);
  });
  await arrive();
  expect(text()).toBe("one");
  chosen.value = two.client;
  await arrive();
  expect(text()).toBe("two");
  chosen.value = one.client;
  await nextTick();
  expect(text()).toBe("one");
  chosen.value = two.client;
  await nextTick();
  expect(text()).toBe("two");
  one.scanner.setDevice("name", "gone");
  await one.clock.advance(2000);
  expect(text()).toBe("two");
  expect([one.scanner.connections("device"), two.scanner.connections("device")]).toEqual([0, 1]);
});

test.each([
  ["ref", (client: ScannerClient) => ref(client)],
  ["reactive", (client: ScannerClient) => reactive(client)],
  ["getter", (client: ScannerClient) => () => client],
])("a client may be kept in a %s", async (_, keep) => {
  const { client } = inMemory();
  const { text } = mount(() => {
    const view = useDevice(keep(client));
    return () => String(view.value.state?.name);
  });
  await arrive();
  expect(text()).toBe("Fake OpenScan Mini");
});

test("facts reach the listener once and in order, and none after the end", async () => {
  const { scanner, client } = inMemory();
  const heard: string[] = [];
  const { unmount } = mount(() => {
    useStreamEvent(client.tasks, "photo.captured", ({ file }) => void heard.push(file));
    useStreamEvent(client.tasks, "resync", ({ state }) => void heard.push(`${state.length} tasks`));
    return () => null;
  });
  await arrive();
  for (const file of ["1", "2", "3"]) scanner.capturePhoto({ task_id: "t", file });
  await arrive();
  unmount();
  scanner.capturePhoto({ task_id: "t", file: "4" });
  await arrive();
  expect(heard).toEqual(["0 tasks", "1", "2", "3"]);
});

test("a server renders what is known and opens no connection", async () => {
  const memory = inMemory();
  const app = createSSRApp({
    setup() {
      const view = useDevice(memory.client);
      useStreamEvent(memory.client.tasks, "resync", () => {});
      return () => `${view.value.freshness.status} ${view.value.state?.name}`;
    },
  });
  expect(await renderToString(app)).toBe("offline undefined");
  await settle();
  expect([memory.opened, memory.clock.pending]).toEqual([0, 0]);
});
