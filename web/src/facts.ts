/** Every number of the report beside one sentence on what it means and what to do with it. */
import { h } from "./dom";
import { count, counted, number, seconds } from "./format";
import { isNumber, type Analysis, type Num, type Run } from "./result";

export interface Fact {
  name: string;
  value: string;
  meaning: string;
}

export function factTable(facts: Fact[], title: string): HTMLElement {
  const body = h("tbody");
  for (const fact of facts) {
    body.append(
      h("tr", {}, h("th", { scope: "row" }, fact.name), h("td", { class: "value" }, fact.value), h("td", { class: "explain" }, fact.meaning)),
    );
  }
  return h(
    "div",
    { class: "table", tabindex: 0, role: "region", "aria-label": title },
    h(
      "table",
      { class: "facts" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Quantity"), h("th", { scope: "col" }, "Value"), h("th", { scope: "col", class: "explain" }, "What it means"))),
      body,
    ),
  );
}

const vector = (v: Num[]): string => `(${v.map((x) => number(x)).join(", ")})`;

const shapes: Record<string, string> = {
  bowl: "The function curves up in every direction; its quadratic model has one lowest point, and Newton's step goes there.",
  dome: "The function curves down in every direction; downhill leads away, and Newton's step would climb to the top.",
  trough: "The function curves up in some directions and is flat in others; many points are equally good for the quadratic model.",
  ridge: "The function curves down in some directions and is flat in others.",
  saddle: "The function curves up in some directions and down in others; a method that knows of negative curvature gets away fastest.",
  flat: "The function does not bend here; only the slope counts.",
};

const kinds: Record<string, string> = {
  minimum: "Strict local minimum: no nearby point is lower.",
  maximum: "Strict local maximum: every nearby point is lower.",
  saddle: "Saddle point: level, but up along some directions and down along others.",
  degenerate: "Level, but flat along some direction: second derivatives alone cannot decide.",
  undecided: "The eigenvalues found do not suffice to decide.",
  not_critical: "The slope is not zero here, so the point is neither minimum nor maximum; go on downhill.",
};

export const kindName = (kind: string): string =>
  ({ minimum: "strict local minimum", maximum: "strict local maximum", saddle: "saddle point", not_critical: "not a critical point" })[kind] ?? kind;

export function analysisFacts(a: Analysis): Fact[] {
  const facts: Fact[] = [];
  const add = (name: string, value: string, meaning: string) => facts.push({ name, value, meaning });
  if (a.point) {
    a.point.names.slice(0, 12).forEach((name, k) => add(`At ${name}`, number(a.point!.values[k]), "Where the function was examined."));
    if (a.point.names.length > 12) add("Further entries", counted(a.point.names.length - 12, "number"), "The whole point stands in the JSON of this page.");
  }
  if (a.value !== undefined) add("Value f", number(a.value), "The height of the function here; minimising means making it smaller.");
  if (a.gradient) {
    add("Gradient, length", number(a.gradient.norm_2), "How steep the function is: it falls by about this much for each unit of length straight downhill. Zero means level.");
    add("Gradient, largest entry", number(a.gradient.norm_inf), "The slope along the single parameter that matters most.");
    if (a.gradient.vector && a.gradient.vector.length <= 6) add("Gradient", vector(a.gradient.vector), "The slope along each parameter; the opposite direction leads downhill fastest.");
  }
  if (a.shape) add("Shape", a.shape, shapes[a.shape] ?? "How the function bends around the point.");
  if (a.critical_point) {
    add("Critical point", kindName(a.critical_point.kind), `${kinds[a.critical_point.kind] ?? ""} Evidence: ${a.critical_point.evidence}.`);
    if (a.critical_point.index > 0) add("Index", count(a.critical_point.index), "The number of directions along which the function curves down.");
  }
  const top = a.eigenvalues?.top[0];
  const bottom = a.eigenvalues?.bottom[0];
  const bound = (x: Num) => (isNumber(x) ? ` ± ${number(x, 2)}` : "");
  if (top) add("Largest eigenvalue λmax", number(top.value) + bound(top.error_bound), "Curvature along the steepest direction: it limits the learning rate.");
  if (bottom) add("Smallest eigenvalue λmin", number(bottom.value) + bound(bottom.error_bound), "Curvature along the lowest direction: where it is small, progress is slow; where it is negative, the function curves down.");
  if (a.outliers) add("Outliers", count(a.outliers.count), `Eigenvalues set apart from the rest by a gap, from ${number(a.outliers.last)} down to ${number(a.outliers.next)}: a few steep directions dominate.`);
  if (a.condition) {
    add("Condition number", (a.condition.is_lower_bound ? "at least " : "") + number(a.condition.number), `How unequal the curvatures are (${a.condition.definition}); gradient descent needs about as many steps a digit.`);
    if (a.condition.null_dimension > 0) add("Flat directions", count(a.condition.null_dimension), "Directions with no curvature at all, which the condition number leaves out.");
  }
  if (a.condition_of_mean) add("Condition against the mean", number(a.condition_of_mean.number), `${a.condition_of_mean.definition}.`);
  if (a.trace) add("Trace", `${number(a.trace.value)} ± ${number(a.trace.standard_error, 2)}`, `Sum of all eigenvalues, estimated from ${counted(a.trace.num_probes, "random vector")}; divided by the number of parameters it is the mean curvature.`);
  const rate = a.learning_rate;
  if (rate) {
    if (isNumber(rate.stability_limit)) add("Learning rate, limit", number(rate.stability_limit), "2/λmax: above it gradient descent overshoots further at every step and diverges.");
    if (isNumber(rate.fastest_fixed)) add("Learning rate, best fixed", number(rate.fastest_fixed), "2/(λmin + λmax): the steepest and the flattest direction then shrink equally fast.");
    if (isNumber(rate.gradient_descent_rate)) add("Left after a step at that rate", number(rate.gradient_descent_rate), "The share of the distance to the minimum that one gradient-descent step leaves; near 1 is slow.");
    if (isNumber(rate["iterations_to_1e-6"])) add("Steps to six digits", count(rate["iterations_to_1e-6"] as number), "Gradient-descent steps until the distance has shrunk a million times.");
    if (rate.momentum && isNumber(rate.momentum.rate)) {
      add("With momentum", `rate ${number(rate.momentum.learning_rate)}, momentum ${number(rate.momentum.momentum)}`, `The best heavy ball: it leaves ${number(rate.momentum.rate, 4)} of the distance a step.`);
    }
    if (rate.curvature_along_gradient !== undefined) add("Curvature along the gradient", number(rate.curvature_along_gradient), "How the function bends straight downhill.");
    if (rate.steepest_descent_step !== undefined) add("Best single step", isNumber(rate.steepest_descent_step) ? number(rate.steepest_descent_step) : "none", "gᵀg / gᵀHg: the learning rate that gets lowest in one step; none where the function does not curve up along the gradient.");
    if (rate.given) add("The rate you asked for", `${number(rate.given.learning_rate)}: ${rate.given.stable ? "stable" : "not stable"}`, `${rate.given.sentence ?? ""} The slowest direction is multiplied by ${number(rate.given.contraction_worst, 4)} a step.`);
  }
  if (a.model) {
    add(a.model.modified ? "Modified Newton step, length" : "Newton step, length", number(a.model.newton_step_norm), "How far away the quadratic model puts its lowest point.");
    if (a.model.newton_step && a.model.newton_step.length <= 6) add("Newton step", vector(a.model.newton_step), `The step itself (${a.model.method ?? "from the Hessian"}).`);
    add("Newton decrement", number(a.model.newton_decrement), "A measure of the distance to the minimum that does not depend on units; near zero means arrived.");
    add("Decrease, predicted", number(a.model.predicted_decrease), "How much lower the quadratic model promises to be after the Newton step.");
    add("Decrease, actual", number(a.model.actual_decrease), "How much lower the function really is there; if it is close to the prediction, trust the model.");
    if (isNumber(a.model.trusted_radius)) add("Trusted radius", number(a.model.trusted_radius), "Steps up to this length are predicted well by the quadratic model.");
  }
  if (a.rank !== undefined) add("Rank", count(a.rank), "Independent directions that the outputs depend on, to rounding.");
  (a.outputs ?? []).slice(0, 12).forEach((y, k) => add(`Output ${k + 1}`, number(y), a.components?.[k] ?? "Value of this component here."));
  if (a.cost) facts.push(...costFacts(a.cost));
  return facts;
}

function costFacts(cost: Record<string, Num>): Fact[] {
  const text: Record<string, [string, string]> = {
    num_iterations: ["Iterations", "Steps of the method."],
    num_values: ["Function values", "How often the function was evaluated."],
    num_gradients: ["Gradients", "How often all slopes were computed; each costs about three function values."],
    num_hvps: ["Hessian products", "How often the curvature along a direction was computed; each costs about two gradients."],
    seconds: ["Time", "Wall-clock time of this result."],
    peak_bytes: ["Memory", "The most memory the program held."],
  };
  return Object.entries(text)
    .filter(([name]) => isNumber(cost[name]))
    .map(([name, [label, meaning]]) => ({
      name: label,
      value: name === "seconds" ? seconds(cost[name]) : name === "peak_bytes" ? `${count(Math.round((cost[name] as number) / 1e6))} MB` : count(cost[name] as number),
      meaning,
    }));
}

export function runFacts(run: Run): Fact[] {
  const facts: Fact[] = [];
  const add = (name: string, value: string, meaning: string) => facts.push({ name, value, meaning });
  add("Method", run.method, run.method_reason ? `Chosen because the function is ${run.method_reason}.` : "How the next point was found from the last.");
  add("Ended", run.status.replaceAll("_", " "), `${run.reason.text ?? run.reason.criterion}. ${run.usable ? "The result is usable." : "The result should not be used as it is."}`);
  add("Value f", number(run.value), `The height where the walk ended; it was ${number(run.start_value)} at the start.`);
  if (run.gradient) {
    add("Gradient, length", number(run.gradient.norm_2), "Zero at a minimum: what is left of the slope.");
    add("Gradient, largest entry", number(run.gradient.norm_inf), "The slope along the single parameter that matters most.");
  }
  if (isNumber(run.accuracy)) add("Accuracy", `${number(100 * run.accuracy, 4)} %`, "Share of the training samples the model gets right.");
  if (run.critical_point) add("Critical point", kindName(run.critical_point.kind), `${kinds[run.critical_point.kind] ?? ""} Evidence: ${run.critical_point.evidence}.`);
  if (isNumber(run.residual_sum_of_squares)) add("Residual sum of squares", number(run.residual_sum_of_squares), "What the fit leaves unexplained.");
  const show = (x: unknown): string => (typeof x === "number" ? number(x) : Array.isArray(x) ? `[${x.slice(0, 8).map(show).join(", ")}${x.length > 8 ? `, … ${count(x.length)} in all` : ""}]` : "not finite");
  for (const [name, value] of Object.entries(run.parameters ?? {}).slice(0, 20)) {
    const error = run.standard_errors?.[name];
    add(`Parameter ${name}`, show(value) + (error !== undefined ? ` ± ${show(error)}` : ""), error !== undefined ? "Where the walk ended, with its standard error." : "Where the walk ended.");
  }
  if (run.cost) facts.push(...costFacts(run.cost));
  return facts;
}
