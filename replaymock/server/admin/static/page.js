// What a replaymock knows, as it happens. Everything that was recorded or asked is shown as text, never as markup.

const PREFIX = "/__replaymock/";
const MOST_ROWS = 200;
const at = (id) => document.getElementById(id);

/** An element with text or other elements in it. */
function element(name, content = [], className = "") {
  const made = document.createElement(name);
  made.append(...[content].flat()); // a string becomes a text node
  if (className) made.className = className;
  return made;
}

async function told(name) {
  const answer = await fetch(PREFIX + name, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer.json();
}

function list(id, items, show, nothing) {
  at(`${id}-count`).textContent = items.length || "";
  at(id).replaceChildren(...items.map(show));
  if (!items.length) at(id).append(element("li", nothing, "nothing"));
}

function counted(number, what) {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function shownRequest(request) {
  const query = request.query ? `?${[request.query].flat().join("&")}` : "";
  return `${request.method} ${request.path}${query}`;
}

/** What was recorded and what the request has, as the command line says it. */
function shownDifference({ recorded, received }) {
  const before = recorded === null ? "not recorded" : `recorded ${JSON.stringify(recorded)}`;
  const now = received === null ? "missing in this request" : `this request has ${JSON.stringify(received)}`;
  return `${before}, ${now}`;
}

function copyButton(text) {
  const button = element("button", "Copy");
  button.type = "button";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  });
  return button;
}

function missCard(miss) {
  const times = miss.count > 1 ? ` (${miss.count} times)` : "";
  const parts = [element("p", [element("code", shownRequest(miss.request)), `: ${miss.reason}${times}`])];
  for (const near of miss.nearest.slice(0, 1)) {
    parts.push(element("p", ["nearest: ", element("code", near.file)]));
    for (const found of near.differences) {
      parts.push(element("p", [element("code", found.field), `: ${shownDifference(found)}`]));
    }
  }
  if (miss.hint) {
    const where = miss.where ? `${miss.where}: ` : "";
    const hint = element("p", [where, element("code", miss.hint)], "hint");
    hint.append(copyButton(miss.hint));
    parts.push(hint);
  }
  return element("li", parts);
}

function requestRow(request) {
  const cells = [
    element("td", request.outcome),
    element("td", `${request.method} ${request.target}`),
    element("td", String(request.status)),
    element("td", request.elapsed_ms.toFixed(1)),
    element("td", request.file ?? ""),
  ];
  cells[0].className = request.outcome;
  return element("tr", cells);
}

let seen = 0;

function addRequest(request) {
  const rows = at("requests");
  rows.prepend(requestRow(request));
  if (rows.children.length > MOST_ROWS) rows.lastChild.remove();
  seen += 1;
  at("requests-count").textContent = seen;
}

async function showKnown() {
  const [ready, misses, unused, cassettes, sessions] = await Promise.all(
    ["ready", "misses", "unused", "cassettes", "sessions"].map(told),
  );
  at("mode").textContent = `${ready.mode}, ${counted(ready.cassettes, "cassette")}, process ${ready.pid}`;
  const first = ready.mode === "replay"
    ? "no cassettes yet: record some with replaymock record --upstream URL, or put a JSON file into the cassette folder"
    : "no cassettes yet: send a request here to record it";
  list("misses", misses.misses.toReversed(), missCard, "none");
  list("unused", unused.unused, (file) => element("li", file), ready.cassettes ? "every cassette was used" : first);
  list("cassettes", cassettes.cassettes, (found) => {
    const responses = found.responses > 1 ? `, ${found.responses} responses` : "";
    return element("li", `${found.method} ${found.path} (${found.file}${responses})`);
  }, "none");
  at("broken").replaceChildren(...cassettes.broken.map((message) => element("li", message)));
  list("sessions", sessions.sessions, (found) => {
    const writes = Object.values(found.writes).reduce((sum, count) => sum + count, 0);
    const name = found.session ?? "(the default session)";
    return element("li", `${name}: ${counted(Object.keys(found.positions).length, "cassette")} played, ${counted(writes, "write")}`);
  }, "none");
}

let waiting = false;

/** Shows what is known soon, however often it is asked for until then. */
function refresh() {
  if (waiting) return;
  waiting = true;
  setTimeout(() => {
    waiting = false;
    showKnown().catch((error) => { at("state").textContent = error.message; });
  }, 250);
}

async function reset() {
  const answer = await fetch(`${PREFIX}reset`, { method: "POST" });
  at("state").textContent = answer.ok ? "rewound" : `not rewound: ${answer.status}`;
  refresh();
}

function listen() {
  const events = new EventSource(`${PREFIX}events`);
  events.addEventListener("open", () => { at("state").textContent = "live"; refresh(); });
  events.addEventListener("error", () => { at("state").textContent = "not connected"; });
  events.addEventListener("request", (event) => { addRequest(JSON.parse(event.data)); refresh(); });
  for (const name of ["miss", "recorded", "reloaded", "broken"]) events.addEventListener(name, refresh);
}

at("reset").addEventListener("click", reset);
(await told("requests")).requests.slice(-MOST_ROWS).forEach(addRequest);
await showKnown();
listen();
