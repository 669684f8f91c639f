/** Line and bar charts as SVG: drawn at the width there is, styled by CSS alone (themes, print),
 *  readable by pointer and by arrow keys. */
import { extent } from "d3-array";
import { scaleLinear, scaleLog } from "d3-scale";
import { area, line } from "d3-shape";
import { h, s } from "./dom";
import { count, number, short } from "./format";
import { isNumber, type Num } from "./result";

export interface Axis {
  title: string;
  log?: boolean;
  domain?: [number, number];
  /** Room beyond the data, as a share of its extent (linear axes). */
  pad?: number;
  integer?: boolean;
}

export interface Point {
  x: Num;
  y: Num;
  low?: Num;
  high?: Num;
  label?: string;
}

export interface Series {
  name: string;
  points: Point[];
  kind?: "line" | "dots" | "bars" | "dashes";
  /** 1 to 6: a colour and, for lines, a dash pattern of its own. */
  color?: number;
  faint?: boolean;
}

export interface Rule {
  x?: number;
  y?: number;
  label: string;
  strong?: boolean;
}

export interface Chart {
  title: string;
  /** What the picture says, for those who hear the page. */
  description: string;
  x: Axis;
  y: Axis;
  series: Series[];
  rules?: Rule[];
  height?: number;
}

const most_points = 2000;

/** The first, last, lowest and highest point of each of many buckets: no peak is lost. */
export function thin(points: Point[]): Point[] {
  if (points.length <= most_points) return points;
  const kept = new Set<number>([0, points.length - 1]);
  const size = Math.ceil(points.length / (most_points / 4));
  for (let from = 0; from < points.length; from += size) {
    const to = Math.min(points.length, from + size);
    let low = from;
    let high = from;
    for (let i = from; i < to; ++i) {
      if ((points[i].y ?? Infinity) < (points[low].y ?? Infinity)) low = i;
      if ((points[i].y ?? -Infinity) > (points[high].y ?? -Infinity)) high = i;
    }
    [from, to - 1, low, high].forEach((i) => kept.add(i));
  }
  return [...kept].sort((a, b) => a - b).map((i) => points[i]);
}

function scale(axis: Axis, values: number[], range: [number, number]) {
  let [low, high] = axis.domain ?? (extent(values) as [number, number]);
  if (axis.log) {
    if (low === high) [low, high] = [low / 2, high * 2];
    return scaleLog().domain([low, high]).range(range);
  }
  if (low === high) {
    const pad = Math.abs(low) * 0.1 || 1;
    [low, high] = [low - pad, high + pad];
  } else if (!axis.domain) {
    const pad = (high - low) * (axis.pad ?? 0.04);
    [low, high] = [low - pad, high + pad];
  }
  return scaleLinear().domain([low, high]).range(range);
}

type Scale = ReturnType<typeof scale>;

function ticks(axis: Axis, at: Scale, room: number): number[] {
  if (!axis.log) {
    const all = at.ticks(room);
    return axis.integer ? all.filter(Number.isInteger) : all;
  }
  const [low, high] = at.domain();
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  if (last - first < 1) return at.ticks(room).slice(0, 12).filter((_, i, all) => i % Math.ceil(all.length / room) === 0);
  const every = Math.max(1, Math.ceil((last - first + 1) / room));
  const out: number[] = [];
  for (let k = first; k <= last; k += every) out.push(Number(`1e${k}`));
  return out;
}

/** Redraws `draw(width)` whenever the width changes. */
export function responsive(box: HTMLElement, draw: (width: number) => void): void {
  let last = 0;
  const update = () => {
    const width = Math.round(box.clientWidth);
    if (width > 0 && width !== last) {
      last = width;
      draw(width);
    }
  };
  new ResizeObserver(update).observe(box);
  requestAnimationFrame(update);
  window.addEventListener("beforeprint", update);
}

export interface ChartElement extends HTMLElement {
  /** Replaces rules, e.g. after a slider moved. */
  setRules(rules: Rule[]): void;
}

let next_id = 0;

export function chart(options: Chart): ChartElement {
  const id = `chart-${++next_id}`;
  const usable = (p: Point) =>
    isNumber(p.x) && isNumber(p.y) && (!options.x.log || p.x > 0) && (!options.y.log || p.y > 0);
  const all = options.series.flatMap((series) => series.points);
  const good = all.filter(usable);
  const readout = h("p", { class: "readout", "aria-live": "polite" });
  const plot = h("div", { class: "plot" });
  const figure = h(
    "figure",
    { class: "chart", "data-chart": options.title },
    h("figcaption", { id: `${id}-title` }, options.title),
    legend(options.series),
    plot,
    readout,
  ) as unknown as ChartElement;
  figure.setRules = () => {};
  const hint = "Point at the chart, or focus it and use the arrow keys, to read values.";
  if (good.length === 0) {
    readout.textContent =
      all.length === 0
        ? "There is no data to draw here."
        : `None of the ${count(all.length)} values can be drawn: they are infinite, not defined, or not positive on a logarithmic axis.`;
    readout.classList.add("note");
    return figure;
  }
  const left_out = all.length - good.length;
  const resting = left_out > 0 ? `${count(left_out)} of ${count(all.length)} values are infinite, undefined or not positive and are left out. ${hint}` : hint;
  readout.textContent = resting;

  let rules = options.rules ?? [];
  let redraw = () => {};
  figure.setRules = (next) => {
    rules = next;
    redraw();
  };

  responsive(plot, (width) => {
    redraw = () => draw(width);
    redraw();
  });

  function draw(width: number): void {
    const height = options.height ?? Math.max(220, Math.min(340, width * 0.5));
    const margin = { top: 12, right: 20, bottom: 46, left: 74 };
    const xs = good.flatMap((p) => [p.x as number]);
    const ys = good.flatMap((p) =>
      [p.y, p.low, p.high].filter((v): v is number => isNumber(v) && (!options.y.log || v > 0)),
    );
    if (options.series.some((series) => series.kind === "bars") && !options.y.log) ys.push(0);
    const x = scale(options.x, xs, [margin.left, width - margin.right]);
    const y = scale(options.y, ys, [height - margin.bottom, margin.top]);
    const [x0, x1] = [margin.left, width - margin.right];
    const [y0, y1] = [height - margin.bottom, margin.top];
    const svg = s("svg", {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      tabindex: 0,
      "aria-label": `${options.title}. ${options.description}`,
    });
    svg.append(s("clipPath", { id }, s("rect", { x: x0, y: y1, width: x1 - x0, height: y0 - y1 })));

    for (const tick of ticks(options.x, x, Math.max(3, width / 110))) {
      svg.append(
        s("line", { class: "grid", x1: x(tick), x2: x(tick), y1: y0, y2: y1 }),
        s("text", { class: "tick", x: x(tick), y: y0 + 17, "text-anchor": x(tick) > x1 - 16 ? "end" : "middle" }, short(tick)),
      );
    }
    for (const tick of ticks(options.y, y, 6)) {
      svg.append(
        s("line", { class: "grid", x1: x0, x2: x1, y1: y(tick), y2: y(tick) }),
        s("text", { class: "tick", x: x0 - 7, y: y(tick) + 4, "text-anchor": "end" }, short(tick)),
      );
    }
    svg.append(
      s("text", { class: "axis-title", x: (x0 + x1) / 2, y: height - 8, "text-anchor": "middle" }, options.x.title),
      s(
        "text",
        { class: "axis-title", transform: `translate(14 ${(y0 + y1) / 2}) rotate(-90)`, "text-anchor": "middle" },
        options.y.title,
      ),
    );
    const inside = s("g", { "clip-path": `url(#${id})` });
    svg.append(inside);
    if (!options.y.log && y.domain()[0] < 0 && y.domain()[1] > 0) {
      inside.append(s("line", { class: "zero", x1: x0, x2: x1, y1: y(0), y2: y(0) }));
    }
    options.series.forEach((series, k) => drawSeries(inside, series, series.color ?? k + 1));

    for (const rule of rules) {
      const strong = rule.strong ? " strong" : "";
      if (isNumber(rule.x) && x(rule.x) >= x0 - 1 && x(rule.x) <= x1 + 1) {
        const end = x(rule.x) > (x0 + x1) / 2;
        const row = rules.indexOf(rule);
        svg.append(
          s("line", { class: `rule${strong}`, x1: x(rule.x), x2: x(rule.x), y1: y0, y2: y1, "data-rule": rule.label }),
          s("text", { class: "rule-label", x: x(rule.x) + (end ? -5 : 5), y: y1 + 12 + 15 * row, "text-anchor": end ? "end" : "start" }, rule.label),
        );
      } else if (isNumber(rule.y) && y(rule.y) >= y1 && y(rule.y) <= y0) {
        svg.append(
          s("line", { class: `rule${strong}`, x1: x0, x2: x1, y1: y(rule.y), y2: y(rule.y), "data-rule": rule.label }),
          s("text", { class: "rule-label", x: x1 - 4, y: y(rule.y) - 5, "text-anchor": "end" }, rule.label),
        );
      }
    }

    function drawSeries(into: SVGElement, series: Series, color: number): void {
      const points = thin(series.points);
      const at = (p: Point) => x(p.x as number);
      const shown = points.filter(usable);
      const style = `series c${((color - 1) % 6) + 1}${series.faint ? " faint" : ""}`;
      const data = { "data-series": series.name, "data-points": shown.length, "data-total": series.points.length };
      const floor = Math.min(...y.domain());
      if (series.kind === "bars") {
        const step = (x1 - x0) / Math.max(1, x.domain()[1] - x.domain()[0]);
        const half = Math.max(1, Math.min(22, step * 0.36));
        const base = options.y.log ? y0 : y(0);
        const group = s("g", { class: style, ...data });
        for (const p of shown) {
          const top = y(p.y as number);
          group.append(
            s("rect", { class: "bar", x: at(p) - half, width: 2 * half, y: Math.min(top, base), height: Math.max(1, Math.abs(base - top)) }),
          );
          if (isNumber(p.low) && isNumber(p.high)) {
            const high = y(p.high);
            const low = y(options.y.log ? Math.max(p.low, floor) : p.low);
            group.append(
              s("path", { class: "error", d: `M${at(p)},${low}V${high}M${at(p) - 4},${low}h8M${at(p) - 4},${high}h8` }),
            );
          }
        }
        into.append(group);
        return;
      }
      if (series.kind === "dots") {
        const group = s("g", { class: style, ...data });
        for (const p of shown) group.append(s("circle", { class: "dot", cx: at(p), cy: y(p.y as number), r: 4 }));
        into.append(group);
        return;
      }
      if (points.some((p) => isNumber(p.low) && isNumber(p.high))) {
        const band = area<Point>()
          .defined((p) => usable(p) && isNumber(p.low) && isNumber(p.high))
          .x(at)
          .y0((p) => y(options.y.log ? Math.max(p.low as number, floor / 10) : (p.low as number)))
          .y1((p) => y(p.high as number));
        into.append(s("path", { class: `${style} band`, d: band(points) ?? "" }));
      }
      const curve = line<Point>().defined(usable).x(at).y((p) => y(p.y as number));
      into.append(s("path", { class: `${style} curve${series.kind === "dashes" ? " dashes" : ""}`, d: curve(points) ?? "", ...data }));
    }

    // Reading values: nearest point in x over all series that are not faint.
    const cursor = s("g", { class: "cursor", visibility: "hidden" });
    svg.append(cursor);
    const readable = options.series.filter((series) => !series.faint);
    const stops = [...new Set(readable.flatMap((series) => thin(series.points).filter(usable).map((p) => p.x as number)))].sort((a, b) => a - b);
    let stop = -1;
    const show = (index: number) => {
      if (stops.length === 0) return;
      stop = Math.max(0, Math.min(stops.length - 1, index));
      const at = stops[stop];
      cursor.replaceChildren(s("line", { x1: x(at), x2: x(at), y1: y0, y2: y1 }));
      const parts: string[] = [];
      let label = "";
      for (const series of readable) {
        const p = series.points.find((q) => q.x === at && usable(q));
        if (!p) continue;
        cursor.append(s("circle", { cx: x(at), cy: y(p.y as number), r: 4.5 }));
        const bound = isNumber(p.low) && isNumber(p.high) ? ` ± ${number((p.high - p.low) / 2, 2)}` : "";
        parts.push(`${series.name} ${number(p.y)}${bound}`);
        label = p.label ?? label;
      }
      cursor.setAttribute("visibility", "visible");
      readout.textContent = `${label || `${options.x.title}: ${number(at)}`} · ${parts.join(" · ")}`;
    };
    const hide = () => {
      cursor.setAttribute("visibility", "hidden");
      readout.textContent = resting;
      stop = -1;
    };
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const px = ((event.clientX - box.left) / box.width) * width;
      let best = 0;
      for (let i = 1; i < stops.length; ++i) {
        if (Math.abs(x(stops[i]) - px) < Math.abs(x(stops[best]) - px)) best = i;
      }
      show(best);
    });
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const jump = event.shiftKey ? Math.max(1, Math.round(stops.length / 20)) : 1;
      if (event.key === "ArrowRight") show(stop + jump);
      else if (event.key === "ArrowLeft") show(stop < 0 ? stops.length - 1 : stop - jump);
      else if (event.key === "Home") show(0);
      else if (event.key === "End") show(stops.length - 1);
      else if (event.key === "Escape") hide();
      else return;
      event.preventDefault();
    });
    plot.replaceChildren(svg);
  }
  return figure;
}

export function legend(series: { name: string; color?: number; kind?: string; faint?: boolean }[]): HTMLElement | null {
  const shown = series.map((one, k) => ({ ...one, color: one.color ?? k + 1 })).filter((one) => !one.faint);
  if (shown.length < 2) return null;
  const list = h("ul", { class: "legend" });
  for (const one of shown) {
    const key = s("svg", { width: 26, height: 12, "aria-hidden": "true" });
    const style = `series c${((one.color - 1) % 6) + 1}`;
    if (one.kind === "dots") key.append(s("g", { class: style }, s("circle", { class: "dot", cx: 13, cy: 6, r: 4 })));
    else key.append(s("path", { class: `${style} curve${one.kind === "dashes" ? " dashes" : ""}`, d: "M1,6H25" }));
    list.append(h("li", {}, key, one.name));
  }
  return list;
}
