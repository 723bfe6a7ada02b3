// The side: questions to begin with, and every view, macro and column with what it is.

import { made } from "./table.js";

const WORDS = "SELECT FROM WHERE GROUP BY ORDER LIMIT JOIN USING HAVING WITH AS DESC BETWEEN DISTINCT FILTER ALL".split(" ");
let names = [];

/** Give the one word that begins so, or what all those have in common; nothing if that is no more. */
export function completion(begin) {
  const small = begin.toLowerCase();
  const found = begin ? [...names, ...WORDS].filter((name) => name.toLowerCase().startsWith(small)) : [];
  if (!found.length) return "";
  let shared = found[0];
  for (const name of found) while (!name.toLowerCase().startsWith(shared.toLowerCase())) shared = shared.slice(0, -1);
  return shared.length > begin.length ? shared : "";
}

/** Fill a place with the dictionary; what is typed into a field leaves what has that in it. */
export async function showDictionary(place, field, { insert, choose }) {
  const response = await fetch("/sql/dictionary");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const { subjects, questions } = await response.json();
  const entries = subjects.flatMap(({ entries: some }) => some);
  names = [...new Set([...entries.map(({ name }) => name), ...entries.flatMap(({ columns }) => columns.map(({ name }) => name))])].sort();
  place.replaceChildren(asked(questions, choose), ...subjects.map((subject) => section(subject, insert, choose)));
  field.addEventListener("input", () => narrow(place, field.value.trim().toLowerCase()));
}

function button(text, action, title) {
  const made_ = made("button", text);
  made_.type = "button";
  made_.title = title;
  made_.addEventListener("click", action);
  return made_;
}

function asked(questions, choose) {
  const [whole, list] = [made("section"), made("ol")];
  for (const question of questions) {
    const item = made("li");
    item.append(button(question.asked, () => choose(question.query), question.said || "Put this question into the editor"));
    list.append(item);
  }
  whole.append(made("h2", "Ten questions"), list);
  return whole;
}

function section({ subject, entries }, insert, choose) {
  const whole = made("section");
  whole.append(made("h2", subject), ...entries.map((entry) => told(entry, insert, choose)));
  return whole;
}

function told(entry, insert, choose) {
  const [whole, summary, list] = [made("details"), made("summary"), made("dl")];
  const call = entry.parameters ? `${entry.name}(${entry.parameters.join(", ")})` : entry.name;
  summary.append(made("code", call));
  for (const column of entry.columns) {
    const name = made("dt");
    name.append(button(column.name, () => insert(column.name), "Put this name into the query"), ` ${column.type}`);
    list.append(name, made("dd", column.comment));
  }
  const about = made("p", entry.comment);
  const example = made("p");
  example.append(button("Example", () => choose(entry.example), entry.example));
  whole.append(summary, about, example, list);
  return whole;
}

function narrow(place, word) {
  for (const whole of place.querySelectorAll("section")) {
    let some = 0;
    for (const one of whole.querySelectorAll("details, li")) {
      one.hidden = !one.textContent.toLowerCase().includes(word);
      some += !one.hidden;
    }
    whole.hidden = !some;
  }
}
