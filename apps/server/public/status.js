// The built-in status page: plain WebSockets and fetch, the way any small UI may use the API.
const base = new URL("latest/", document.baseURI);
const $ = (id) => document.getElementById(id);
const tasks = new Map();
const open = { device: false, tasks: false };

// Only as long as this tab; most scanners need none.
const tokenKey = "openscan.token";
let token = sessionStorage.getItem(tokenKey) ?? "";
let asking;

/** Waits for another token than the one that was refused; several callers share one question. */
async function askToken(refused) {
  if (token !== refused) return;
  asking ??= new Promise((resolve) => {
    const dialog = $("login");
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", resolve, { once: true });
    dialog.showModal();
  }).then(() => {
    token = $("token").value;
    sessionStorage.setItem(tokenKey, token);
    asking = undefined;
  });
  await asking;
}

async function call(method, path, body) {
  const sent = token;
  const reply = await fetch(new URL(path, base), {
    method,
    headers: {
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...(sent && { Authorization: `Bearer ${sent}` }),
    },
    body: JSON.stringify(body),
  });
  if (reply.status === 401) {
    await askToken(sent);
    return call(method, path, body);
  }
  const content = reply.status === 204 ? null : await reply.json();
  if (reply.ok) return content;
  const { detail } = content;
  throw new Error(
    Array.isArray(detail)
      ? detail.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; ")
      : (detail.message ?? detail),
  );
}

/** An image sends no header: its URL carries a ticket, which is good once. */
async function showImage(image, path) {
  image.dataset.path = path;
  const url = new URL(path, base);
  if (token) url.searchParams.set("ticket", (await call("POST", "auth/ticket")).ticket);
  image.src = url.href;
}

const showError = ({ message }) => {
  $("error").textContent = message;
};

/** A server that cannot be reached is what the badge tells. */
const showRefusal = (error) => {
  if (!(error instanceof TypeError)) showError(error);
};

const attempt = (action) => (event) => {
  event.preventDefault();
  $("error").textContent = "";
  action().catch(showError);
};

const button = (text, action) => {
  const element = document.createElement("button");
  element.textContent = text;
  element.type = "button";
  element.addEventListener("click", attempt(action));
  return element;
};

function listen(namespace, opened, receive, failures = 0) {
  const url = new URL(`ws/${namespace}`, base);
  url.protocol = url.protocol.replace("http", "ws");
  const bearer = btoa(token).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const socket = new WebSocket(url, token ? [`openscan.bearer.${bearer}`] : []);
  let wasOpen = false;
  socket.addEventListener("open", () => {
    failures = 0;
    wasOpen = true;
    setOpen(namespace, true);
    // Nothing is sent on connect, and what happened while we were away is gone: ask.
    opened().catch(showError);
  });
  socket.addEventListener("message", ({ data }) => receive(JSON.parse(data)));
  const again = () =>
    setTimeout(
      () => listen(namespace, opened, receive, failures + 1),
      Math.random() * Math.min(20_000, 500 * 2 ** failures),
    );
  socket.addEventListener("close", () => {
    setOpen(namespace, false);
    // Why a handshake failed is hidden from pages. If it was for the token, REST says so, and a new one is asked for.
    if (wasOpen) again();
    else void call("GET", "").catch(showRefusal).finally(again);
  });
}

function setOpen(namespace, value) {
  open[namespace] = value;
  const live = open.device && open.tasks;
  $("link").textContent = live ? "live" : "connecting";
  $("link").classList.toggle("live", live);
  // What is shown may be of the past, and what is clicked would not arrive.
  document.querySelector("main").inert = !live;
}

function showDevice(device) {
  $("device-name").textContent = device.name;
  const camera = Object.keys(device.cameras)[0];
  const preview = camera && `cameras/${encodeURIComponent(camera)}/preview?fps=10`;
  if (preview && $("preview").dataset.path !== preview) showImage($("preview"), preview).catch(showRefusal);
  $("scan").dataset.camera = camera ?? "";
  $("lights").replaceChildren(
    ...Object.values(device.lights).map(({ name, is_on }) =>
      button(`${is_on ? "●" : "○"} ${name}`, () =>
        call("PATCH", `lights/${encodeURIComponent(name)}/toggle`),
      ),
    ),
  );
  $("motors").replaceChildren(...Object.values(device.motors).map(motorRow));
}

function motorRow({ name, angle, busy }) {
  const row = document.createElement("tr");
  const cell = (content, className = "") => {
    const td = row.insertCell();
    td.append(content);
    td.className = className;
  };
  cell(name);
  cell(`${angle.toFixed(1)}°`, "angle");
  const actions = document.createElement("div");
  actions.className = "row";
  for (const degrees of [-10, 10]) {
    const move = button(`${degrees > 0 ? "+" : "−"}10°`, () =>
      call("PATCH", `motors/${encodeURIComponent(name)}/angle`, { degrees }),
    );
    move.disabled = busy;
    actions.append(move);
  }
  cell(actions);
  return row;
}

function showTasks() {
  const newest = [...tasks.values()].sort((a, b) => b.created_at.localeCompare(a.created_at)).slice(0, 12);
  $("tasks").replaceChildren(...newest.map(taskItem));
}

function taskItem({ id, name, status, progress, error, run_args }) {
  const item = document.createElement("li");
  const scan = run_args[0];
  const title = scan?.project_name ? `${scan.project_name} · scan ${scan.index}` : name;
  const bar = document.createElement("progress");
  bar.max = progress.total || 1;
  if (progress.total > 0 || status !== "running") bar.value = progress.current;
  const actions = document.createElement("div");
  actions.className = "row";
  actions.append(`${status} ${progress.current}/${progress.total}`);
  if (status === "running") actions.append(button("Pause", () => call("POST", `tasks/${id}/pause`)));
  if (status === "paused" || status === "interrupted")
    actions.append(button("Resume", () => call("POST", `tasks/${id}/resume`)));
  if (["pending", "running", "paused"].includes(status))
    actions.append(button("Cancel", () => call("DELETE", `tasks/${id}`)));
  const strong = document.createElement("strong");
  strong.textContent = title;
  const note = document.createElement("div");
  note.textContent = error ?? progress.message;
  item.append(strong, bar, actions, note);
  return item;
}

let wanted;
async function showPhotos({ project_name, index }) {
  const key = `${project_name}/${index}`;
  wanted = key;
  const address = `projects/${encodeURIComponent(project_name)}`;
  const { photos } = await call("GET", `${address}/scans/${index}`);
  if (wanted !== key) return;
  const paths = photos
    .filter((name) => name.endsWith(".jpg"))
    .slice(-12)
    .reverse()
    .map((name) => `${address}/${index}/photo?file_only=true&filename=${encodeURIComponent(name)}`);
  // One that broke, because the server went away, is fetched again; one without a source waits for its ticket.
  const usable = [...$("photos").children].filter(
    (image) => !image.src || !image.complete || image.naturalWidth > 0,
  );
  const shown = new Map(usable.map((image) => [image.dataset.path, image]));
  $("photos").replaceChildren(...paths.map((path) => shown.get(path) ?? photo(path)));
}

let loading = Promise.resolve();

/** One after the other: a ticket would not outlive the wait behind eleven large photos. */
function photo(path) {
  const image = Object.assign(new Image(), { alt: "scan photo" });
  image.dataset.path = path;
  loading = loading
    .then(async () => {
      if (!image.isConnected) return;
      await showImage(image, path);
      await image.decode();
    })
    .catch(() => image.remove());
  return image;
}

function receiveTask(message) {
  if (message.type !== "task.update") return;
  const { task } = message;
  tasks.set(task.id, task);
  showTasks();
  if (task.name === "scan_task" && task.progress.current > 0) void showPhotos(task.run_args[0]);
}

$("scan").addEventListener(
  "submit",
  attempt(async () => {
    const { project, points } = Object.fromEntries(new FormData($("scan")));
    const address = `projects/${encodeURIComponent(project)}`;
    const projects = await call("GET", "projects/");
    if (!projects[project]) await call("POST", address);
    await call("POST", `${address}/scan?camera_name=${encodeURIComponent($("scan").dataset.camera)}`, {
      points: Number(points),
    });
  }),
);

listen(
  "device",
  async () => {
    const device = await call("GET", "device/info");
    // The preview stream ended with the connection, and an image does not start again by itself.
    $("preview").removeAttribute("src");
    delete $("preview").dataset.path;
    showDevice(device);
  },
  (message) => {
    if (message.type === "device.status") showDevice(message.device);
  },
);
listen(
  "tasks",
  async () => {
    const list = await call("GET", "tasks/");
    tasks.clear();
    for (const task of list) tasks.set(task.id, task);
    showTasks();
    const scan = list.filter(({ name }) => name === "scan_task").at(-1);
    if (scan) void showPhotos(scan.run_args[0]);
  },
  receiveTask,
);
