/** A function of two variables as a surface seen from the side: turned by pointer, slider or arrow
 *  keys; far cells are drawn first. */
import { bisectLeft } from "d3-array";
import { responsive } from "./chart";
import { h, s } from "./dom";
import { count, number, short } from "./format";
import type { Plane } from "./map";
import { isNumber } from "./result";

/** After cividis (Nunez, Anderton, Renslow, PLoS ONE 13, 2018): the same for the colour-blind. */
const stops = [[0x00, 0x22, 0x4e], [0x2b, 0x3f, 0x6c], [0x57, 0x5d, 0x6d], [0x7d, 0x7c, 0x78], [0xa5, 0x9c, 0x74], [0xd2, 0xc0, 0x60], [0xfe, 0xe8, 0x38]];

export function heightColor(share: number): string {
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const k = Math.min(Math.floor(at), stops.length - 2);
  const mix = (channel: number) => Math.round(stops[k][channel] + (at - k) * (stops[k + 1][channel] - stops[k][channel]));
  return `rgb(${mix(0)},${mix(1)},${mix(2)})`;
}

const most_side = 75;

/** Every k-th place and the last: a browser draws some thousand cells smoothly, not more. */
function thinned(plane: Plane): { plane: Plane; every: number } {
  const every = Math.max(1, Math.ceil((Math.max(plane.x.length, plane.y.length) - 1) / most_side));
  if (every === 1) return { plane, every };
  const keep = <T>(list: T[]) => list.filter((_, i) => i % every === 0 || i === list.length - 1);
  return { plane: { x: keep(plane.x), y: keep(plane.y), value: keep(plane.value).map(keep) }, every };
}

export function surfaceFigure(whole: Plane, names: [string, string], title: string): HTMLElement {
  const { plane, every } = thinned(whole);
  const values = plane.value.flat().filter(isNumber).sort((a, b) => a - b);
  const plot = h("div", { class: "plot" });
  const readout = h("p", { class: "readout", "aria-live": "polite" });
  const output = h("output", {}, "");
  const slider = h("input", { type: "range", min: -180, max: 180, step: 1, value: -60, "data-slider": "turn" });
  const figure = h("figure", { class: "chart surface", "data-chart": title }, h("figcaption", {}, title), plot);
  if (values.length === 0 || plane.x.length < 2 || plane.y.length < 2) {
    readout.textContent = "No value of this plane is finite: there is nothing to draw.";
    readout.classList.add("note");
    figure.append(readout);
    return figure;
  }
  const [low, high] = [values[0], values[values.length - 1]];
  const holes = plane.value.flat().length - values.length;
  readout.textContent = `Height from ${number(low, 4)} to ${number(high, 4)}; dark is low.${holes > 0 ? ` ${count(holes)} values are infinite or undefined and are left out.` : ""}${every > 1 ? ` Every ${every}${every === 2 ? "nd" : every === 3 ? "rd" : "th"} place is drawn.` : ""} Drag the picture, or use the slider, to turn it.`;
  figure.append(h("div", { class: "controls" }, h("label", { class: "slider" }, h("span", {}, "turn"), slider, output)), readout);

  const across = (list: number[], k: number) => (2 * (list[k] - list[0])) / (list[list.length - 1] - list[0]) - 1;
  const up = (v: number) => (high > low ? (2 * (v - low)) / (high - low) - 1 : 0);
  const tilt = (28 * Math.PI) / 180;
  let redraw = () => {};
  slider.addEventListener("input", () => redraw());

  responsive(plot, (width) => {
    redraw = () => draw(width);
    redraw();
  });
  return figure;

  function draw(width: number): void {
    const wide = Math.min(width, 640);
    const height = wide * 0.77 + 40;
    const turn = (Number(slider.value) * Math.PI) / 180;
    output.textContent = `${slider.value.replace("-", "\u2212")}°`;
    const depth = (u: number, v: number) => -(u * Math.sin(turn) + v * Math.cos(turn));
    const size = wide * 0.32;
    const place = (u: number, v: number, z: number): [number, number] => [
      wide / 2 + size * (u * Math.cos(turn) - v * Math.sin(turn)),
      wide * 0.385 - size * 0.66 * z * Math.cos(tilt) + size * 0.9 * depth(u, v) * Math.sin(tilt),
    ];
    const d = (corners: [number, number][]) => "M" + corners.map((p) => `${p[0].toFixed(1)},${p[1].toFixed(1)}`).join("L") + "Z";
    const svg = s("svg", {
      viewBox: `0 0 ${wide} ${height}`,
      width: wide,
      height,
      role: "img",
      tabindex: 0,
      "aria-label": `${title} over ${names[0]} and ${names[1]}, from ${number(low, 4)} to ${number(high, 4)}. Arrow keys turn it.`,
    });
    svg.append(s("path", { class: "floor", d: d([place(-1, -1, -1), place(1, -1, -1), place(1, 1, -1), place(-1, 1, -1)]) }));
    const cells: { far: number; d: string; color: string }[] = [];
    for (let j = 0; j + 1 < plane.y.length; ++j) {
      for (let i = 0; i + 1 < plane.x.length; ++i) {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]] as const;
        const heights = corners.map(([a, b]) => plane.value[b][a]);
        if (!heights.every(isNumber)) continue;
        const points = corners.map(([a, b], k) => place(across(plane.x, a), across(plane.y, b), up(heights[k] as number)));
        const mean = (heights as number[]).reduce((sum, v) => sum + v, 0) / 4;
        // Coloured by rank, so that a valley far below the walls has shades of its own.
        const color = heightColor(bisectLeft(values, mean) / values.length);
        cells.push({ far: depth(across(plane.x, i), across(plane.y, j)), d: d(points), color });
      }
    }
    cells.sort((a, b) => a.far - b.far);
    const group = s("g", { "data-series": "f", "data-points": cells.length });
    for (const cell of cells) group.append(s("path", { class: "cell", d: cell.d, fill: cell.color, stroke: cell.color }));
    svg.append(group);
    const near_y = depth(0, -1) > depth(0, 1) ? -1 : 1;
    const near_x = depth(-1, 0) > depth(1, 0) ? -1 : 1;
    const label = (u: number, v: number, text: string, style: string, down: number) => {
      const p = place(u, v, -1);
      const most = Math.floor(wide / 9);
      svg.append(s("text", { class: style, x: p[0], y: p[1] + down, "text-anchor": "middle" }, text.length > most ? `${text.slice(0, most - 1)}…` : text));
    };
    const ends = (list: number[]) => [short(list[0]), short(list[list.length - 1])];
    label(-0.8, near_y * 1.1, ends(plane.x)[0], "tick", 16);
    label(0.8, near_y * 1.1, ends(plane.x)[1], "tick", 16);
    label(0, near_y * 1.12, names[0], "axis-title", 32);
    label(near_x * 1.1, -0.8, ends(plane.y)[0], "tick", 16);
    label(near_x * 1.1, 0.8, ends(plane.y)[1], "tick", 16);
    label(near_x * 1.12, 0, names[1], "axis-title", 32);

    const turn_by = (degrees: number) => {
      const next = Number(slider.value) + degrees;
      slider.value = String(next > 180 ? next - 360 : next < -180 ? next + 360 : next);
      redraw();
    };
    svg.addEventListener("keydown", (event) => {
      const by = event.key === "ArrowRight" ? 5 : event.key === "ArrowLeft" ? -5 : 0;
      if (by === 0) return;
      event.preventDefault();
      turn_by(by);
      plot.querySelector("svg")?.focus();
    });
    svg.addEventListener("pointerdown", (event) => {
      let last = event.clientX;
      const move = (next: PointerEvent) => {
        turn_by((next.clientX - last) * -0.5);
        last = next.clientX;
      };
      const stop = () => {
        window.removeEventListener("pointermove", move);
        window.removeEventListener("pointerup", stop);
        window.removeEventListener("pointercancel", stop);
      };
      window.addEventListener("pointermove", move);
      window.addEventListener("pointerup", stop);
      window.addEventListener("pointercancel", stop);
      event.preventDefault();
    });
    plot.replaceChildren(svg);
  }
}
