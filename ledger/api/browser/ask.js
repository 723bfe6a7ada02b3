// Asks: the key, the query, what came back, and what went wrong. Whatever is from elsewhere is put in as text.

import { showChart } from "./chart.js";
import { showDictionary, completion } from "./dictionary.js";
import { showTable } from "./table.js";

const find = (id) => document.getElementById(id);
const [key, query, status] = [find("key"), find("query"), find("status")];
let draw = () => {}; // the chart of the newest answer
let running = null; // the name and the controller of the query on its way

/** Tell in one line how it stands. */
function say(text, isWrong = false) {
  status.textContent = text;
  status.classList.toggle("wrong", isWrong);
}

/** Parse JSON with every digit: numbers beyond what a browser counts exactly become text. */
export function exactly(text) {
  const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  return JSON.parse(text.replace(tokens, (token) => (token[0] !== '"' && token.length > 15 ? `"${token}"` : token)));
}

/** Send the query; give the response, or throw what there is to say. */
async function send(form) {
  if (!key.value.trim()) throw new Error("Put in a key first: quotaledger key create --provider NAME --scope analyst makes one.");
  if (!query.value.trim()) throw new Error("There is no query. Choose an example on the right, or write FROM country_positions.");
  running = { name: crypto.randomUUID?.() ?? String(Math.random()).slice(2), controller: new AbortController() };
  sessionStorage.setItem("key", key.value.trim());
  history.replaceState(null, "", `#${encodeURIComponent(query.value)}`);
  const response = await fetch("/v1/sql", {
    method: "POST",
    headers: { authorization: `Bearer ${key.value.trim()}`, "content-type": "application/json", "query-id": running.name },
    body: JSON.stringify({ query: query.value, format: form }),
    signal: running.controller.signal,
  });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Error([problem.detail ?? `The server answered ${response.status}.`, problem.next_step].filter(Boolean).join("\n"));
}

/** Have something done while the buttons say so. */
async function during(work) {
  if (running) return;
  const began = performance.now();
  const clock = setInterval(() => say(`Asked ${((performance.now() - began) / 1000).toFixed(0)} s ago …`), 1000);
  find("ask").disabled = find("save").disabled = true;
  find("cancel").disabled = false;
  say("Asked …");
  try {
    await work();
  } catch (error) {
    say(error.name === "AbortError" ? "Cancelled." : error.message, true);
  } finally {
    clearInterval(clock);
    running = null;
    find("ask").disabled = find("save").disabled = false;
    find("cancel").disabled = true;
  }
}

async function ask() {
  find("result").hidden = true; // or what is wrong with this query would stand over the answer to the one before
  const response = await send("json");
  const found = exactly(await response.text());
  const [rows, seconds] = [found.rows.length, response.headers.get("quotaledger-seconds")];
  const published = `${response.headers.get("quotaledger-published-at").slice(0, 19).replace("T", " ")} UTC`;
  const same = found.reproducible ? "the same bytes at this checkpoint" : "perhaps not the same again: no total ORDER BY, a clock or chance";
  say(`${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"} in ${seconds} s · as of record ${found.sequence}, published ${published} · ${same}`);
  find("result").hidden = false;
  showTable(find("table"), found);
  draw = showChart(found, find("chart"), { across: find("across"), up: find("up"), by: find("by") });
  if (!find("chart").hidden) draw();
  find("proof").querySelector("pre").textContent = found.checkpoint;
}

async function save() {
  const form = find("form").value;
  const response = await send(form);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = `answer.${form}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say(`Saved ${response.headers.get("quotaledger-rows")} rows as ${link.download}.`);
}

function cancel() {
  if (!running) return;
  fetch(`/v1/sql/${running.name}`, { method: "DELETE", headers: { authorization: `Bearer ${key.value.trim()}` } }).catch(() => {});
  running.controller.abort();
}

function show(what) {
  for (const name of ["table", "chart"]) {
    find(name).hidden = name !== what;
    find(`show-${name}`).setAttribute("aria-selected", String(name === what));
  }
  find("chart-choices").hidden = what !== "chart";
  if (what === "chart") draw();
}

/** Put text where the cursor is, in place of so many characters before it. */
function insert(text, before = 0) {
  query.focus();
  const at = query.selectionStart;
  query.setRangeText(text, at - before, query.selectionEnd, "end");
}

let leaves = false; // after Esc, Tab goes to the next field as elsewhere
query.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    during(ask);
  } else if (event.key === "Tab" && !event.shiftKey && !leaves) {
    event.preventDefault();
    const word = query.value.slice(0, query.selectionStart).match(/\w*$/)[0];
    const rest = completion(word);
    insert(word && rest ? rest : "    ", word && rest ? word.length : 0);
  }
  leaves = event.key === "Escape";
});
find("ask").addEventListener("click", () => during(ask));
find("save").addEventListener("click", () => during(save));
find("cancel").addEventListener("click", cancel);
find("show-table").addEventListener("click", () => show("table"));
find("show-chart").addEventListener("click", () => show("chart"));

key.value = sessionStorage.getItem("key") ?? "";
try {
  query.value = decodeURIComponent(location.hash.slice(1));
} catch {
  query.value = ""; // an address that was cut
}
const choose = (text) => {
  query.value = text;
  query.focus();
};
showDictionary(find("dictionary"), find("find"), { insert, choose }).catch((error) => say(`The dictionary cannot be read: ${error.message}`, true));
