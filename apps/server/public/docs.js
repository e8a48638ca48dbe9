// Shows the AsyncAPI document of this server. What it says of streams and messages is drawn from the document alone.
const reply = await fetch("asyncapi.json");
if (!reply.ok) throw new Error(`asyncapi.json: ${reply.status}`);
const { info, servers, channels, operations, components, ...rest } = await reply.json();

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.flat(Infinity).filter((child) => child !== undefined));
  return made;
}
const code = (text) => element("code", {}, text);
const lastOf = (reference) => reference.$ref.split("/").at(-1);
const anchor = (kind, name) => `${kind}-${name}`;

/** Of Markdown only what our descriptions use: paragraphs, `code` and **strong**. */
const prose = (text) => text.split("\n\n").map((paragraph) => element("p", {}, inline(paragraph)));
const inline = (text) =>
  text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) return code(part.slice(1, -1));
    return part.startsWith("**") ? element("strong", {}, part.slice(2, -2)) : part;
  });

/** A type in words, with links to named ones. */
function typeOf(schema) {
  if (schema.$ref) {
    const name = lastOf(schema);
    return [element("a", { href: `#${anchor("schema", name)}` }, name)];
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.flatMap((choice, index) => [index > 0 ? " or " : "", ...typeOf(choice)]);
  if (schema.allOf) return schema.allOf.flatMap((part, index) => [index > 0 ? " and " : "", ...typeOf(part)]);
  if ("const" in schema) return [code(JSON.stringify(schema.const))];
  if (schema.enum)
    return schema.enum.flatMap((value, index) => [index > 0 ? " | " : "", code(JSON.stringify(value))]);
  if (schema.type === "array" && Array.isArray(schema.items))
    return [
      "array [",
      ...schema.items.flatMap((item, index) => [index > 0 ? ", " : "", ...typeOf(item)]),
      "]",
    ];
  if (schema.type === "array") return ["array of ", ...typeOf(schema.items ?? {})];
  if (schema.additionalProperties && Object.keys(schema.additionalProperties).length > 0)
    return ["object by name of ", ...typeOf(schema.additionalProperties)];
  const type = [schema.type ?? "anything"].flat().join(" or ");
  return [`${type}${rangeOf(schema)}`];
}

function rangeOf({ minimum, maximum, format }) {
  if (format) return `, ${format}`;
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `, from ${minimum}`;
  return maximum === undefined ? "" : `, up to ${maximum}`;
}

/** The members of an object, those of everything that it is made of included. */
function membersOf(schema) {
  if (schema.$ref) return membersOf(components.schemas[lastOf(schema)]);
  const parts = (schema.allOf ?? []).flatMap(membersOf);
  const own = Object.entries(schema.properties ?? {}).map(([name, member]) => ({
    name,
    member,
    optional: !schema.required?.includes(name),
  }));
  return [...own, ...parts];
}

/** `type` says which message it is, and comes first. */
const typeFirst = (members) => members.toSorted((a, b) => (b.name === "type") - (a.name === "type"));

function membersTable(members) {
  const head = ["member", "type", "meaning"].map((title) => element("th", {}, title));
  return element(
    "table",
    {},
    element("tr", {}, head),
    members.flatMap((member) => memberRows(member)),
  );
}

/** A member, and those of an object that has no name of its own. */
function memberRows({ name, member, optional }, prefix = "") {
  const meaning = member.description ?? (member.$ref && components.schemas[lastOf(member)].description) ?? "";
  const row = element(
    "tr",
    {},
    element(
      "td",
      {},
      code(prefix + name),
      optional ? element("span", { className: "optional" }, " optional") : "",
    ),
    element("td", {}, typeOf(member)),
    element("td", {}, inline(meaning)),
  );
  const inner = member.properties ? membersOf(member) : [];
  return [row, ...inner.flatMap((one) => memberRows(one, `${prefix}${name}.`))];
}

function messageCard(key, channel) {
  const { name, title, summary, payload, examples } = components.messages[key];
  const [dialect] = title.split(":");
  const members = typeFirst(membersOf(payload));
  return element(
    "article",
    { id: anchor(channel, key) },
    element(
      "h4",
      {},
      code(name),
      element("span", { className: `badge ${dialect}` }, title.replace(`: ${name}`, "")),
    ),
    prose(summary),
    members.length > 0 ? membersTable(members) : "",
    examples.map((example) => element("pre", { tabIndex: 0 }, JSON.stringify(example.payload, undefined, 2))),
  );
}

const operationsOf = (name) => Object.values(operations).filter(({ channel }) => lastOf(channel) === name);
const direction = { send: "server to client", receive: "client to server" };

function channelSection(name, { address, summary }) {
  return element(
    "section",
    { id: anchor("channel", name) },
    element("h2", {}, code(address)),
    element("p", {}, summary),
    operationsOf(name).flatMap(({ action, title, summary, messages }) => [
      element("h3", {}, `${title}, ${direction[action]}`),
      element("p", {}, summary),
      messages.map((message) => messageCard(lastOf(message), name)),
    ]),
  );
}

/** Members of a part of the handshake; what not every channel has says where it is. */
function handshakeMembers(part) {
  const bindings = Object.entries(components.channelBindings);
  const all = Object.assign({}, ...bindings.map(([, { ws }]) => ws[part].properties));
  return Object.entries(all).map(([name, member]) => {
    const having = bindings.filter(([, { ws }]) => name in ws[part].properties);
    const only = having.map(([channel]) => `\`${channels[channel].address}\``).join(", ");
    const description =
      having.length < bindings.length ? `${member.description}; only ${only}` : member.description;
    return { name, member: { ...member, description } };
  });
}

function connectSection() {
  const first = Object.keys(channels)[0];
  const url = (pathname) => `ws://${location.host}${pathname.replace(/\/$/, "")}${channels[first].address}`;
  const mounts = servers.mounted.variables.mount.enum;
  return element(
    "section",
    { id: "connect" },
    element("h2", {}, "Connect"),
    prose(info.description),
    element("pre", { tabIndex: 0 }, `const socket = new WebSocket("${url("/")}", "openscan.v1");`),
    element("h3", {}, "Addresses"),
    element(
      "table",
      {},
      Object.values(servers).map(({ pathname, summary }) =>
        element("tr", {}, element("td", {}, code(url(pathname))), element("td", {}, summary)),
      ),
    ),
    element(
      "p",
      {},
      code("{mount}"),
      " is one of ",
      mounts.flatMap((mount, index) => [index > 0 ? ", " : "", code(mount)]),
      ".",
    ),
    element("h3", {}, "Query parameters of v1"),
    membersTable(handshakeMembers("query")),
    element("h3", {}, "Headers"),
    membersTable(handshakeMembers("headers")),
  );
}

function schemasSection() {
  return element(
    "section",
    { id: "schemas" },
    element("h2", {}, "Types"),
    Object.entries(components.schemas).map(([name, schema]) => {
      const members = membersOf(schema);
      return element(
        "article",
        { id: anchor("schema", name) },
        element("h4", {}, code(name)),
        schema.description ? prose(schema.description) : "",
        members.length > 0 ? membersTable(members) : element("p", {}, typeOf(schema)),
      );
    }),
  );
}

function closeCodesSection() {
  const rows = rest["x-close-codes"].map(({ code: number, name, final }) =>
    element(
      "tr",
      {},
      element("td", {}, code(String(number))),
      element("td", {}, name),
      element("td", {}, final ? "do not try again" : "reconnect"),
    ),
  );
  return element(
    "section",
    { id: "close-codes" },
    element("h2", {}, "Close codes"),
    element("table", {}, rows),
  );
}

function navigation() {
  const link = (href, text, className = "") => element("a", { href: `#${href}`, className }, text);
  return [
    link("connect", "Connect"),
    ...Object.entries(channels).flatMap(([name, { address }]) => [
      link(anchor("channel", name), address),
      ...operationsOf(name).flatMap(({ title, action, messages }) => [
        element("span", { className: "group" }, `${title.split(", ")[1]}, ${direction[action]}`),
        ...messages.map((message) => {
          const key = lastOf(message);
          return link(anchor(name, key), key.split(".").slice(1).join("."), "minor");
        }),
      ]),
    ]),
    link("close-codes", "Close codes"),
    link("schemas", "Types"),
  ];
}

const menu = document.getElementById("menu");
// On a phone the contents would fill the first screen.
menu.open = matchMedia("(min-width: 46rem)").matches;
menu.querySelector("nav").replaceChildren(...navigation());
document
  .querySelector("main")
  .replaceChildren(
    connectSection(),
    ...Object.entries(channels).map(([name, channel]) => channelSection(name, channel)),
    closeCodesSection(),
    schemasSection(),
  );
// The browser looked for it before it was there.
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
