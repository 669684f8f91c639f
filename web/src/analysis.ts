/** The page of `kappa analyze`. */
import { chart, type Point, type Series } from "./chart";
import { h } from "./dom";
import { analysisFacts, factTable, kindName } from "./facts";
import { counted, number } from "./format";
import { section, tiles } from "./layout";
import { planePicture } from "./plane";
import { isNumber, type Analysis, type Eigenvalue, type Slice } from "./result";

const explain = (text: string) => h("p", { class: "explain" }, text);

export function analysisPage(a: Analysis): (HTMLElement | null)[] {
  const rate = a.learning_rate;
  return [
    tiles([
      a.value !== undefined ? ["Value", number(a.value)] : null,
      a.gradient ? ["Slope |g|", number(a.gradient.norm_2)] : null,
      a.shape ? ["Shape", a.shape] : null,
      a.critical_point ? ["Critical point", kindName(a.critical_point.kind)] : null,
      a.eigenvalues?.top[0] ? ["Steepest curvature", number(a.eigenvalues.top[0].value)] : null,
      a.condition ? ["Condition", `${a.condition.is_lower_bound ? "≥ " : ""}${number(a.condition.number, 4)}`] : null,
      rate && isNumber(rate.stability_limit) ? ["Learning rate below", number(rate.stability_limit, 4)] : null,
      a.rank !== undefined ? ["Rank of the Jacobian", String(a.rank)] : null,
    ]),
    advice(a),
    pictures(a),
    spectrum(a),
    singularValues(a),
    density(a),
    contraction(a),
    layers(a),
    matrix(a),
    section("numbers", "All the numbers", factTable(analysisFacts(a), "All the numbers")),
  ];
}

function advice(a: Analysis): HTMLElement | null {
  const rate = a.learning_rate;
  if (!rate) return null;
  const lines: string[] = [];
  if (a.critical_point?.kind === "minimum") lines.push("This is a minimum: there is nothing left to gain nearby. The rates below hold close to it.");
  if (isNumber(rate.fastest_fixed)) {
    lines.push(`Start gradient descent with the learning rate ${number(rate.fastest_fixed, 4)}, or less where the curvature changes on the way.`);
    if (isNumber(rate["iterations_to_1e-6"])) lines.push(`It then needs about ${counted(rate["iterations_to_1e-6"] as number, "step")} to six digits.`);
  } else if (isNumber(rate.stability_limit)) {
    lines.push(`Keep the learning rate below ${number(rate.stability_limit, 4)}: beyond it every step overshoots further along the steepest direction.`);
  } else {
    lines.push("No direction curves up, so no learning rate makes gradient descent converge here.");
  }
  if (isNumber(rate.momentum?.rate) && isNumber(rate.gradient_descent_rate) && rate.momentum!.rate! < 0.95 * rate.gradient_descent_rate) {
    lines.push(`Momentum ${number(rate.momentum!.momentum, 4)} with rate ${number(rate.momentum!.learning_rate, 4)} leaves ${number(rate.momentum!.rate, 4)} of the distance a step instead of ${number(rate.gradient_descent_rate, 4)}.`);
  }
  if (rate.given) lines.push(`The rate ${number(rate.given.learning_rate)} that was asked about: ${rate.given.sentence ?? (rate.given.stable ? "stable" : "not stable")}.`);
  const m = a.model;
  if (m && isNumber(m.predicted_decrease) && isNumber(m.actual_decrease) && m.predicted_decrease > 0) {
    const ratio = m.actual_decrease / m.predicted_decrease;
    if (ratio > 0.75 && ratio < 1.34) lines.push("A Newton step keeps its promise here: take it.");
    else if (ratio > 0.25) lines.push("A Newton step helps here, though not by what it promises.");
    else lines.push("A full Newton step does not help here: shorten it, or use a trust region.");
  }
  return section("advice", "What to do next", h("ul", { class: "advice" }, ...lines.map((line) => h("li", {}, line))));
}

/** One line through the point; with `name`, the line is the axis of the only parameter. */
function sliceChart(slice: Slice, value: number, name?: string, origin = 0): HTMLElement {
  const slope = isNumber(slice.slope) ? slice.slope : 0;
  const model = (t: number) => value + slope * t + ((slice.curvature as number) / 2) * t * t;
  const series: Series[] = [
    { name: "function", color: 1, points: slice.t.map((t, i) => ({ x: origin + t, y: slice.value[i] })) },
  ];
  if (isNumber(slice.curvature)) series.push({ name: "quadratic model", color: 2, kind: "dashes", points: slice.t.map((t) => ({ x: origin + t, y: model(t) })) });
  series.push({ name: "tangent", color: 3, kind: "dashes", points: slice.t.map((t) => ({ x: origin + t, y: value + slope * t })) });
  // The tangent and a model that leaves the picture must not squeeze the function.
  const shown = slice.value.filter(isNumber);
  const low = Math.min(...shown, value);
  const high = Math.max(...shown, value);
  const room = 0.12 * (high - low || Math.abs(value) || 1);
  return chart({
    title: name ? `f against ${name}` : `The function ${slice.label}`,
    description: `Slope ${number(slope)}${isNumber(slice.curvature) ? `, curvature ${number(slice.curvature)}` : ""} at the point.`,
    x: { title: name ?? "distance from the point", pad: 0 },
    y: { title: "f", domain: shown.length > 0 ? [low - room, high + room] : undefined },
    rules: isNumber(slice.model_holds_to) ? [{ x: origin + slice.model_holds_to, label: `model holds to ${number(slice.model_holds_to, 3)}` }, { x: origin - slice.model_holds_to, label: "" }] : [],
    series: [...series, { name: "the point", kind: "dots", color: 4, points: [{ x: origin, y: value }] }],
  });
}

function pictures(a: Analysis): HTMLElement | null {
  const lines = a.slices?.lines ?? [];
  const map = planePicture(a);
  if (!isNumber(a.value) || (lines.length === 0 && !map)) return null;
  const name = a.objective.num_parameters === 1 ? a.point?.names[0] : undefined;
  const origin = name && isNumber(a.point!.values[0]) ? a.point!.values[0] : 0;
  const grid = h("div", { class: "charts" });
  for (const slice of lines) grid.append(sliceChart(slice, a.value, name, origin));
  return section(
    "picture",
    "The function around the point",
    explain("Near the point the function looks like its tangent, a little further like the parabola with the same slope and curvature. Where the curves part, the quadratic model ceases to hold."),
    map,
    grid,
  );
}

function spectrum(a: Analysis): HTMLElement | null {
  const e = a.eigenvalues;
  if (!e) return null;
  const bounded = (v: Eigenvalue, x: number, label: string): Point => ({
    x,
    y: v.value,
    label,
    low: isNumber(v.value) && isNumber(v.error_bound) ? v.value - v.error_bound : null,
    high: isNumber(v.value) && isNumber(v.error_bound) ? v.value + v.error_bound : null,
  });
  let series: Series[];
  const n = a.objective.num_parameters;
  if (e.all && e.all.length <= 128) {
    const known = [...e.top, ...e.bottom];
    const points = [...e.all].reverse().map((value, k) => {
      const match = known.find((one) => one.value === value);
      return bounded(match ?? { value, residual: null, error_bound: null, converged: true }, k + 1, `eigenvalue ${k + 1} of ${n}`);
    });
    series = [{ name: "eigenvalue", color: 1, points }];
  } else if (e.all) {
    series = [{ name: "eigenvalue", color: 1, points: [...e.all].reverse().map((y, k) => ({ x: k + 1, y })) }];
  } else {
    series = [
      { name: "largest", color: 1, kind: "bars", points: e.top.map((v, k) => bounded(v, k + 1, `eigenvalue ${k + 1} from the top`)) },
      { name: "smallest", color: 2, kind: "bars", points: [...e.bottom].reverse().map((v, k) => bounded(v, e.top.length + 1 + k + 1, `eigenvalue ${e.bottom.length - k} from the bottom`)) },
    ];
  }
  if (e.all && e.all.length <= 128) series[0].kind = "bars";
  const values = series.flatMap((one) => one.points.map((p) => p.y)).filter(isNumber);
  if (values.length === 0) {
    return section("spectrum", "Eigenvalues", h("p", {}, "No eigenvalue was found, or none is finite."));
  }
  const low = Math.min(...values);
  const high = Math.max(...values);
  const log = low > 0 && high / low > 30;
  const last = Math.max(...series.flatMap((one) => one.points.map((p) => p.x as number)));
  const open = [...e.top, ...e.bottom].filter((v) => !v.converged).length;
  return section(
    "spectrum",
    "Eigenvalues",
    explain("An eigenvalue is the curvature along one of the function's own axes: large is steep, near zero is flat, negative curves down. Whiskers are error bounds; where none is seen, it is thinner than a line."),
    open > 0 ? h("p", { class: "note" }, `${open} of the eigenvalues did not converge; their bounds are wide.`) : null,
    chart({
      title: `Curvature along the eigenvectors of the ${({ ggn: "Gauss-Newton matrix", fisher: "Fisher matrix" } as Record<string, string>)[a.operator ?? ""] ?? "Hessian"}`,
      description: `${values.length} eigenvalues from ${number(high)} down to ${number(low)}.`,
      x: { title: e.all ? "eigenvalue, from the largest" : "largest, then smallest", domain: [0.3, last + 0.7], integer: true },
      y: { title: log ? "eigenvalue (logarithmic)" : "eigenvalue", log, domain: log ? [low / 2, high * 1.5] : undefined },
      series,
      rules: a.outliers && isNumber(a.outliers.next) && isNumber(a.outliers.last) ? [{ y: (a.outliers.last + a.outliers.next) / 2, label: `${a.outliers.count} outliers above` }] : [],
    }),
  );
}

function singularValues(a: Analysis): HTMLElement | null {
  const values = a.singular_values;
  if (!values) return null;
  return section(
    "singular-values",
    "Singular values of the Jacobian",
    explain("How much the outputs move, at most, when the parameters move a unit along each of the Jacobian's own directions; zero means that direction changes nothing."),
    chart({
      title: "Singular values",
      description: `${values.length} values, rank ${a.rank ?? "unknown"}.`,
      x: { title: "number", domain: [0.3, values.length + 0.7], integer: true },
      y: { title: "singular value" },
      series: [{ name: "singular value", kind: values.length <= 128 ? "bars" : "line", points: values.map((y, k) => ({ x: k + 1, y })) }],
    }),
  );
}

function density(a: Analysis): HTMLElement | null {
  const d = a.density;
  if (!d) return null;
  const peak = Math.max(...d.density.filter(isNumber), 0);
  const points: Point[] = d.lambda.map((x, i) => {
    const y = d.density[i];
    const error = d.standard_error[i];
    const known = isNumber(y) && isNumber(error);
    return { x, y, low: known ? Math.max(y - error, 0) : null, high: known ? y + error : null };
  });
  return section(
    "density",
    "Density of the eigenvalues",
    explain(`How many of the directions have which curvature, as a share of all ${a.objective.num_parameters}: a peak at zero means that most directions are flat, bumps to the right are the few steep ones. The axis is logarithmic, or they could not be seen. The band is one standard error over ${d.num_probes} random vectors.`),
    chart({
      title: "Spectral density",
      description: `From ${number(d.lambda[0])} to ${number(d.lambda[d.lambda.length - 1])}, peak ${number(peak)}.`,
      x: { title: "eigenvalue", pad: 0 },
      y: { title: "density (logarithmic)", log: true, domain: peak > 0 ? [peak * 1e-7, peak * 2] : undefined },
      series: [{ name: "density", color: 1, points }],
    }),
  );
}

function contraction(a: Analysis): HTMLElement | null {
  const rate = a.learning_rate;
  const all = (rate?.directions ?? []).filter((d) => isNumber(d.eigenvalue));
  if (!rate || all.length === 0 || !isNumber(rate.stability_limit)) return null;
  const limit = rate.stability_limit;
  const values = all.map((d) => d.eigenvalue as number).sort((p, q) => q - p);
  const lambdas = [...new Set(values)];
  const some = lambdas.length <= 12 ? lambdas : [...lambdas.slice(0, 6), ...lambdas.slice(-6)];
  const top = 1.25 * limit;
  const grid = Array.from({ length: 126 }, (_, i) => (i * top) / 125);
  const curve = (value: (alpha: number) => number): Point[] => grid.map((x) => ({ x, y: value(x) }));
  const series: Series[] = some.slice(1, -1).map((lambda) => ({ name: `λ = ${number(lambda, 4)}`, color: 1, faint: true, points: curve((x) => Math.abs(1 - x * lambda)) }));
  const ends = some.length > 1 ? [some[0], some[some.length - 1]] : [some[0]];
  ends.forEach((lambda, k) =>
    series.push({ name: `${ends.length === 1 ? "the only" : k === 0 ? "steepest" : lambda < 0 ? "lowest" : "flattest"} direction, λ = ${number(lambda, 4)}`, color: k + 1, kind: k === 0 ? "line" : "dashes", points: curve((x) => Math.abs(1 - x * lambda)) }),
  );
  const fixed: { x: number; label: string; strong?: boolean }[] = [{ x: limit, label: `stability limit ${number(limit, 4)}` }];
  if (isNumber(rate.fastest_fixed) && lambdas.length > 1) fixed.push({ x: rate.fastest_fixed, label: `best ${number(rate.fastest_fixed, 4)}` });
  const start = isNumber(rate.given?.learning_rate) ? rate.given!.learning_rate! : isNumber(rate.reference_rate) ? rate.reference_rate : limit / 2;
  const figure = chart({
    title: "What one step leaves of the distance",
    description: `Factor |1 − rate × λ| for ${some.length} of ${all.length} directions; below 1 they shrink. The stability limit is ${number(limit)}.`,
    x: { title: "learning rate", domain: [0, top] },
    y: { title: "factor a step", domain: [0, Math.max(1.6, 1 - top * Math.min(0, ...lambdas) * 1.05)] },
    series,
    rules: fixed,
  });
  const words = h("p", { class: "readout", "aria-live": "polite" });
  const output = h("output", {}, "");
  const input = h("input", { type: "range", min: 0, max: top, step: top / 500, value: Math.min(start, top), "data-slider": "contraction rate" });
  const update = () => {
    const alpha = Number(input.value);
    output.textContent = number(alpha, 4);
    const factor = (lambda: number) => Math.abs(1 - alpha * lambda);
    const positive = lambdas.filter((lambda) => lambda > 0);
    const worst = Math.max(...positive.map(factor));
    const away = values.filter((lambda) => lambda < 0).length;
    words.textContent =
      (worst < 1
        ? `The slowest of the directions that curve up is multiplied by ${number(worst, 4)} a step: half the distance is gone after ${number(Math.max(1, Math.ceil(Math.log(0.5) / Math.log(worst))), 4)} steps.`
        : worst === 1 ? "Nothing shrinks at this rate." : `Diverges: the steepest direction grows by ${number(factor(values[0]), 4)} a step.`) +
      (away > 0 && alpha > 0 ? ` Along ${away} direction${away === 1 ? "" : "s"} of negative curvature the walk moves away at any rate, which is what leaves a saddle.` : "");
    figure.setRules([...fixed, { x: alpha, label: "chosen", strong: true }]);
  };
  input.addEventListener("input", update);
  update();
  return section(
    "contraction",
    "Learning rate against directions",
    explain("Gradient descent multiplies the distance along each eigenvector by |1 − rate × λ| at every step. Along steep directions a large rate overshoots (the curve rises again); along flat ones a small rate crawls (the curve stays near 1)."),
    figure,
    h("div", { class: "controls" }, h("label", { class: "slider" }, h("span", {}, "learning rate"), input, output)),
    words,
  );
}

function layers(a: Analysis): HTMLElement | null {
  const list = a.per_layer;
  if (!list || list.length === 0) return null;
  const body = h("tbody");
  const largest = Math.max(...list.map((one) => Math.abs(one.lambda_max.value ?? 0)));
  for (const one of list) {
    const share = isNumber(one.lambda_max.value) && largest > 0 ? Math.abs(one.lambda_max.value) / largest : 0;
    body.append(
      h(
        "tr",
        {},
        h("th", { scope: "row" }, one.name),
        h("td", { class: "value" }, one.num_parameters.toLocaleString("en-US")),
        h("td", { class: "value" }, number(one.lambda_max.value)),
        h("td", { class: "share" }, h("meter", { min: 0, max: 1, value: share, "aria-label": `${number(100 * share, 3)} % of the largest` })),
      ),
    );
  }
  return section(
    "layers",
    "Curvature by layer",
    explain("The largest curvature when only this array of parameters moves. The sharpest one limits the learning rate; the others could take a larger rate of their own."),
    h(
      "div",
      { class: "table", tabindex: 0, role: "region", "aria-label": "Curvature by layer" },
      h("table", {}, h("thead", {}, h("tr", {}, ...["Parameters", "Count", "λmax", "Beside the largest"].map((text) => h("th", { scope: "col" }, text)))), body),
    ),
  );
}

function matrix(a: Analysis): HTMLElement | null {
  const entries = a.jacobian ?? a.hessian;
  if (!entries || entries.length === 0 || entries.length > 12 || entries[0].length > 12) return null;
  const title = a.jacobian ? "Jacobian" : "Hessian";
  const names = a.point?.names ?? [];
  const head = h("tr", {}, h("td", {}), ...entries[0].map((_, j) => h("th", { scope: "col" }, names[j] ?? String(j + 1))));
  const body = h("tbody");
  entries.forEach((row, i) =>
    body.append(h("tr", {}, h("th", { scope: "row" }, a.jacobian ? (a.components?.[i] ?? String(i + 1)) : (names[i] ?? String(i + 1))), ...row.map((x) => h("td", { class: "value" }, number(x))))),
  );
  return section(
    "matrix",
    title,
    explain(a.jacobian ? "Row by row: how fast each output changes with each parameter." : "Entry (i, j) says how fast the slope along parameter i changes as parameter j moves; the diagonal is the curvature along each parameter alone."),
    h("div", { class: "table", tabindex: 0, role: "region", "aria-label": title }, h("table", { class: "matrix" }, h("thead", {}, head), body)),
  );
}
