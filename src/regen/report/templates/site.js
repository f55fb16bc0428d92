"use strict";
// Without this script every page is whole: charts and pictures still, tables unsorted. All controls are made here.

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Tables: a button in every heading; numbers by value, words by alphabet, empty cells last.
function value(cell) {
  const text = cell.dataset.value ?? cell.firstChild?.textContent.trim() ?? "";
  if (!cell.classList.contains("n")) return text;
  const number = parseFloat(text.replaceAll(",", "").replace("−", "-"));
  return Number.isNaN(number) ? "" : number;
}

function sort(table, column) {
  const head = table.tHead.rows[0].cells[column];
  const descending = head.ariaSort === "ascending";
  for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
  head.ariaSort = descending ? "descending" : "ascending";
  const rows = [...table.tBodies[0].rows].map((row) => [value(row.cells[column]), row]);
  rows.sort(([a], [b]) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const order = typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
    return descending ? -order : order;
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (head.querySelector(".hidden")) return;
    const button = element("button", { type: "button" }, head.textContent);
    button.addEventListener("click", () => sort(table, column));
    head.replaceChildren(button);
  });
}

// The gallery: of a long table the first rows, until all are asked for.
const FIRST = 10;
for (const table of document.querySelectorAll("table.gallery")) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < FIRST + 4) continue;
  table.classList.add("folded");
  const more = element("button", { type: "button", className: "more" }, `Show all ${rows.length} models`);
  const all = () => { table.classList.remove("folded"); more.remove(); };
  more.addEventListener("click", all);
  table.tHead.addEventListener("click", all);
  table.parentElement.after(more);
}

// The gallery: one family of models alone.
const filter = document.getElementById("filter");
if (filter) {
  const rows = [...document.querySelectorAll("tr[data-family]")];
  const families = [...new Set(rows.map((row) => row.dataset.family))];
  const choice = element("select", {}, element("option", { value: "" }, "all"), ...families.map((name) => element("option", { value: name }, name)));
  choice.addEventListener("change", () => {
    for (const row of rows) row.hidden = choice.value !== "" && row.dataset.family !== choice.value;
    for (const more of document.querySelectorAll(".more")) more.click();
    for (const group of document.querySelectorAll(".group")) group.hidden = !group.querySelector("tr[data-family]:not([hidden])");
  });
  filter.append(element("label", {}, "Family ", choice));
}

// Exhibits with several models: one is shown at a time.
for (const exhibit of document.querySelectorAll(".exhibit")) {
  const choices = [...exhibit.querySelectorAll(".choice")];
  if (choices.length < 2) continue;
  exhibit.classList.add("scripted");
  const choice = element("select", {}, ...choices.map((one, index) => element("option", { value: index }, one.firstElementChild.textContent)));
  choice.addEventListener("change", () => choices.forEach((one, index) => { one.open = index === Number(choice.value); }));
  choices[0].before(element("p", { className: "choices" }, element("label", {}, "Model ", choice)));
}

// Pictures of tiles: sliders choose one tile of every grid, or one grid of several.
function view(figure) {
  const grids = JSON.parse(figure.dataset.grids);
  const image = figure.querySelector("img");
  const panels = "panels" in figure.dataset;
  const shown = panels ? [grids[0]] : grids;
  const canvases = shown.map(() => element("canvas", { role: "img" }));
  const status = element("output");
  const sizes = panels ? [["moment", grids.length]] : [["column", Math.max(...grids.map((one) => one.columns))], ["row", Math.max(...grids.map((one) => one.rows))]];
  const sliders = sizes.map(([name, count]) => element("input", { type: "range", min: 0, max: count - 1, step: 1, value: panels ? count - 1 : Math.floor((count - 1) / 2), ariaLabel: name }));
  const label = (labels, index) => labels?.[index] || `${index + 1}`;

  function draw() {
    const [first, second] = sliders.map((slider) => Number(slider.value));
    const said = new Set();
    shown.forEach((whole, index) => {
      const grid = panels ? grids[first] : whole;
      const column = Math.min(first, grid.columns - 1);
      const row = Math.min(second ?? 0, grid.rows - 1);
      const box = panels
        ? [grid.left, grid.top, (grid.columns - 1) * grid.pitch_x + grid.tile_width, (grid.rows - 1) * grid.pitch_y + grid.tile_height]
        : [grid.left + column * grid.pitch_x, grid.top + row * grid.pitch_y, grid.tile_width, grid.tile_height];
      const text = panels ? grid.title : [grid.rows > 1 && label(grid.row_labels, row), grid.columns > 1 && label(grid.column_labels, column)].filter(Boolean).join(", ");
      said.add(text);
      Object.assign(canvases[index], { width: box[2], height: box[3], ariaLabel: `${whole.title && !panels ? `${whole.title}: ` : ""}${text}` });
      if (image.complete && image.naturalWidth) canvases[index].getContext("2d").drawImage(image, ...box, 0, 0, box[2], box[3]);
    });
    status.textContent = [...said].join("; ");
    if (panels) sliders[0].ariaValueText = grids[first].title;
    else sliders.forEach((slider, index) => { slider.ariaValueText = label(index ? grids[0].row_labels : grids[0].column_labels, Number(slider.value)); });
  }

  for (const slider of sliders) slider.addEventListener("input", draw);
  // A picture that is still to come is drawn as soon as it is there.
  image.addEventListener("load", draw);
  const used = sliders.filter((slider) => Number(slider.max) > 0);
  const large = canvases.map((canvas, index) => element("figure", {}, canvas, element("figcaption", {}, panels ? "" : shown[index].title)));
  figure.prepend(element("div", { className: "controls" }, element("div", { className: shown.length > 1 ? "many" : "" }, ...large),
    element("div", { className: "sliders" }, ...used.map((slider) => element("label", {}, slider.ariaLabel, slider)), status)));
  draw();
}

for (const figure of document.querySelectorAll("[data-grids]")) view(figure);

// Charts: drawn again with tooltips when they come into view, by the library that drew the still picture.
let library;
function vega() {
  library ??= new Promise((resolve, reject) => {
    document.head.append(element("script", { src: "vega/vega.js", onload: resolve, onerror: reject }));
  });
  return library;
}

// In less room than this a chart stays the still picture, which is whole; in less than the second the entries of its legend stand under
// each other.
const ROOM = 440;
const WIDE = 560;

let charts;
function specification(figure) {
  charts ??= JSON.parse(document.getElementById("charts").textContent);
  return charts[figure.dataset.chart];
}

async function live(figure) {
  const plot = figure.querySelector(".plot");
  if (plot.clientWidth < ROOM) return;
  await vega();
  const still = plot.firstElementChild;
  const fresh = element("div", { className: "plot live" });
  plot.after(fresh);
  const config = plot.clientWidth < WIDE ? { legend: { columns: 1 } } : {};
  const spec = { ...specification(figure), config };
  await window.vegaEmbed(fresh, spec, { mode: "vega-lite", config: window.chartConfig, actions: false, renderer: "svg", tooltip: { theme: "custom" } });
  const drawn = fresh.querySelector("svg");
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", still.getAttribute("aria-label"));
  // The description stands for the chart; its marks one by one would say nothing.
  for (const part of drawn.children) part.setAttribute("aria-hidden", "true");
  plot.remove();
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    live(entry.target);
  }
});
for (const chart of document.querySelectorAll("[data-chart]")) seen.observe(chart);

// On a narrow screen a chart scrolls inside its box, which the keyboard has to reach.
if (matchMedia("(max-width:46rem)").matches) {
  for (const plot of document.querySelectorAll(":not(.pic)>.chart>.plot")) {
    plot.tabIndex = 0;
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-label", "Chart");
  }
}

// A link to what is folded away opens it.
function unfold() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  const folded = target && target.closest("details");
  if (folded) folded.open = true;
}
window.addEventListener("hashchange", unfold);
unfold();
