import "../../test/support/dom.js";
import { act, createElement, type FunctionComponent, StrictMode, startTransition, useState } from "react";
import { createRoot, hydrateRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server.edge";
import { settle } from "@openscan/runtime/testing";
import { afterEach, expect, test, vi } from "vitest";
import { inMemory } from "../../test/support/in-memory.js";
import type { Store, View } from "../store.js";
import { useDevice, useStore, useStreamEvent, useTasks } from "./index.js";

let roots: Root[] = [];
afterEach(() => {
  act(() => {
    for (const root of roots) root.unmount();
  });
  roots = [];
});

/** Renders into a page of its own and lets everything arrive; `text()` is what the page shows. */
async function render(component: FunctionComponent, { strict = false } = {}) {
  const page = document.createElement("div");
  const root = createRoot(page);
  roots.push(root);
  const element = createElement(component);
  await act(async () => {
    root.render(strict ? createElement(StrictMode, null, element) : element);
    await settle();
  });
  return { text: () => page.textContent, unmount: () => act(() => root.unmount()) };
}

const turntable = ({ state }: View<{ motors: Record<string, { angle: number }> } | null>) =>
  state?.motors["turntable"]?.angle;

test("a component shows the state and follows it", async () => {
  const { scanner, client } = inMemory();
  const shown: string[] = [];
  const { text } = await render(() => {
    const { state, freshness } = useDevice(client);
    shown.push(`${freshness.status} ${state?.motors["turntable"]?.angle}`);
    return shown.at(-1);
  });
  expect(shown).toEqual(["offline undefined", "resyncing undefined", "live 0"]);
  scanner.setDevice("motors.turntable.angle", 30);
  await act(settle);
  expect(text()).toBe("live 30");
});

test("it shows how old the state is when the scanner falls silent, and when it is gone", async () => {
  const { scanner, client, clock } = inMemory();
  const { text } = await render(() => {
    const freshness = useTasks(client, (view) => view.freshness);
    return freshness.status === "stale" ? `as of ${freshness.ageMs} ms ago` : freshness.status;
  });
  expect(text()).toBe("live");
  scanner.silence();
  await act(() => clock.advance(37_500));
  expect(text()).toBe("as of 37500 ms ago");
  await act(() => clock.advance(1000));
  expect(text()).toBe("as of 38500 ms ago");
  await act(() => clock.advance(60_000));
  expect(text()).toBe("offline");
  scanner.comeBack();
  await act(() => clock.advance(60_000));
  expect(text()).toBe("live");
});

test("a selector, also one written in place, renders again only for other contents", async () => {
  const { scanner, client } = inMemory();
  const seen: unknown[] = [];
  await render(() => {
    const motor = useDevice(client, ({ state }) => {
      const found = state?.motors["turntable"];
      return found && { angle: found.angle, pins: [found.settings.step_pin] };
    });
    seen.push(motor);
    return null;
  });
  expect(seen).toEqual([undefined, { angle: 0, pins: [11] }]);
  scanner.setDevice("lights.ringlight.is_on", true);
  scanner.setDevice("motors.rotor.angle", 10);
  await act(settle);
  expect(seen).toHaveLength(2);
  scanner.setDevice("motors.turntable.angle", 30);
  await act(settle);
  expect(seen.slice(2)).toEqual([{ angle: 30, pins: [11] }]);
});

test("what is selected stays the same object while its contents do, whatever renders the component", async () => {
  const { scanner, client } = inMemory();
  const seen = new Set<unknown>();
  let renderAgain: (count: number) => void = () => {};
  let renders = 0;
  await render(() => {
    const [, setCount] = useState(0);
    renderAgain = setCount;
    renders++;
    seen.add(useDevice(client, ({ state }) => state && Object.keys(state.motors)));
    return null;
  });
  scanner.setDevice("motors.rotor.angle", 10);
  await act(settle);
  for (let count = 1; count <= 3; count++) act(() => renderAgain(count));
  expect(renders).toBe(5);
  expect([...seen]).toEqual([undefined, ["rotor", "turntable"]]);
});

test("a selector may make something that cannot be compared", async () => {
  const { scanner, client } = inMemory();
  const { text } = await render(() => {
    const angles = useDevice(client, ({ state }) => new Map(Object.entries(state?.motors ?? {})));
    return String(angles.get("turntable")?.angle);
  });
  expect(text()).toBe("0");
  scanner.setDevice("motors.turntable.angle", 30);
  await act(settle);
  expect(text()).toBe("30");
});

test("another selector is asked at once", async () => {
  const { client } = inMemory();
  let select: (name: string) => void = () => {};
  const { text } = await render(() => {
    const [name, setName] = useState("rotor");
    select = setName;
    return String(useDevice(client, ({ state }) => state?.motors[name]?.angle));
  });
  expect(text()).toBe("90");
  act(() => select("turntable"));
  expect(text()).toBe("0");
});

test("many components share one connection, StrictMode leaves one, and the last to leave closes it", async () => {
  const memory = inMemory();
  const { scanner, client, clock } = memory;
  const Shown = () => String(useDevice(client, turntable));
  const first = await render(() => [1, 2, 3].map((key) => createElement(Shown, { key })), { strict: true });
  const second = await render(Shown, { strict: true });
  expect([first.text(), second.text()]).toEqual(["000", "0"]);
  expect([memory.opened, scanner.connections("device")]).toEqual([1, 1]);

  first.unmount();
  await act(() => clock.advance(5000));
  expect(scanner.connections("device")).toBe(1);
  second.unmount();
  await act(() => clock.advance(1999));
  expect(scanner.connections("device")).toBe(1);
  await act(() => clock.advance(1));
  expect(scanner.connections("device")).toBe(0);
  expect(clock.pending).toBe(0);
});

test("a component that comes back soon finds the connection, one that comes later a new one", async () => {
  const memory = inMemory();
  const { scanner, client, clock } = memory;
  const Shown = () => String(useDevice(client, turntable));
  const first = await render(Shown);
  first.unmount();
  await act(() => clock.advance(1000));
  const second = await render(Shown);
  expect([second.text(), memory.opened]).toEqual(["0", 1]);
  second.unmount();
  await act(() => clock.advance(2000));
  scanner.setDevice("motors.turntable.angle", 30);
  const shown: string[] = [];
  await render(() => {
    shown.push(`${useDevice(client).freshness.status} ${useDevice(client, turntable)}`);
    return null;
  });
  expect(shown).toEqual(["offline 0", "resyncing 0", "live 30"]);
  expect(memory.opened).toBe(2);
});

test("another store is followed, the one before is let go", async () => {
  const [one, two] = [inMemory({ device: { name: "one" } }), inMemory({ device: { name: "two" } })];
  let choose: (memory: typeof one) => void = () => {};
  const { text } = await render(() => {
    const [memory, setMemory] = useState(one);
    choose = setMemory;
    return String(useStore(memory.client.device, ({ state }) => state?.name));
  });
  expect(text()).toBe("one");
  act(() => choose(two));
  await act(settle);
  expect(text()).toBe("two");
  await act(() => one.clock.advance(2000));
  expect([one.scanner.connections("device"), two.scanner.connections("device")]).toEqual([0, 1]);
});

test("facts reach the latest listener once and in order, also in StrictMode, and none after the end", async () => {
  const { scanner, client } = inMemory();
  const heard: string[] = [];
  let rename: (name: string) => void = () => {};
  const { unmount } = await render(
    () => {
      const [name, setName] = useState("a");
      rename = setName;
      useStreamEvent(client.tasks, "photo.captured", ({ file }) => void heard.push(`${name} ${file}`));
      useStreamEvent(client.tasks, "resync", ({ state }) => void heard.push(`${state.length} tasks`));
      return null;
    },
    { strict: true },
  );
  for (const file of ["1", "2"]) scanner.capturePhoto({ task_id: "t", file });
  await act(settle);
  act(() => rename("b"));
  scanner.capturePhoto({ task_id: "t", file: "3" });
  await act(settle);
  unmount();
  scanner.capturePhoto({ task_id: "t", file: "4" });
  await settle();
  expect(heard).toEqual(["0 tasks", "a 1", "a 2", "b 3"]);
});

test("a listener that throws is told to the client's onError and stops nobody else", async () => {
  const { scanner, client, errors } = inMemory();
  const heard: string[] = [];
  await render(() => {
    useStreamEvent(client.device, "device.fault", async () => Promise.reject(new Error("late")));
    useStreamEvent(client.device, "device.fault", () => {
      throw new Error("at once");
    });
    useStreamEvent(client.device, "device.fault", ({ component }) => void heard.push(component));
    return null;
  });
  scanner.fault({ component: "motors.rotor" });
  await act(settle);
  expect(heard).toEqual(["motors.rotor"]);
  expect(errors.map(String).toSorted()).toEqual(["Error: at once", "Error: late"]);
});

test("a component subscribes once, however often it renders", async () => {
  let subscriptions = 0;
  const view: View<number> = { state: 1, freshness: { status: "live" } };
  const subscribe = () => {
    subscriptions++;
    return () => {};
  };
  const store = { get: () => view, subscribe } as unknown as Store<number, never>;
  let renderAgain: (count: number) => void = () => {};
  await render(() => {
    const [count, setCount] = useState(0);
    renderAgain = setCount;
    return `${count} ${useStore(store, ({ state }) => [state])[0]}`;
  });
  for (let count = 1; count <= 3; count++) act(() => renderAgain(count));
  expect(subscriptions).toBe(1);
});

test("components never show two states at once, even when the state changes while React renders", async () => {
  let view: View<number> = { state: 1, freshness: { status: "live" } };
  const store = { get: () => view, subscribe: () => () => {} } as unknown as Store<number, never>;
  const commits: string[] = [];
  let show: (shown: boolean) => void = () => {};
  const Part = ({ changes }: { readonly changes: boolean }) => {
    const shown = String(useStore(store, ({ state }) => state));
    if (changes && view.state === 1) view = { state: 2, freshness: { status: "live" } };
    return shown;
  };
  const { text } = await render(() => {
    const [shown, setShown] = useState(false);
    show = setShown;
    return shown ? ["a", "b", "c"].map((key) => createElement(Part, { key, changes: key === "b" })) : null;
  });
  act(() => startTransition(() => show(true)));
  commits.push(text() ?? "");
  expect(commits).toEqual(["222"]);
});

test("a server renders the state that nobody knows yet, and the page takes it over without complaint", async () => {
  const errors = vi.spyOn(console, "error").mockImplementation(() => {});
  const memory = inMemory();
  const { client } = memory;
  const Shown = () => {
    const { freshness } = useDevice(client);
    return `${freshness.status} ${useDevice(client, (view) => ({ angle: turntable(view) })).angle}`;
  };
  expect(renderToString(createElement(Shown))).toBe("offline undefined");
  expect(memory.opened).toBe(0);

  const live = await render(Shown);
  expect(live.text()).toBe("live 0");
  const page = document.createElement("div");
  page.innerHTML = renderToString(createElement(Shown));
  expect(page.textContent).toBe("offline undefined");
  await act(async () => {
    roots.push(hydrateRoot(page, createElement(Shown)));
    await settle();
  });
  expect(page.textContent).toBe("live 0");
  expect(errors.mock.calls).toEqual([]);
  errors.mockRestore();
});
