/** The pages of `kappa minimize` and `kappa compare`: walks, alone or side by side. */
import { max, min } from "d3-array";
import { chart, type Point, type Series } from "./chart";
import { h } from "./dom";
import { factTable, kindName, runFacts } from "./facts";
import { count, number, seconds } from "./format";
import { section, tiles } from "./layout";
import { pathSection } from "./paths";
import { isNumber, type Iteration, type Paths, type Run } from "./result";

type Clock = "iteration" | "gradient_equivalents" | "seconds";
const clocks: Record<Clock, string> = {
  iteration: "iterations",
  gradient_equivalents: "work, in gradients",
  seconds: "time in seconds",
};

export function runsPage(runs: Run[], paths?: Paths): (HTMLElement | null)[] {
  const explain = (text: string) => h("p", { class: "explain" }, text);
  const one = runs.length === 1 ? runs[0] : null;
  const parts: (HTMLElement | null)[] = [];
  if (one) {
    parts.push(
      tiles([
        ["Method", one.method],
        ["Ended", ending(one)],
        ["Value", number(one.value)],
        ["Slope |g|", number(one.gradient?.norm_2)],
        one.critical_point ? ["Point", kindName(one.critical_point.kind)] : null,
        isNumber(one.accuracy) ? ["Accuracy", `${number(100 * one.accuracy, 4)} %`] : null,
      ]),
    );
  } else {
    parts.push(section("race", "The methods side by side", explain("All of them started at the same point. Work is counted in gradients, so that a method with few but dear steps is compared fairly."), raceTable(runs)));
  }
  parts.push(walks(runs), pathSection(paths));
  const tracked = runs.flatMap((run) => curvature(run, runs.length > 1));
  if (tracked.length > 0) {
    parts.push(
      section(
        "curvature",
        "Curvature on the way",
        explain("The largest eigenvalue of the Hessian along the walk, beside 2/learning rate: a walk above that line is unstable along its steepest direction, and many networks settle right at it."),
        chart({ title: "Largest curvature along the walk", description: `${tracked.length} curves.`, x: { title: "iterations" }, y: { title: "curvature" }, series: tracked }),
      ),
    );
  }
  runs.forEach((run, k) => parts.push(section(`numbers-${k + 1}`, one ? "All the numbers" : `All the numbers of ${run.method}`, factTable(runFacts(run), `All the numbers of ${run.method}`))));
  return parts;
}

/** Epochs that were asked for and done are no failure. */
const ending = (run: Run): string => (run.reason?.criterion === "max_epochs" ? "epochs done" : run.status.replaceAll("_", " "));

function raceTable(runs: Run[]): HTMLElement {
  const body = h("tbody");
  const last = (run: Run) => run.iterations[run.iterations.length - 1];
  for (const run of runs) {
    body.append(
      h(
        "tr",
        {},
        h("th", { scope: "row" }, run.method),
        h("td", {}, ending(run)),
        h("td", { class: "value" }, number(run.value)),
        h("td", { class: "value" }, number(run.gradient?.norm_2)),
        h("td", { class: "value" }, isNumber(last(run)?.iteration) ? count(last(run).iteration) : "none"),
        h("td", { class: "value" }, isNumber(last(run)?.gradient_equivalents) ? number(last(run).gradient_equivalents, 4) : "unknown"),
        h("td", { class: "value" }, seconds(run.cost?.seconds ?? last(run)?.seconds)),
      ),
    );
  }
  const names = ["Method", "Ended", "Value", "Slope |g|", "Steps", "Work", "Time"];
  return h(
    "div",
    { class: "table", tabindex: 0, role: "region", "aria-label": "The methods side by side" },
    h("table", {}, h("thead", {}, h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)))), body),
  );
}

/** Value and gradient against iterations, work or seconds. */
function walks(runs: Run[]): HTMLElement {
  const box = h("div", { class: "charts" });
  const note = h("p", { class: "readout" });
  const available = (Object.keys(clocks) as Clock[]).filter((clock) => runs.some((run) => run.iterations.some((it) => isNumber(it[clock]))));
  const values = runs.flatMap((run) => run.iterations.map((it) => it.value)).filter(isNumber);
  const low = min(values) ?? 0;
  const high = max(values) ?? 0;
  const positive = values.filter((v) => v > 0);
  const all_positive = values.length > 0 && low >= 0;
  // Logarithmic where that shows more: the value itself, or its height above the lowest one seen.
  const log = positive.length > 0 && (all_positive ? high / (min(positive) as number) > 20 : high > low);
  const shift = log && !all_positive ? low : 0;
  const title = shift !== 0 ? "f above the lowest value seen" : "f";

  const draw = (clock: Clock) => {
    // Runs of very different length need a logarithmic axis, and the start a place on it.
    const ends = runs.map((run) => max(run.iterations, (it) => it[clock] ?? 0) ?? 0).filter((x) => x > 0);
    const long = ends.length > 1 && (max(ends) as number) > 20 * (min(ends) as number);
    const times = runs.flatMap((run) => run.iterations.map((it) => it[clock])).filter((x): x is number => isNumber(x) && x > 0);
    const start = long ? (min(times) as number) / 2 : 0;
    const x = { title: clocks[clock] + (long ? " (logarithmic)" : ""), log: long };
    const place = (it: Iteration) => (it[clock] === 0 ? start : (it[clock] ?? null));
    const series = (pick: (it: Iteration) => Point["y"]): Series[] =>
      runs.map((run, k) => ({
        name: run.method,
        color: k + 1,
        kind: k >= 3 ? "dashes" : "line",
        points: run.iterations.map((it) => ({ x: place(it), y: pick(it), label: `${run.method}, iteration ${it.iteration}` })),
      }));
    note.textContent = long ? `The runs differ so much in length that this axis is logarithmic; their start is drawn at ${number(start, 2)}.` : "";
    box.replaceChildren(
      chart({
        title: "Value on the way",
        description: `From ${number(runs[0]?.start_value)} to ${runs.map((run) => `${number(run.value)} by ${run.method}`).join(", ")}.`,
        x,
        y: { title: log ? `${title} (logarithmic)` : title, log },
        series: series((it) => (isNumber(it.value) ? it.value - shift : null)),
      }),
      chart({
        title: "Slope on the way",
        description: `Length of the gradient, at the end ${runs.map((run) => `${number(run.gradient?.norm_2)} by ${run.method}`).join(", ")}.`,
        x,
        y: { title: "|gradient| (logarithmic)", log: true },
        series: series((it) => it.gradient_norm ?? null),
      }),
    );
  };
  const choice = h("fieldset", { class: "choice" }, h("legend", {}, "Against"));
  available.forEach((clock, k) => {
    const input = h("input", { type: "radio", name: "clock", value: clock, checked: k === 0 });
    input.addEventListener("change", () => draw(clock));
    choice.append(h("label", {}, input, clocks[clock]));
  });
  draw(available[0] ?? "iteration");
  return section(
    "walk",
    runs.length > 1 ? "The race" : "The walk",
    h("p", { class: "explain" }, "A straight line downwards means that every step removes the same share of what is left; a curve that bends down ever faster is the mark of Newton's method near a minimum."),
    available.length > 1 ? choice : null,
    note,
    box,
  );
}

function curvature(run: Run, many: boolean): Series[] {
  const points = run.iterations.filter((it) => isNumber(it.lambda_max));
  if (points.length === 0) return [];
  const prefix = many ? `${run.method}: ` : "";
  const series: Series[] = [{ name: `${prefix}λmax`, points: points.map((it) => ({ x: it.iteration, y: it.lambda_max ?? null })) }];
  const rates = points.filter((it) => isNumber(it.learning_rate) && it.learning_rate > 0);
  if (rates.length > 0) series.push({ name: `${prefix}2/learning rate`, kind: "dashes", points: rates.map((it) => ({ x: it.iteration, y: 2 / (it.learning_rate as number) })) });
  return series;
}
