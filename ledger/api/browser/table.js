// Shows an answer as a table: figures to the right with their thousands apart, and every digit of them.

const ROWS_MAX = 1000;
const FIGURE = /INT|DECIMAL|DOUBLE|FLOAT/;

/** Say if a column is one of figures. */
export const isFigure = (column) => FIGURE.test(column.type) && !/\[|STRUCT|MAP/.test(column.type);

/** Write a figure with its thousands apart, without counting with it. */
export function figure(value) {
  const [whole, part] = String(value).split(".");
  return /^-?\d+$/.test(whole) ? whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "") : String(value);
}

/** Make an element with a text. */
export function made(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

/** Show the first rows of an answer in a place. */
export function showTable(place, { columns, rows }) {
  const table = made("table");
  const head = table.createTHead().insertRow();
  for (const column of columns) {
    const cell = made("th", column.name, isFigure(column) ? "figure" : "");
    cell.scope = "col";
    cell.append(made("small", column.type));
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of rows.slice(0, ROWS_MAX)) {
    const line = body.insertRow();
    row.forEach((value, place) => line.append(cellOf(value, columns[place])));
  }
  place.replaceChildren(table);
  if (!rows.length) place.append(made("p", "No rows: nothing in the copy is so.", "soft"));
  if (rows.length > ROWS_MAX) place.append(made("p", `The first ${ROWS_MAX} of ${rows.length} rows; save them to have all.`, "soft"));
}

function cellOf(value, column) {
  if (value === null) return made("td", "null", "nothing");
  if (typeof value === "object") return made("td", JSON.stringify(value));
  // A year has no thousands.
  const isPlain = !isFigure(column) || /(^|_)(year|sequence|batch|leaf)$/.test(column.name);
  return made("td", isPlain ? String(value) : figure(value), isFigure(column) ? "figure" : "");
}
