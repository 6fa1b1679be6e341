// What a front end does with its API. Every function takes the API's base URL and returns plain values, so that two
// runs can be compared; a call the browser does not let the page read comes back as {refused: "TypeError"}.

const SECONDS = 15;
const EXPOSED = ["x-total-count", "etag", "link", "retry-after", "cache-status", "set-cookie"];

async function read(url, options) {
  try {
    const answer = await fetch(url, options);
    const text = await answer.text();
    const headers = Object.fromEntries(EXPOSED.map((name) => [name, answer.headers.get(name)]));
    return { status: answer.status, type: answer.headers.get("content-type"), headers, text, json: parsed(text) };
  } catch (error) {
    return { refused: error.name };
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const put = (value) => ({
  method: "PUT",
  headers: { "Content-Type": "application/json", "X-Note": "by hand", Authorization: "Bearer of-the-page" },
  body: JSON.stringify(value),
});

async function list(base) {
  const { status, json, headers } = await read(`${base}/items`);
  return { status, items: json.items, total: headers["x-total-count"], etag: headers.etag };
}

async function follow(base) {
  const first = await read(`${base}/items`);
  const next = await read(first.json.next);
  return { here: first.json.next.startsWith(`${base}/`), link: first.headers.link.replace(base, ""), json: next.json };
}

async function basket(base) {
  const before = (await read(`${base}/basket`, { credentials: "include" })).json;
  const login = await read(`${base}/login`, { method: "POST", credentials: "include" });
  const after = (await read(`${base}/basket`, { credentials: "include" })).json;
  const without = (await read(`${base}/basket`, { credentials: "omit" })).json;
  return { before, cookie: login.headers["set-cookie"], after, without };
}

async function picture(base) {
  const image = new Image();
  image.crossOrigin = "anonymous";
  image.src = `${base}/pixel.png`;
  document.body.append(image);
  await image.decode();
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.drawImage(image, 0, 0);
  return { width: image.naturalWidth, colour: [...canvas.getImageData(0, 0, 1, 1).data] };
}

// The backend sends an event only after the one before it was acknowledged: whoever holds a stream back stops it.
function events(base) {
  return new Promise((resolve) => {
    const seen = [];
    const source = new EventSource(`${base}/events`);
    source.onmessage = (event) => {
      seen.push({ id: event.lastEventId, data: event.data });
      fetch(`${base}/seen`, { method: "POST", body: event.lastEventId });
    };
    source.onerror = () => {
      source.close();
      resolve(seen);
    };
  });
}

const late = () =>
  new Promise((_, reject) => setTimeout(() => reject(new Error(`not done in ${SECONDS} s`)), SECONDS * 1000));

async function visit(base) {
  const told = {};
  told.list = await list(base);
  told.put = await read(`${base}/items/1`, put({ name: "pencil" }));
  told.changed = await list(base);
  told.removed = await read(`${base}/items/1`, { method: "DELETE" });
  told.emptied = await list(base);
  told.basket = await basket(base);
  told.follow = await follow(base);
  told.picture = await picture(base);
  told.events = await events(base);
  return told;
}

async function stranger(base) {
  return {
    plain: await read(`${base}/items`),
    put: await read(`${base}/items/1`, put({ name: "ink" })),
    withCredentials: await read(`${base}/items`, { credentials: "include" }),
  };
}

const inTime = (told) => Promise.race([told, late()]);
