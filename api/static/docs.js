// Lists the operations of /api/openapi.json by tag, shows their schemas and sends requests.
// Texts of the description and of answers go into the page as text only, never as markup.
"use strict";

const token = document.getElementById("token");
const find = document.getElementById("find");
const place = document.getElementById("operations");
let description;

function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function resolved(part) {
  if (!part || !part.$ref) return part;
  return part.$ref.slice(2).split("/").reduce((at, name) => at[name], description);
}

// An example of a value of a schema: required fields first, so that a body can be sent at once.
function example(schema, depth = 0) {
  schema = resolved(schema) || {};
  if (depth > 5) return null;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const choice = (schema.oneOf || schema.anyOf || [])[0];
  if (choice) return example(choice, depth + 1);
  switch (schema.type) {
    case "object": {
      const fields = Object.entries(schema.properties || {});
      return Object.fromEntries(fields.map(([name, field]) => [name, example(field, depth + 1)]));
    }
    case "array": return [example(schema.items, depth + 1)];
    case "integer": case "number": return schema.minimum || 0;
    case "boolean": return false;
    case "string": return schema.format || "";
    default: return null;
  }
}

function inlined(schema, depth = 0) {
  schema = resolved(schema);
  if (depth > 6 || schema === null || typeof schema !== "object") return schema;
  if (Array.isArray(schema)) return schema.map((part) => inlined(part, depth + 1));
  return Object.fromEntries(Object.entries(schema).map(([k, v]) => [k, inlined(v, depth + 1)]));
}

function shownSchema(title, content) {
  const media = content && Object.values(content)[0];
  if (!media || !media.schema) return "";
  const text = JSON.stringify(inlined(media.schema), null, 2);
  return make("details", {}, make("summary", { textContent: title }), make("pre", { textContent: text }));
}

function requestOf(method, path, inputs, body) {
  const headers = {}, query = new URLSearchParams();
  for (const [parameter, input] of inputs) {
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    if (!input.value) continue;
    if (parameter.in === "query") query.set(parameter.name, input.value);
    if (parameter.in === "header") headers[parameter.name] = input.value;
  }
  if (token.value) headers.Authorization = `Bearer ${token.value.trim()}`;
  const options = { method, headers, credentials: "same-origin" };
  if (body && body.value.trim()) {
    options.body = body.value;
    headers["Content-Type"] = "application/json";
  }
  return [query.size ? `${path}?${query}` : path, options];
}

async function send(method, path, inputs, body, output) {
  const [url, options] = requestOf(method, path, inputs, body);
  output.textContent = "…";
  try {
    const answer = await fetch(url, options);
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it is */ }
    const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    output.className = answer.ok ? "good" : "bad";
    output.textContent = `${answer.status} ${answer.statusText}\n${headers}\n\n${shown}`;
    const given = answer.ok && text.includes("accessToken") ? JSON.parse(text).accessToken : null;
    if (given) token.value = given;
  } catch (error) {
    output.className = "bad";
    output.textContent = String(error);
  }
}

function form(method, path, operation) {
  const inputs = (operation.parameters || []).map(resolved).map((parameter) => [parameter, make("input", {})]);
  const rows = inputs.map(([parameter, input]) => make("label", { className: "parameter" },
    make("span", { textContent: parameter.name }, make("br", {}),
      make("small", { textContent: parameter.in + (parameter.required ? ", required" : "") })),
    make("span", {}, input, make("small", { textContent: parameter.description || "" }))));
  const content = operation.requestBody && operation.requestBody.content;
  const schema = content && Object.values(content)[0].schema;
  const body = schema && make("textarea", { rows: 8, spellcheck: false,
    value: JSON.stringify(example(schema), null, 2) });
  const output = make("pre", { textContent: "Not sent yet." });
  const button = make("button", { type: "button", textContent: "Send" });
  button.addEventListener("click", () => send(method, path, inputs, body, output));
  const schemas = Object.entries(operation.responses).map(([status, response]) =>
    shownSchema(`Answer ${status}`, resolved(response).content));
  return make("div", {}, make("p", { textContent: operation.description || "" }), ...rows,
    body || "", shownSchema("Body", content), button, output, ...schemas);
}

function entry(method, path, operation) {
  const details = make("details", { className: "operation" }, make("summary", {},
    make("span", { className: "method", textContent: method }),
    make("span", { className: "path", textContent: path }),
    make("span", { className: "meaning", textContent: operation.summary || "" })));
  details.dataset.words = `${method} ${path} ${operation.description || ""}`.toLowerCase();
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(form(method, path, operation));
  });
  return details;
}

function show() {
  const byTag = new Map();
  for (const [path, item] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const tag = (operation.tags || ["Other"])[0];
      if (!byTag.has(tag)) byTag.set(tag, []);
      byTag.get(tag).push(entry(method.toUpperCase(), path, operation));
    }
  }
  place.replaceChildren();
  for (const [tag, entries] of byTag) {
    place.append(make("section", {}, make("h2", { textContent: tag }), ...entries));
  }
}

find.addEventListener("input", () => {
  for (const details of place.querySelectorAll("details.operation")) {
    details.hidden = !details.dataset.words.includes(find.value.toLowerCase());
  }
});

fetch("/api/openapi.json").then((answer) => answer.json()).then((read) => {
  description = read;
  show();
}).catch((error) => place.replaceChildren(make("p", { className: "bad", textContent: String(error) })));
