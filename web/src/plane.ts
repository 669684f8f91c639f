/** A function of two variables around the point: contours, eigenvectors, and the walks of gradient
 *  descent, momentum and Newton on the quadratic model m(s) = f + g.s + s.Hs/2, replayed exactly. */
import { quantileSorted } from "d3-array";
import { contours } from "d3-contour";
import { scaleLinear } from "d3-scale";
import { legend, responsive } from "./chart";
import { h, s } from "./dom";
import { number, short } from "./format";
import { isNumber, type Analysis, type Num } from "./result";

type Vector = [number, number];

export interface Quadratic {
  value: number;
  gradient: Vector;
  hessian: [Vector, Vector];
}

const product = (m: Quadratic, v: Vector): Vector => [
  m.hessian[0][0] * v[0] + m.hessian[0][1] * v[1],
  m.hessian[1][0] * v[0] + m.hessian[1][1] * v[1],
];
export const modelAt = (m: Quadratic, v: Vector): number => {
  const hv = product(m, v);
  return m.value + m.gradient[0] * v[0] + m.gradient[1] * v[1] + (v[0] * hv[0] + v[1] * hv[1]) / 2;
};

/** Heavy ball: v <- momentum v - rate grad m(s), s <- s + v; without momentum, gradient descent. */
export function walk(m: Quadratic, rate: number, momentum: number, steps: number): Vector[] {
  const path: Vector[] = [[0, 0]];
  let at: Vector = [0, 0];
  let speed: Vector = [0, 0];
  for (let k = 0; k < steps; ++k) {
    const hs = product(m, at);
    speed = [0, 1].map((i) => momentum * speed[i] - rate * (m.gradient[i] + hs[i])) as Vector;
    at = [at[0] + speed[0], at[1] + speed[1]];
    if (!isNumber(at[0]) || !isNumber(at[1]) || Math.hypot(...at) > 1e12) break;
    path.push(at);
  }
  return path;
}

function levels(values: number[]): number[] {
  const sorted = values.filter(isNumber).sort((a, b) => a - b);
  const out: number[] = [];
  for (let k = 1; k < 15; ++k) out.push(quantileSorted(sorted, (k / 15) ** 2) as number);
  return [...new Set(out)];
}

const all_steps = 200;

export function planePicture(a: Analysis): HTMLElement | null {
  const point = a.point?.values;
  const gradient = a.gradient?.vector;
  if (a.objective.num_parameters !== 2 || !point || !gradient || !a.hessian || !isNumber(a.value)) return null;
  if (![...point, ...gradient, ...a.hessian.flat()].every(isNumber)) return null;
  const names = a.point!.names;
  const model: Quadratic = { value: a.value, gradient: gradient as Vector, hessian: a.hessian as [Vector, Vector] };
  const centre = point as Vector;
  const newton = a.model?.newton_step?.every(isNumber) ? (a.model.newton_step as Vector) : null;
  const plane = a.slices?.plane;
  const size = Math.max(1, Math.hypot(...centre));
  const radius = plane
    ? (plane.x[plane.x.length - 1] - plane.x[0]) / 2
    : newton && Math.hypot(...newton) > 1e-9 * size ? Math.min(2 * Math.hypot(...newton), 10 * size) : 0.5 * size;

  const rates = a.learning_rate ?? {};
  const limit = isNumber(rates.stability_limit) ? rates.stability_limit : null;
  const fallback = 0.1 * radius / Math.max(1e-12, Math.hypot(...model.gradient));
  const given = rates.given?.learning_rate;
  let rate = isNumber(given) ? given : isNumber(rates.fastest_fixed) ? rates.fastest_fixed * 0.9 : limit ? limit * 0.45 : fallback;
  let momentum = isNumber(rates.momentum?.momentum) ? rates.momentum!.momentum as number : 0.9;
  let step = 30;
  const top = limit ? 1.2 * limit : 10 * fallback;
  rate = Math.min(rate, top);

  const series = [
    { name: "gradient descent", color: 2 },
    { name: `with momentum`, color: 3, kind: "dashes" },
    ...(newton ? [{ name: a.model?.modified ? "modified Newton step" : "Newton step", color: 4 }] : []),
  ];
  const plot = h("div", { class: "plot" });
  const readout = h("p", { class: "readout", "aria-live": "polite" });
  const slider = (name: string, low: number, high: number, value: number, by: number, change: (v: number) => void) => {
    const output = h("output", {}, number(value, 4));
    const input = h("input", { type: "range", min: low, max: high, step: by, value, "data-slider": name });
    input.addEventListener("input", () => {
      change(Number(input.value));
      output.textContent = number(Number(input.value), 4);
      redraw();
    });
    return { row: h("label", { class: "slider" }, h("span", {}, name), input, output), input, output };
  };
  const rateSlider = slider("learning rate", 0, top, rate, top / 600, (v) => (rate = v));
  const momentumSlider = slider("momentum", 0, 0.99, momentum, 0.005, (v) => (momentum = v));
  const stepSlider = slider("steps", 0, all_steps, step, 1, (v) => (step = v));

  let timer: number | undefined;
  const play = h("button", { type: "button", "data-play": "", click: toggle }, "Play");
  function toggle(): void {
    if (timer !== undefined) {
      window.clearInterval(timer);
      timer = undefined;
      play.textContent = "Play";
      return;
    }
    play.textContent = "Pause";
    if (step >= 60) step = 0;
    timer = window.setInterval(() => {
      step += 1;
      stepSlider.input.value = String(step);
      stepSlider.output.textContent = String(step);
      redraw();
      if (step >= 60) toggle();
    }, 120);
  }

  const figure = h(
    "figure",
    { class: "chart plane", "data-chart": "Map" },
    h("figcaption", {}, plane ? "Map of the function and of its quadratic model" : "Map of the quadratic model"),
    legend(series),
    h(
      "ul",
      { class: "legend" },
      plane ? h("li", {}, key("contour true"), "the function") : null,
      h("li", {}, key("contour model"), "its quadratic model here"),
      h("li", {}, key("eigen"), "eigenvectors, longer where steeper"),
    ),
    plot,
    h("div", { class: "controls" }, play, rateSlider.row, momentumSlider.row, stepSlider.row),
    readout,
    h(
      "p",
      { class: "explain" },
      "Contours join points of equal height. The eigenvectors are the steepest and the flattest way to bend: a step that is right for the flat one overshoots along the steep one. The walks are exact on the quadratic model, the parabola in two variables that fits the function at the point.",
    ),
  );

  let redraw = () => {};
  responsive(plot, (width) => {
    redraw = () => draw(width);
    redraw();
  });
  return figure;

  function draw(width: number): void {
    const margin = { top: 10, right: 12, bottom: 46, left: 62 };
    const side = Math.max(180, Math.min(width - margin.left - margin.right, 520));
    const height = side + margin.top + margin.bottom;
    const x = scaleLinear([centre[0] - radius, centre[0] + radius], [margin.left, margin.left + side]);
    const y = scaleLinear([centre[1] - radius, centre[1] + radius], [margin.top + side, margin.top]);
    const svg = s("svg", {
      viewBox: `0 0 ${margin.left + side + margin.right} ${height}`,
      width: margin.left + side + margin.right,
      height,
      role: "img",
      "aria-label": `Contour map around ${names[0]} = ${number(centre[0])}, ${names[1]} = ${number(centre[1])} with the walks of gradient descent, momentum and Newton's method.`,
    });
    svg.append(s("clipPath", { id: "plane-clip" }, s("rect", { x: margin.left, y: margin.top, width: side, height: side })));
    for (const tick of x.ticks(width < 480 ? 4 : 7)) {
      svg.append(s("text", { class: "tick", x: x(tick), y: margin.top + side + 17, "text-anchor": "middle" }, short(tick)));
    }
    for (const tick of y.ticks(7)) {
      svg.append(s("text", { class: "tick", x: margin.left - 7, y: y(tick) + 4, "text-anchor": "end" }, short(tick)));
    }
    svg.append(
      s("text", { class: "axis-title", x: margin.left + side / 2, y: height - 8, "text-anchor": "middle" }, names[0]),
      s("text", { class: "axis-title", transform: `translate(14 ${margin.top + side / 2}) rotate(-90)`, "text-anchor": "middle" }, names[1]),
    );
    const inside = s("g", { "clip-path": "url(#plane-clip)" });
    svg.append(s("rect", { class: "frame", x: margin.left, y: margin.top, width: side, height: side }), inside);

    const n = 61;
    const axis = Array.from({ length: n }, (_, i) => (2 * i) / (n - 1) - 1).map((u) => u * radius);
    const modelGrid = axis.flatMap((dy) => axis.map((dx) => modelAt(model, [dx, dy])));
    const trueGrid: Num[] | null = plane ? plane.value.flat() : null;
    const heights = levels((trueGrid ?? modelGrid) as number[]);
    const contourPaths = (grid: Num[], cells: number, style: string) => {
      const place = scaleLinear([0.5, cells - 0.5], [-radius, radius]);
      const fill = grid.map((v) => (isNumber(v) ? v : NaN));
      contours().size([cells, cells]).thresholds(heights)(fill).forEach((shape, k) => {
        const d = shape.coordinates
          .flat()
          .map((ring) => "M" + ring.map(([u, v]) => `${x(centre[0] + place(u)).toFixed(1)},${y(centre[1] + place(v)).toFixed(1)}`).join("L") + "Z")
          .join("");
        inside.append(s("path", { class: `contour ${style}`, d, "data-level": heights[k] }));
      });
    };
    if (trueGrid) contourPaths(trueGrid, plane!.x.length, "true");
    contourPaths(modelGrid, n, "model");

    // Eigenvectors, as long as their curvature is large beside the other's.
    const vectors = a.eigenvalues?.vectors;
    const values = a.eigenvalues?.all;
    const labels = s("g");
    if (vectors && values && values.every(isNumber)) {
      const largest = Math.max(...(values as number[]).map(Math.abs));
      vectors.forEach((v, k) => {
        const length = radius * 0.55 * Math.max(0.12, Math.abs(values[k] as number) / (largest || 1));
        const to = [centre[0] + (v[0] as number) * length, centre[1] + (v[1] as number) * length];
        const from = [centre[0] - (v[0] as number) * length, centre[1] - (v[1] as number) * length];
        inside.append(
          s("line", { class: "eigen", x1: x(from[0]), y1: y(from[1]), x2: x(to[0]), y2: y(to[1]), "data-eigenvector": k }),
        );
        // The label stands at the end that points away from the walks.
        const away = newton && newton[0] * (v[0] as number) + newton[1] * (v[1] as number) > 0;
        const end = away ? from : to;
        const left = end[0] < centre[0];
        labels.append(
          s("text", { class: "map-label", x: x(end[0]) + (left ? -7 : 7), y: y(end[1]) + (end[1] < centre[1] ? 14 : -5), "text-anchor": left ? "end" : "start" }, `λ = ${number(values[k], 4)}`),
        );
      });
    }

    const trace = (path: Vector[], style: string, name: string) => {
      const points = path.map(([dx, dy]) => [x(centre[0] + dx), y(centre[1] + dy)]);
      const near = points.filter(([px, py]) => Math.abs(px) < 1e5 && Math.abs(py) < 1e5);
      inside.append(
        s("path", { class: `series ${style} curve walk`, d: "M" + near.map((p) => p.map((c) => c.toFixed(1)).join(",")).join("L"), "data-series": name, "data-points": path.length }),
      );
      near.slice(0, 61).forEach((p) => inside.append(s("circle", { class: `series ${style} step`, cx: p[0], cy: p[1], r: 2.6 })));
      const end = near[near.length - 1];
      inside.append(s("circle", { class: `series ${style} end`, cx: end[0], cy: end[1], r: 5.5 }));
    };
    const descent = walk(model, rate, 0, step);
    const ball = walk(model, rate, momentum, step);
    if (newton) trace([[0, 0], newton], "c4", "Newton step");
    trace(ball, "c3 dashes", "momentum");
    trace(descent, "c2", "gradient descent");
    inside.append(s("circle", { class: "start", cx: x(centre[0]), cy: y(centre[1]), r: 6 }));

    inside.append(labels);

    const over = limit !== null && rate >= limit;
    readout.textContent =
      `After ${descent.length - 1} steps at rate ${number(rate, 4)} the model's value is ${number(modelAt(model, descent[descent.length - 1]))} by gradient descent, ` +
      `${number(modelAt(model, ball[ball.length - 1]))} with momentum ${number(momentum, 3)}; it was ${number(model.value)}.` +
      (limit === null ? "" : over ? ` This rate is above the stability limit ${number(limit, 4)}: gradient descent diverges.` : ` The stability limit is ${number(limit, 4)}.`);
    plot.replaceChildren(svg);
  }
}

function key(style: string): SVGElement {
  return s("svg", { width: 26, height: 12, "aria-hidden": "true" }, s(style === "eigen" ? "line" : "path", style === "eigen" ? { class: "eigen", x1: 1, y1: 6, x2: 25, y2: 6 } : { class: style, d: "M1,6H25" }));
}
