"use strict";
// Without this script the page is whole: tables unsorted, pictures plain. All controls are made here.

// Tables: a button in every heading; numbers by value, words by alphabet, empty cells last.
function cellValue(row, column) {
  const cell = row.cells[column];
  const text = cell.textContent.trim();
  if (!cell.classList.contains("n")) return text;
  const value = parseFloat(text.replaceAll(",", ""));
  return Number.isNaN(value) ? "" : value;
}

function sortTable(table, column) {
  const head = table.tHead.rows[0].cells[column];
  const descending = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [cellValue(row, column), row]);
  rows.sort(([a], [b]) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const order = typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
    return descending ? -order : order;
  });
  body.append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (!head.textContent) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sortTable(table, column));
    head.replaceChildren(button);
  });
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Pictures are shown as wide as there is room: places on them are shares of their size in the file.
function place(mark, image, box) {
  const [width, height] = [image.getAttribute("width") / 100, image.getAttribute("height") / 100];
  Object.assign(mark.style, { left: `${box.left / width}%`, top: `${box.top / height}%` });
  if ("width" in box) Object.assign(mark.style, { width: `${box.width / width}%`, height: `${box.height / height}%` });
  mark.hidden = false;
}

function pointerIn(image, event) {
  const box = image.getBoundingClientRect();
  const scale = image.getAttribute("width") / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
}

function interactive(picture, label, keys) {
  const image = picture.querySelector("img");
  const said = element("p", { className: "said" });
  said.setAttribute("aria-live", "polite");
  picture.tabIndex = 0;
  picture.setAttribute("role", "group");
  picture.setAttribute("aria-label", label);
  picture.addEventListener("keydown", (event) => {
    if (event.target !== picture || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  return [image, said];
}

// Charts: the point nearest to the pointer, or the next one by the arrow keys.
function chart(picture) {
  const points = JSON.parse(picture.dataset.points);
  let current = -1;
  const step = (by) => () => choose((current + by + points.length) % points.length);
  const [image, said] = interactive(picture, "Values of the chart; arrow keys step through them", {
    ArrowRight: step(1), ArrowDown: step(1), ArrowLeft: step(-1), ArrowUp: step(-1),
  });
  const mark = element("span", { className: "mark round", hidden: true });
  picture.append(mark);
  picture.after(said);
  function choose(index) {
    current = index;
    place(mark, image, { left: points[index].x, top: points[index].y });
    said.textContent = points[index].text;
  }
  image.addEventListener("pointermove", (event) => {
    const [x, y] = pointerIn(image, event);
    const distances = points.map((point) => (point.x - x) ** 2 + (point.y - y) ** 2);
    choose(distances.indexOf(Math.min(...distances)));
  });
}

// Grids of tiles: one tile of every grid enlarged, chosen by pointer, arrow keys or sliders.
function tiles(picture) {
  const grids = JSON.parse(picture.dataset.grids);
  const columns = Math.max(...grids.map((grid) => grid.columns));
  const rows = Math.max(...grids.map((grid) => grid.rows));
  let column = Math.floor((columns - 1) / 2);
  let row = Math.floor((rows - 1) / 2);
  const move = (across, down) => () => choose(column + across, row + down);
  const [image, said] = interactive(picture, "Tiles of the picture; arrow keys choose one", {
    ArrowRight: move(1, 0), ArrowLeft: move(-1, 0), ArrowDown: move(0, 1), ArrowUp: move(0, -1),
  });
  const sliders = [columns, rows].map((count) => {
    const slider = element("input", { type: "range", min: 0, max: count - 1, step: 1 });
    slider.addEventListener("input", () => choose(Number(sliders[0].value), Number(sliders[1].value)));
    slider.described = element("span");
    return slider;
  });
  const canvases = grids.map((grid) => {
    const canvas = element("canvas", { width: grid.tile_width, height: grid.tile_height });
    canvas.setAttribute("role", "img");
    canvas.style.width = grids.length > 1 ? "min(10rem, 26vw)" : "10rem";
    return canvas;
  });
  const marks = grids.map(() => element("span", { className: "mark", hidden: true }));
  const controls = sliders.filter((slider) => Number(slider.max) > 0).map((slider) => element("label", {}, slider.described, slider));
  const large = canvases.map((canvas, index) => element("div", {}, grids[index].title || "", canvas));
  picture.append(...marks);
  picture.after(element("div", { className: "viewer" }, ...large, ...controls, said));
  const label = (labels, index) => String((labels || [])[index] ?? `${index + 1}`);

  function choose(across, down) {
    column = Math.min(Math.max(across, 0), columns - 1);
    row = Math.min(Math.max(down, 0), rows - 1);
    const words = [];
    grids.forEach((grid, index) => {
      const at = [Math.min(column, grid.columns - 1), Math.min(row, grid.rows - 1)];
      const left = grid.left + at[0] * grid.pitch_x;
      const top = grid.top + at[1] * grid.pitch_y;
      canvases[index].getContext("2d").drawImage(image, left, top, grid.tile_width, grid.tile_height, 0, 0, grid.tile_width, grid.tile_height);
      const named = [[grid.row_labels, grid.rows, at[1]], [grid.column_labels, grid.columns, at[0]]];
      const text = named.filter(([, count]) => count > 1).map(([labels, , place]) => label(labels, place)).join(", ");
      canvases[index].setAttribute("aria-label", `${grid.title ? `${grid.title}: ` : ""}${text}`);
      if (!words.includes(text)) words.push(text);
      place(marks[index], image, { left, top, width: grid.tile_width, height: grid.tile_height });
    });
    said.textContent = words.join("; ");
    for (const [slider, name, value, labels] of [
      [sliders[0], "column", column, grids[0].column_labels], [sliders[1], "row", row, grids[0].row_labels],
    ]) {
      slider.value = value;
      slider.setAttribute("aria-valuetext", label(labels, value));
      slider.described.textContent = `${name}: ${label(labels, value)}`;
    }
  }

  image.addEventListener("pointermove", (event) => {
    const [x, y] = pointerIn(image, event);
    for (const grid of grids) {
      const across = Math.floor((x - grid.left) / grid.pitch_x);
      const down = Math.floor((y - grid.top) / grid.pitch_y);
      if (across >= 0 && down >= 0 && across < grid.columns && down < grid.rows) choose(across, down);
    }
  });
  // A picture that is still to be decoded is drawn as soon as it is there.
  image.addEventListener("load", () => choose(column, row));
  choose(column, row);
}

for (const picture of document.querySelectorAll("[data-points]")) chart(picture);
for (const picture of document.querySelectorAll("[data-grids]")) tiles(picture);
