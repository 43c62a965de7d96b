// The search page. State lives in the address: ?q=…&filter=…; everything else is drawn from answers.

const PAGE_SIZE = 10;
const RETRY_MS = 1500;
const SKELETON_AFTER_MS = 140;
const ICONS = {
  dataset: "dataset", container: "container", chart: "chart", dashboard: "dashboard",
  dataFlow: "flow", dataJob: "flow", glossaryTerm: "term", glossaryNode: "term", tag: "tag",
  domain: "domain", dataProduct: "model", mlModel: "model", document: "document",
};
const TYPE_NAMES = {
  dataset: "Dataset", container: "Container", chart: "Chart", dashboard: "Dashboard",
  dataFlow: "Pipeline", dataJob: "Task", glossaryTerm: "Term", glossaryNode: "Term group",
  tag: "Tag", domain: "Domain", dataProduct: "Data product", mlModel: "Model", document: "Document",
};
const SIGN_NAMES = { name: "exact name", words: "words", meaning: "meaning" };

const $ = (selector) => document.querySelector(selector);
const ui = {
  form: $("form"), input: $("#q"), results: $("#results"), status: $("#status"), more: $("#more"),
  filters: $("#filters"), notice: $("#notice"), examples: $("#examples"), size: $("#size"),
};
const page = { q: "", filters: [], shown: 0, request: null, retry: 0, examples: [], entities: null };

/* small helpers */

function node(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

// Only pages: what a catalogue holds may be a `javascript:` link.
function webLink(address) {
  return /^https?:\/\//i.test(address || "") ? address : null;
}

function hue(text) {
  let hash = 7;
  for (const char of text) hash = (hash * 31 + char.codePointAt(0)) % 9973;
  return (hash * 137) % 360;
}

// Words match by stem, so the last letters of what was typed may differ in the text.
function marked(text, words) {
  const beginnings = words
    .map((word) => word.toLowerCase())
    .map((word) => (word.length > 5 ? word.slice(0, -2) : word.length > 3 ? word.slice(0, -1) : word))
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (!beginnings.length || !text) return [text];
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${beginnings.join("|")})\\p{L}*`, "giu");
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    parts.push(text.slice(end, match.index), node("mark", {}, match[0]));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

function shortened(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function plural(count, one, many) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/* asking */

function readAddress() {
  const parameters = new URLSearchParams(location.search);
  page.q = (parameters.get("q") || "").trim();
  page.filters = parameters.getAll("filter");
}

function writeAddress() {
  const parameters = new URLSearchParams();
  if (page.q) parameters.set("q", page.q);
  for (const filter of page.filters) parameters.append("filter", filter);
  const query = parameters.toString();
  history.pushState(null, "", query ? `/?${query}` : "/");
}

function go(q, filters = page.filters) {
  page.q = q.trim();
  page.filters = filters;
  writeAddress();
  show();
}

function show() {
  ui.input.value = page.q;
  document.title = page.q ? `${page.q} · Data Spoke` : "Data Spoke search";
  page.shown = 0;
  if (page.q || page.filters.length) {
    document.body.dataset.view = "results";
    window.scrollTo(0, 0);
    load();
  } else {
    page.request?.abort();
    clearTimeout(page.retry);
    document.body.dataset.view = "home";
    clear();
    ui.input.focus();
  }
}

async function load() {
  page.request?.abort();
  clearTimeout(page.retry);
  const request = (page.request = new AbortController());
  const first = page.shown === 0;
  const skeleton = setTimeout(() => first && !ui.results.children.length && drawSkeleton(), SKELETON_AFTER_MS);
  ui.results.setAttribute("aria-busy", "true");
  try {
    const parameters = new URLSearchParams({ q: page.q, limit: PAGE_SIZE, offset: page.shown });
    for (const filter of page.filters) parameters.append("filter", filter);
    const response = await fetch(`/search/semantic?${parameters}`, { signal: request.signal });
    const body = await response.json();
    if (response.ok) draw(body, first);
    else drawTrouble(response.status, body.detail);
  } catch (error) {
    if (error.name === "AbortError") return;
    drawTrouble(0, "The search service does not answer.");
  } finally {
    clearTimeout(skeleton);
    if (page.request === request) ui.results.removeAttribute("aria-busy");
  }
}

async function loadFacts() {
  try {
    const facts = await (await fetch("/web/page.json")).json();
    page.examples = facts.examples;
    page.entities = facts.ready ? facts.entities : null;
    drawFacts(facts);
    if (!facts.ready || !facts.entities) setTimeout(loadFacts, RETRY_MS);
  } catch {
    setTimeout(loadFacts, 4 * RETRY_MS);
  }
}

/* drawing */

function clear() {
  ui.results.replaceChildren();
  ui.filters.replaceChildren();
  ui.notice.hidden = true;
  ui.more.hidden = true;
  ui.status.textContent = "";
}

function draw(answer, first) {
  if (first) clear();
  const cards = answer.results.map((hit) => card(hit, answer));
  ui.results.append(...cards);
  ui.filters.replaceChildren(...answer.filters.map(filterChip));
  page.shown = answer.offset + answer.results.length;
  ui.more.hidden = page.shown >= answer.total || !answer.results.length;
  if (!answer.total) drawEmpty();
  else ui.status.textContent = statusLine(answer);
  if (!first && cards.length) cards[0].querySelector("h2 :is(a, button)").focus();
}

function statusLine(answer) {
  const took = `${answer.took_ms < 10 ? answer.took_ms.toFixed(1) : Math.round(answer.took_ms)} ms`;
  if (!answer.query) return `${plural(answer.total, "entity", "entities")} by name · ${took}`;
  const all = plural(answer.total, "result", "results");
  return `${page.shown < answer.total ? `${page.shown} of ${all}` : all}, best first · ${took}`;
}

function drawSkeleton() {
  const bones = () => node("li", { class: "card skeleton", "aria-hidden": "true" },
    node("div", { class: "tile" }), node("div", {}, node("b"), node("b")),
    node("div", { class: "body" }, node("b"), node("b")));
  ui.notice.hidden = true;
  ui.more.hidden = true;
  ui.status.textContent = "Searching…";
  ui.results.replaceChildren(bones(), bones(), bones(), bones());
}

function drawNotice(kind, symbol, title, text, ...more) {
  ui.notice.className = `notice ${kind}`;
  ui.notice.replaceChildren(icon(symbol), node("h2", {}, title), node("p", {}, ...[text].flat()), ...more);
  ui.notice.hidden = false;
}

function drawEmpty() {
  ui.status.textContent = "Nothing found";
  if (page.entities === 0 || (page.entities === null && !page.filters.length)) {
    drawNotice("", "dataset", "The index is still empty", [
      "As soon as vector sync has read DataHub, your data is found here. To fill it at once, run ",
      node("code", {}, "dataspoke index reconcile"), "."]);
  } else if (page.filters.length) {
    const all = node("button", { class: "action", type: "button", onclick: () => go(page.q, []) }, "Search without filters");
    drawNotice("", "search", page.q ? `Nothing fits “${page.q}” here` : "Nothing fits", "No entity fulfils all filters above. Remove one of them, or all.", all);
  } else {
    drawNotice("", "search", `Nothing fits “${page.q}”`, "Try other words, or what a column would be called.", tryThese());
  }
}

function tryThese() {
  return node("div", { class: "try" }, page.examples.map(exampleButton));
}

function drawTrouble(status, detail) {
  clear();
  ui.filters.replaceChildren(...page.filters.map((id) => filterChip({ id, text: id })));
  ui.status.textContent = "No answer";
  const again = node("button", { class: "action", type: "button", onclick: () => load() }, "Try again");
  if (status === 503) {
    drawNotice("", "model", "Just a moment", detail || "The service is not ready yet.", again);
    page.retry = setTimeout(load, RETRY_MS);
  } else if (status === 400 || status === 422) {
    const reset = node("button", { class: "action", type: "button", onclick: () => go(page.q, []) }, "Search without filters");
    drawNotice("trouble", "warn", "This cannot be asked", detail, page.filters.length ? reset : null);
  } else {
    drawNotice("trouble", "warn", "No answer from the service", detail || "It failed. Its log has the details.", again);
  }
}

function drawFacts(facts) {
  ui.size.textContent = facts.ready ? `${plural(facts.entities, "entity", "entities")} in the index` : "The index is being loaded…";
  ui.examples.hidden = !facts.examples.length;
  ui.examples.querySelector("ul").replaceChildren(...facts.examples.map((q) => node("li", {}, exampleButton(q))));
}

function exampleButton(question) {
  return node("button", { type: "button", onclick: () => go(question, []) }, question);
}

function filterChip(filter) {
  const remove = () => go(page.q, page.filters.filter((_, at) => at !== place(filter)));
  return node("li", {}, node("button", { type: "button", "aria-label": `Remove filter: ${filter.text}`, onclick: remove },
    filter.text, icon("close")));
}

// The service may spell a filter's id unlike the address does; their order is the same.
function place(filter) {
  const same = page.filters.indexOf(filter.id);
  return same >= 0 ? same : [...ui.filters.querySelectorAll("button")].indexOf(document.activeElement);
}

function withFilter(field, value) {
  const filter = `${field}:eq:${value}`;
  if (!page.filters.includes(filter)) go(page.q, [...page.filters, filter]);
}

function card(hit, answer) {
  const words = (field) => hit.explanation.matches.filter((match) => match.field === field).flatMap((match) => match.words);
  const item = node("li", { class: "card" });
  const details = node("div", { class: "details", hidden: true, id: `d-${page.shown}-${ui.results.children.length}-${hue(hit.urn)}` });
  const fold = node("button", { class: "fold", type: "button", "aria-expanded": "false", "aria-controls": details.id }, icon("chevron"), "Details");
  const toggle = () => {
    if (!details.children.length) details.append(...detailParts(hit));
    details.hidden = item.classList.contains("open");
    fold.setAttribute("aria-expanded", String(item.classList.toggle("open")));
  };
  fold.addEventListener("click", toggle);
  const tile = node("div", { class: "tile", "aria-hidden": "true" }, icon(symbolOf(hit)));
  tile.style.setProperty("--hue", hue(hit.platform || hit.entity_type));
  item.append(
    tile, whereLine(hit), titleLine(hit, words("name"), toggle),
    node("div", { class: "body" },
      hit.description
        ? node("p", { class: "description" }, ...marked(hit.description, words("description")))
        : node("p", { class: "description none" }, "No description yet"),
      columnLine(hit), labelLine(hit),
      node("div", { class: "foot" },
        answer.query && hit.explanation.summary
          ? node("p", { class: "why" }, icon("why"), node("span", {}, hit.explanation.summary)) : null,
        fold),
      details),
  );
  return item;
}

function symbolOf(hit) {
  return hit.subtypes.some((name) => /view/i.test(name)) ? "view" : ICONS[hit.entity_type] || "dataset";
}

function whereLine(hit) {
  const type = hit.subtypes[0] || TYPE_NAMES[hit.entity_type] || hit.entity_type;
  const typeFilter = hit.subtypes[0] ? ["subtype", hit.subtypes[0]] : ["entity_type", hit.entity_type];
  const crumbs = hit.path.flatMap((name, at) => (at ? [node("i", { "aria-hidden": "true" }, "/"), name] : [name]));
  const platform = hit.platform && badge(hit.platform, "platform", ["platform", hit.platform]);
  if (platform) platform.style.setProperty("--hue", hue(hit.platform));
  return node("div", { class: "where" }, platform || null, badge(type, "", typeFilter),
    hit.env && hit.env !== "PROD" ? badge(hit.env, "", ["env", hit.env]) : null,
    hit.deprecated ? node("span", { class: "badge warn" }, "Deprecated") : null,
    crumbs.length ? node("span", { class: "crumbs" }, crumbs) : null);
}

function badge(text, kind, [field, value]) {
  return node("button", { class: `badge ${kind}`, type: "button", title: `Only ${field.replace("_", " ")} ${text}`, onclick: () => withFilter(field, value) }, text);
}

function titleLine(hit, words, toggle) {
  const address = webLink(hit.datahub_url) || webLink(hit.external_url);
  const name = address
    ? node("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...marked(hit.name, words), icon("out"), node("span", { class: "unseen" }, " (opens in a new tab)"))
    : node("button", { type: "button", onclick: toggle }, ...marked(hit.name, words));
  const signs = hit.explanation.found_by.map((sign) => node("span", { class: sign }, SIGN_NAMES[sign]));
  return node("div", { class: "title" }, node("h2", {}, name), node("div", { class: "signs", "aria-label": "Found by" }, signs));
}

function columnLine(hit) {
  const names = new Set(hit.explanation.matches.filter((match) => match.field.startsWith("column")).flatMap((match) => match.values));
  const matched = hit.columns.filter((column) => names.has(column.name)).slice(0, 5);
  if (!matched.length) return null;
  const rest = hit.column_count - matched.length;
  return node("div", { class: "line", "aria-label": "Columns that match" },
    matched.map((column) => node("span", { class: "column", title: column.description || null }, column.name,
      column.type ? node("small", {}, shortened(column.type.toLowerCase(), 24)) : null)),
    rest > 0 ? node("span", { class: "rest" }, `and ${plural(rest, "more column", "more columns")}`) : null);
}

function labelLine(hit) {
  const chips = [["domain", hit.domains], ["term", hit.terms], ["tag", hit.tags], ["owner", hit.owners]].flatMap(([field, labels]) =>
    labels.slice(0, 6).map((label) =>
      node("button", { class: "chip", type: "button", title: `Only ${field} ${label.name}`, onclick: () => withFilter(field, label.name) },
        icon(field), label.name)));
  return chips.length ? node("div", { class: "line" }, chips) : null;
}

function detailParts(hit) {
  const copy = node("button", { class: "copy", type: "button", onclick: async () => {
    await navigator.clipboard.writeText(hit.urn);
    copy.textContent = "Copied";
  } }, "Copy");
  const rows = [
    ["URN", [node("code", {}, hit.urn), copy]],
    ["Full name", hit.qualified_name !== hit.name && hit.qualified_name],
    ["Reads from", hit.upstreams.map((upstream) => upstream.name).join(", ")],
    ["Changed", hit.last_modified && new Date(hit.last_modified).toLocaleString()],
    ["Environment", hit.env],
  ].filter(([, value]) => value);
  const parts = [node("dl", {}, rows.flatMap(([name, value]) => [node("dt", {}, name), node("dd", {}, ...[value].flat())]))];
  if (hit.columns.length) {
    const line = (column) => node("tr", {}, node("td", {}, column.name), node("td", {}, column.type.toLowerCase()), node("td", {}, column.description));
    const head = node("tr", {}, ["Column", "Type", "Description"].map((name) => node("th", { scope: "col" }, name)));
    parts.push(node("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Columns of ${hit.name}` },
      node("table", {}, node("thead", {}, head), node("tbody", {}, hit.columns.map(line)))));
  }
  return parts;
}

/* keys and start */

function move(step) {
  const stops = [ui.input, ...ui.results.querySelectorAll("h2 :is(a, button)")];
  const inside = document.activeElement.closest?.(".card");
  const at = inside ? stops.findIndex((stop) => inside.contains(stop)) : stops.indexOf(document.activeElement);
  if (at < 0 && step < 0) return false;
  const next = stops[Math.max(0, at) + step];
  if (!next) return false;
  next.focus();
  if (next !== ui.input) next.closest(".card").scrollIntoView({ block: "nearest" });
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = document.activeElement === ui.input;
  if (event.key === "/" && !typing) {
    event.preventDefault();
    ui.input.focus();
    ui.input.select();
  } else if (event.key === "Escape" && typing) {
    ui.input.value = "";
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !event.target.closest?.(".scroll")) {
    if (move(event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
  }
});
ui.form.addEventListener("submit", (event) => {
  event.preventDefault();
  go(ui.input.value);
});
ui.more.addEventListener("click", load);
$(".brand").addEventListener("click", (event) => {
  event.preventDefault();
  go("", []);
});
window.addEventListener("popstate", () => {
  readAddress();
  show();
});

readAddress();
show();
loadFacts();
