/** Where walks went: on the map of two parameters, or on the two principal directions of many. */
import { legend, responsive } from "./chart";
import { h, s } from "./dom";
import { count, number } from "./format";
import { section } from "./layout";
import { drawMap, drawWalk, key, type Vector } from "./map";
import { playButton } from "./play";
import { isNumber, type Paths } from "./result";
import { surfaceFigure } from "./surface";

export function pathSection(paths: Paths | undefined): HTMLElement | null {
  const runs = (paths?.runs ?? []).map((run) => ({ ...run, coordinates: run.coordinates.filter((p) => p.every(isNumber)) as Vector[] })).filter((run) => run.coordinates.length > 0);
  if (!paths || runs.length === 0) return null;
  const principal = paths.space === "principal";
  const names = paths.names.map((name, k) => {
    const share = paths.explained?.[k];
    return isNumber(share) ? `${name} (${number(100 * share, 3)} % of the movement)` : name;
  }) as [string, string];
  const plane = paths.plane;
  const all = runs.flatMap((run) => run.coordinates);
  const ends = (k: 0 | 1): [number, number] => {
    if (plane) return k === 0 ? [plane.x[0], plane.x[plane.x.length - 1]] : [plane.y[0], plane.y[plane.y.length - 1]];
    const [low, high] = [Math.min(...all.map((p) => p[k])), Math.max(...all.map((p) => p[k]))];
    const pad = high > low ? 0.08 * (high - low) : 1;
    return [low - pad, high + pad];
  };
  const longest = Math.max(...runs.map((run) => run.coordinates.length)) - 1;
  let step = longest;
  const plot = h("div", { class: "plot" });
  const readout = h("p", { class: "readout", "aria-live": "polite" });
  const output = h("output", {}, count(step));
  const input = h("input", { type: "range", min: 0, max: longest, step: 1, value: step, "data-slider": "point of the walk" });
  let redraw = () => {};
  const go = (next: number) => {
    step = next;
    input.value = String(step);
    output.textContent = count(step);
    redraw();
  };
  input.addEventListener("input", () => go(Number(input.value)));
  const stride = Math.max(1, Math.round(longest / 60));
  const play = playButton({
    atEnd: () => step >= longest,
    rewind: () => go(0),
    advance: () => go(Math.min(longest, step + stride)),
  });
  const series = runs.map((run, k) => ({ name: run.method, color: k + 2, kind: k > 2 ? "dashes" : "line" }));
  const figure = h(
    "figure",
    { class: "chart plane", "data-chart": "Walks" },
    h("figcaption", {}, principal ? "The walk on its two principal directions" : "The walk on the map"),
    legend(series),
    plane ? h("ul", { class: "legend" }, h("li", {}, key("contour true"), "contours of the function")) : null,
    plot,
    h("div", { class: "controls" }, play, h("label", { class: "slider" }, h("span", {}, "point of the walk"), input, output)),
    readout,
  );
  responsive(plot, (width) => {
    redraw = () => {
      const map = drawMap(width, { label: `${principal ? "Principal directions" : names.join(" and ")} with ${runs.map((run) => `${run.coordinates.length} points of ${run.method}`).join(", ")}.`, names, x: ends(0), y: ends(1), plane });
      runs.forEach((run, k) => drawWalk(map, run.coordinates.slice(0, step + 1), `c${((k + 1) % 6) + 1}${k > 2 ? " dashes" : ""}`, run.method));
      const start = runs[0].coordinates[0];
      map.inside.append(s("circle", { class: "start", cx: map.x(start[0]), cy: map.y(start[1]), r: 6 }));
      readout.textContent = runs
        .map((run) => {
          const k = Math.min(step, run.coordinates.length - 1);
          return `${run.method}, iteration ${count(run.iteration[k] ?? k)}: f = ${number(run.value[k])}`;
        })
        .join(" · ");
      plot.replaceChildren(map.svg);
    };
    redraw();
  });
  return section(
    "paths",
    runs.length > 1 ? "Where the walks went" : "Where the walk went",
    h(
      "p",
      { class: "explain" },
      principal
        ? "A walk through many parameters, seen from the side that shows most of it: the axes are the two directions along which its points spread most, and the shares say how much of the movement each shows. The walk ends at (0, 0)."
        : "Each dot is a point that the method visited. A ball rolling across contours that crowd in one direction swings to and fro before it runs along the valley.",
    ),
    plane ? h("div", { class: "pair" }, figure, surfaceFigure(plane, principal ? ["first direction", "second direction"] : names, "Surface under the walk")) : figure,
    plane ? null : h("p", { class: "explain" }, "The heights under the walk were not computed; --path-grid N adds them."),
  );
}
