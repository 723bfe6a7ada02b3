// Draws an answer: lines where the first column is time, bars elsewhere. Figures are rounded here, and only here.

import { figure, isFigure, made } from "./table.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, SERIES_MAX, BARS_MAX, POINTS_MAX] = [900, 8, 40, 5_000];
const TIME = /^\d{4}(-\d{2}(-\d{2}([T ].*)?)?|Q[1-4])?$/;

/** Offer the columns of an answer; give what draws what is chosen, for when somebody looks. */
export function showChart({ columns, rows }, place, { across, up, by }) {
  const figures = columns.filter(isFigure);
  const others = columns.filter((column) => !isFigure(column));
  const options = (select, some, none) => {
    select.replaceChildren(...(none ? [new Option(none, "")] : []), ...some.map(({ name }) => new Option(name, name)));
  };
  options(across, [...others, ...figures]);
  options(up, figures);
  options(by, others, "nothing");
  const times = others.filter(({ name }) => isTime(rows, columns, name));
  if (times.length) across.value = times[0].name;
  const repeated = times.length && new Set(valuesOf(rows, columns, times[0].name)).size < rows.length;
  by.value = (repeated && others.find(({ name }) => name !== times[0].name)?.name) || "";
  const likely = figures.find(({ name }) => /^used_/.test(name)) ?? figures.find(({ name }) => /percent$|tpp$/.test(name));
  if (likely) up.value = likely.name;
  const redraw = () => place.replaceChildren(drawn({ columns, rows }, across.value, up.value, by.value));
  for (const select of [across, up, by]) select.onchange = redraw;
  return redraw;
}

const valuesOf = (rows, columns, name) => {
  const place = columns.findIndex((column) => column.name === name);
  return rows.map((row) => row[place]);
};
const isTime = (rows, columns, name) => rows.length > 0 && valuesOf(rows, columns, name).every((value) => value !== null && TIME.test(value));

function drawn({ columns, rows }, across, up, by) {
  if (!up || !rows.length) return made("p", "There is no column of figures to draw.", "soft");
  const [xs, ys, names] = [across, up, by].map((name) => (name ? valuesOf(rows, columns, name) : rows.map(() => up)));
  const points = xs.map((x, place) => ({ x: String(x), y: Number(ys[place]), name: String(names[place]) }));
  const counted = points.filter(({ y }, place) => ys[place] !== null && Number.isFinite(y));
  if (!counted.length) return made("p", "There is no figure to draw.", "soft");
  if (!isTime(rows, columns, across)) return bars(counted, up, Boolean(by));
  if (counted.length <= POINTS_MAX) return lines(counted, up);
  return made("p", `${counted.length} points are too many to draw; sum them by month or quarter.`, "soft");
}

/** Make an element of a picture. */
function part(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function picture(height, told) {
  const svg = part("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img" });
  svg.append(part("title", {}, told));
  return svg;
}

/** Give round values from the least to the most, with 0 among them. */
function ticks(values) {
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const rough = (most - least || 1) / 5;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * size).find((one) => one >= rough);
  const first = Math.floor(least / step);
  return Array.from({ length: Math.ceil(most / step) - first + 1 }, (_, place) => (first + place) * step);
}

const short = (value) => new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);

function lines(points, up) {
  const times = [...new Set(points.map(({ x }) => x))].sort();
  const placeOf = new Map(times.map((time, place) => [time, place]));
  const last = new Map(points.map(({ name, y }) => [name, y]));
  const names = [...last.keys()].sort((a, b) => last.get(b) - last.get(a)).slice(0, SERIES_MAX);
  const shown = points.filter(({ name }) => names.includes(name));
  const marks = ticks(shown.map(({ y }) => y));
  const [left, right, top, bottom] = [60, WIDTH - 190, 14, 330];
  const xOf = (x) => left + ((right - left) * placeOf.get(x)) / Math.max(1, times.length - 1);
  const yOf = (y) => bottom - ((bottom - top) * (y - marks[0])) / (marks.at(-1) - marks[0]);
  const svg = picture(370, `${up} from ${times[0]} to ${times.at(-1)}: ${names.join(", ")}`);
  for (const mark of marks) {
    svg.append(part("line", { x1: left, x2: right, y1: yOf(mark), y2: yOf(mark), class: "grid" }));
    svg.append(part("text", { x: left - 8, y: yOf(mark) + 4, "text-anchor": "end", class: "faint" }, short(mark)));
  }
  const every = Math.ceil(times.length / 8);
  times.filter((_, place) => place % every === 0).forEach((time) => {
    svg.append(part("text", { x: xOf(time), y: bottom + 22, "text-anchor": "middle", class: "faint" }, time.slice(0, 10)));
  });
  let free = top;
  names.forEach((name, place) => {
    const own = shown.filter((point) => point.name === name).sort((a, b) => placeOf.get(a.x) - placeOf.get(b.x));
    svg.append(part("path", { d: own.map(({ x, y }, n) => `${n ? "L" : "M"}${xOf(x).toFixed(1)} ${yOf(y).toFixed(1)}`).join(""), class: `series-${place}`, "fill-opacity": 0 }));
    for (const { x, y } of own) {
      const dot = part("circle", { cx: xOf(x), cy: yOf(y), r: 3, class: `series-${place}` });
      dot.append(part("title", {}, `${name}, ${x}: ${figure(y)}`));
      svg.append(dot);
    }
    // Beside the end of its line, below the name before it.
    free = Math.max(free, yOf(own.at(-1).y) + 4);
    svg.append(part("rect", { x: right + 12, y: free - 9, width: 10, height: 10, class: `series-${place}` }));
    svg.append(part("text", { x: right + 28, y: free }, name.slice(0, 24)));
    free += 17;
  });
  if (last.size > names.length) svg.append(part("text", { x: left, y: 366, class: "faint" }, `The ${names.length} largest of ${last.size}.`));
  return svg;
}

function bars(points, up, hasNames) {
  const shown = points.slice(0, BARS_MAX);
  const marks = ticks(shown.map(({ y }) => y));
  const [left, right, height] = [210, WIDTH - 90, 24];
  const xOf = (y) => left + ((right - left) * (y - marks[0])) / (marks.at(-1) - marks[0]);
  const names = [...new Set(shown.map(({ name }) => name))];
  const svg = picture(shown.length * height + 44, `${up}: ${shown.length} bars`);
  for (const mark of marks) {
    svg.append(part("line", { x1: xOf(mark), x2: xOf(mark), y1: 6, y2: shown.length * height + 10, class: "grid" }));
    svg.append(part("text", { x: xOf(mark), y: shown.length * height + 27, "text-anchor": "middle", class: "faint" }, short(mark)));
  }
  shown.forEach(({ x, y, name }, place) => {
    const told = hasNames ? `${x} · ${name}` : x;
    const [from, to] = [Math.min(xOf(0), xOf(y)), Math.max(xOf(0), xOf(y))];
    svg.append(part("text", { x: left - 8, y: place * height + 24, "text-anchor": "end" }, told.length > 30 ? `${told.slice(0, 29)}…` : told));
    svg.append(part("rect", { x: from, y: place * height + 10, width: Math.max(1, to - from), height: height - 6, class: `series-${names.indexOf(name) % SERIES_MAX}` }));
    svg.append(part("text", { x: to + 6, y: place * height + 24 }, figure(y)));
  });
  if (points.length > shown.length) svg.append(part("text", { x: left, y: shown.length * height + 42, class: "faint" }, `The first ${shown.length} of ${points.length} rows.`));
  return svg;
}
