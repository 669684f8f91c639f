/** A function of two variables around the point: contours, eigenvectors, and the walks of gradient
 *  descent, momentum and Newton, replayed exactly on the quadratic model m(s) = f + g.s + s.Hs/2, or
 *  as they were computed on the function itself. */
import { legend, responsive } from "./chart";
import { h, s } from "./dom";
import { number } from "./format";
import { drawMap, drawWalk, key, type Vector } from "./map";
import { playButton } from "./play";
import { isNumber, type Analysis, type Walk } from "./result";
import { surfaceFigure } from "./surface";

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

const all_steps = 200;
const played_steps = 60;

export function planePicture(a: Analysis): HTMLElement | null {
  const point = a.point?.values;
  const gradient = a.gradient?.vector;
  if (a.objective.num_parameters !== 2 || !point || !gradient || !a.hessian || !isNumber(a.value)) return null;
  if (![...point, ...gradient, ...a.hessian.flat()].every(isNumber)) return null;
  const names = a.point!.names as [string, string];
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
  const top = Math.max(limit ? 1.2 * limit : 10 * fallback, isNumber(given) ? given : 0);
  rate = Math.min(rate, top);
  const computed = (a.slices?.walks ?? []).filter((one) => one.points.length > 0);
  let on_function = false;

  const series = [
    { name: "gradient descent", color: 2 },
    { name: `with momentum`, color: 3, kind: "dashes" },
    ...(newton || computed.length > 0 ? [{ name: a.model?.modified ? "modified Newton step" : "Newton step", color: 4 }] : []),
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
  const ground = h("fieldset", { class: "choice" }, h("legend", {}, "Walk on"));
  for (const [name, value] of [["the quadratic model", false], ["the function itself", true]] as const) {
    const input = h("input", { type: "radio", name: "ground", value: value ? "function" : "model", checked: !value });
    input.addEventListener("change", () => {
      on_function = value;
      momentumSlider.input.disabled = value;
      redraw();
    });
    ground.append(h("label", {}, input, name));
  }

  const play = playButton({
    atEnd: () => step >= played_steps,
    rewind: () => (step = 0),
    advance: () => {
      step += 1;
      stepSlider.input.value = String(step);
      stepSlider.output.textContent = String(step);
      redraw();
    },
  });

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
    computed.length > 0 ? ground : null,
    h("div", { class: "controls" }, play, rateSlider.row, momentumSlider.row, stepSlider.row),
    readout,
  );

  let redraw = () => {};
  responsive(plot, (width) => {
    redraw = () => draw(width);
    redraw();
  });
  const words = h(
    "p",
    { class: "explain" },
    "Contours join points of equal height. The eigenvectors are the steepest and the flattest way to bend: a step that is right for the flat one overshoots along the steep one. On the quadratic model, the parabola in two variables that fits the function at the point, the walks are replayed exactly for every rate; on the function itself they are shown for the rates that were computed.",
  );
  if (!plane) return h("div", {}, figure, words);
  return h("div", {}, h("div", { class: "pair" }, figure, surfaceFigure(plane, names, "Surface of the function")), words);

  /** The computed walk of this method whose rate is nearest to the slider's. */
  function nearest(method: string): Walk | undefined {
    const off = (one: Walk) => Math.abs((one.learning_rate ?? 0) - rate);
    return computed.filter((one) => one.method === method).sort((p, q) => off(p) - off(q))[0];
  }

  function draw(width: number): void {
    const map = drawMap(width, {
      label: `Contour map around ${names[0]} = ${number(centre[0])}, ${names[1]} = ${number(centre[1])} with the walks of gradient descent, momentum and Newton's method.`,
      names,
      x: [centre[0] - radius, centre[0] + radius],
      y: [centre[1] - radius, centre[1] + radius],
      plane,
      model: (u, v) => modelAt(model, [u - centre[0], v - centre[1]]),
    });
    const { x, y, inside } = map;

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

    const over = limit !== null && rate >= limit;
    if (on_function) {
      const taken = (one?: Walk) => (one ? (one.points.slice(0, step + 1) as Vector[]) : []);
      const [descent, ball, jump] = [nearest("gradient descent"), nearest("momentum"), nearest("Newton")];
      drawWalk(map, taken(jump), "c4", "Newton step");
      drawWalk(map, taken(ball), "c3 dashes", "momentum");
      drawWalk(map, taken(descent), "c2", "gradient descent");
      const ended = (one?: Walk) => number(one?.value[Math.min(step, (one?.value.length ?? 1) - 1)]);
      const escaped = descent && descent.points.length <= played_steps ? " It left for infinity." : "";
      readout.textContent =
        `On the function itself, after ${Math.min(step, played_steps)} steps at the computed rate ${number(descent?.learning_rate, 4)}: f = ${ended(descent)} by gradient descent.${escaped} ` +
        `With momentum ${number(ball?.momentum, 3)}: ${ended(ball)}. Newton's method, ${Math.min(step, (jump?.points.length ?? 1) - 1)} steps: ${ended(jump)}. It was ${number(model.value)}.`;
    } else {
      const shift = (path: Vector[]) => path.map(([dx, dy]) => [centre[0] + dx, centre[1] + dy] as Vector);
      const descent = walk(model, rate, 0, step);
      const ball = walk(model, rate, momentum, step);
      if (newton) drawWalk(map, shift([[0, 0], newton]), "c4", "Newton step");
      drawWalk(map, shift(ball), "c3 dashes", "momentum");
      drawWalk(map, shift(descent), "c2", "gradient descent");
      readout.textContent =
        `After ${descent.length - 1} steps at rate ${number(rate, 4)} the model's value is ${number(modelAt(model, descent[descent.length - 1]))} by gradient descent, ` +
        `${number(modelAt(model, ball[ball.length - 1]))} with momentum ${number(momentum, 3)}; it was ${number(model.value)}.` +
        (limit === null ? "" : over ? ` This rate is above the stability limit ${number(limit, 4)}: gradient descent diverges.` : ` The stability limit is ${number(limit, 4)}.`);
    }
    inside.append(s("circle", { class: "start", cx: x(centre[0]), cy: y(centre[1]), r: 6 }), labels);
    plot.replaceChildren(map.svg);
  }
}
