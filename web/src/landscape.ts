/** The page of `kappa landscape`: the function on a line or in a plane through the point. */
import { chart, responsive } from "./chart";
import { h, s } from "./dom";
import { factTable, type Fact } from "./facts";
import { count, number, seconds } from "./format";
import { section, tiles } from "./layout";
import { drawMap, key } from "./map";
import { isNumber, type Landscape, type LandscapeAxis, type Num } from "./result";
import { surfaceFigure } from "./surface";

const explain = (text: string) => h("p", { class: "explain" }, text);

export function landscapePage(result: Landscape): (HTMLElement | null)[] {
  const l = result.landscape;
  const all = (Array.isArray(l.value[0]) ? (l.value as Num[][]).flat() : (l.value as Num[])) ?? [];
  const finite = all.filter(isNumber);
  const missing = all.length - finite.length;
  return [
    tiles([
      ["At the point", number(l.model.value)],
      l.lowest ? ["Lowest here", number(l.lowest.value)] : null,
      l.shape ? ["Shape here", l.shape] : null,
      ["Places", count(l.num_points)],
    ]),
    section(
      "picture",
      l.axes.length === 1 ? "The function along a line" : "The function in a plane",
      explain(axesInWords(l.axes)),
      l.complete ? null : h("p", { class: "note" }, `Only ${count(l.num_done)} of ${count(l.num_points)} places were computed: the run was stopped. With --checkpoint DIR --resume it goes on from there.`),
      finite.length > 0 && missing > 0 ? h("p", { class: "note" }, `${count(missing)} of ${count(all.length)} values are infinite, not defined or not computed; they are left out.`) : null,
      l.axes.length === 1 ? line(result) : plane(result),
    ),
    section("numbers", "All the numbers", factTable(facts(result), "All the numbers")),
  ];
}

function axesInWords(axes: LandscapeAxis[]): string {
  const kinds: Record<string, string> = {
    top: "An eigenvector is a direction along which the function bends by itself alone: the steepest one limits the learning rate.",
    bottom: "Along the flattest or lowest eigenvector progress is slowest, or the function falls away.",
    gradient: "Straight downhill is where gradient descent goes.",
    interpolation: "The straight line between two sets of weights shows whether a barrier lies between them.",
    "random-filter-normalized": "Random directions are scaled unit by unit to the length of the weights (filter normalisation), so that pictures of differently scaled networks can be compared.",
    random: "A random direction shows what most directions look like.",
  };
  const said = [...new Set(axes.map((axis) => kinds[axis.kind]).filter(Boolean))];
  return said.join(" ") + " The dashed lines are the quadratic model at the point: where they part from the function, second derivatives no longer tell what it does.";
}

const unit = (axis: LandscapeAxis) => (axis.kind === "parameter" ? axis.label : `${axis.label}, steps of length ${number(axis.norm, 3)}`);

function line(result: Landscape): HTMLElement {
  const { axes, model } = result.landscape;
  const t = axes[0].t;
  const f = result.landscape.value as Num[];
  const at = (u: number) => (isNumber(model.value) ? model.value + (model.slope[0] ?? NaN) * u + ((model.curvature[0][0] ?? NaN) / 2) * u * u : NaN);
  const shown = f.filter(isNumber);
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const room = 0.12 * (high - low || Math.abs(high) || 1);
  return chart({
    title: `The function along ${axes[0].label}`,
    description: `${f.length} values from ${number(low)} to ${number(high)}; slope ${number(model.slope[0])} and curvature ${number(model.curvature[0][0])} at the point.`,
    x: { title: unit(axes[0]), pad: 0 },
    y: { title: "f", domain: shown.length > 0 ? [low - room, high + room] : undefined },
    series: [
      { name: "function", color: 1, points: t.map((x, i) => ({ x, y: f[i] })) },
      { name: "quadratic model at 0", color: 2, kind: "dashes", points: t.map((x) => ({ x, y: at(x) })) },
      ...(isNumber(model.value) ? [{ name: "the point", kind: "dots" as const, color: 4, points: [{ x: 0, y: model.value }] }] : []),
    ],
  });
}

function plane(result: Landscape): HTMLElement {
  const { axes, model, value } = result.landscape;
  const grid = { x: axes[0].t, y: axes[1].t, value: value as Num[][] };
  const names: [string, string] = [unit(axes[0]), unit(axes[1])];
  const short_names = axes.map((axis, k) => (axis.kind === "parameter" ? axis.label : k === 0 ? "first direction" : "second direction")) as [string, string];
  const quadratic = [model.value, ...model.slope, ...model.curvature.flat()].every(isNumber)
    ? (u: number, v: number) =>
        (model.value as number) + (model.slope[0] as number) * u + (model.slope[1] as number) * v +
        ((model.curvature[0][0] as number) * u * u + 2 * (model.curvature[0][1] as number) * u * v + (model.curvature[1][1] as number) * v * v) / 2
    : null;
  const plot = h("div", { class: "plot" });
  const figure = h(
    "figure",
    { class: "chart plane", "data-chart": "Landscape map" },
    h("figcaption", {}, "Contours of the function and of its quadratic model"),
    h("ul", { class: "legend" }, h("li", {}, key("contour true"), "the function"), quadratic ? h("li", {}, key("contour model"), "its quadratic model at (0, 0)") : null),
    plot,
  );
  if (!grid.value.flat().some(isNumber)) {
    figure.append(h("p", { class: "readout note" }, "No value of this plane is finite: there is nothing to draw."));
    return figure;
  }
  responsive(plot, (width) => {
    const ends = (t: number[]): [number, number] => [t[0], t[t.length - 1]];
    const map = drawMap(width, { label: `Contour map over ${names[0]} and ${names[1]}.`, names, x: ends(grid.x), y: ends(grid.y), plane: grid, model: quadratic });
    map.inside.append(s("circle", { class: "start", cx: map.x(0), cy: map.y(0), r: 6 }));
    const low = result.landscape.lowest?.t;
    if (low && low.length === 2) map.inside.append(s("circle", { class: "series c2 end", cx: map.x(low[0]), cy: map.y(low[1]), r: 5.5, "data-lowest": "" }));
    plot.replaceChildren(map.svg);
  });
  figure.append(h("p", { class: "readout" }, "The ring is the point itself, the dot the lowest of the places computed."));
  return h("div", { class: "pair" }, figure, surfaceFigure(grid, short_names, "Landscape as a surface"));
}

function facts(result: Landscape): Fact[] {
  const l = result.landscape;
  const list: Fact[] = [];
  const add = (name: string, value: string, meaning: string) => list.push({ name, value, meaning });
  add("Value at the point", number(l.model.value), "The height at the middle of the picture.");
  l.axes.forEach((axis, k) => {
    const name = l.axes.length === 1 ? "" : k === 0 ? " (across)" : " (up)";
    add(`Direction${name}`, axis.label, `From ${number(axis.t[0])} to ${number(axis.t[axis.t.length - 1])} in ${axis.t.length} places; one step on the axis moves the parameters by ${number(axis.norm, 4)}.`);
    if (isNumber(axis.eigenvalue)) add(`Eigenvalue${name}`, number(axis.eigenvalue), "The curvature along this eigenvector.");
    add(`Slope${name}`, number(l.model.slope[k]), "How fast the function changes along this direction, for each step on the axis.");
    add(`Curvature${name}`, number(l.model.curvature[k]?.[k]), "How the function bends along this direction: positive up, negative down.");
  });
  if (l.shape) add("Shape on it", l.shape, "What the quadratic model looks like within this picture; other directions may bend otherwise.");
  if (l.lowest) add("Lowest place", `${number(l.lowest.value)} at ${l.lowest.t.map((t) => number(t, 4)).join(", ")}`, "If it lies at the edge, a wider picture may go lower.");
  if (result.cost) {
    add("Function values", count(result.cost.num_values ?? 0), "Places at which the function was evaluated.");
    add("Time", seconds(result.cost.seconds), "Wall-clock time of this run.");
  }
  return list;
}
