/** Contour maps: what the pictures of two variables, landscapes and walks share. */
import { quantileSorted } from "d3-array";
import { contours } from "d3-contour";
import { scaleLinear, type ScaleLinear } from "d3-scale";
import { s } from "./dom";
import { short } from "./format";
import { isNumber, type Num } from "./result";

export type Vector = [number, number];
export type Place = ScaleLinear<number, number>;

export interface Plane {
  x: number[];
  y: number[];
  value: Num[][];
}

export interface MapOptions {
  label: string;
  names: [string, string];
  /** Where there is no plane, the map of the model alone has these ends. */
  x: [number, number];
  y: [number, number];
  plane?: Plane | null;
  model?: ((x: number, y: number) => number) | null;
}

export interface DrawnMap {
  svg: SVGSVGElement;
  inside: SVGGElement;
  x: Place;
  y: Place;
}

/** Heights that spread over the values there are, denser near the lowest. */
export function levels(values: Num[]): number[] {
  const sorted = values.filter(isNumber).sort((a, b) => a - b);
  if (sorted.length === 0) return [];
  const out: number[] = [];
  for (let k = 1; k < 15; ++k) out.push(quantileSorted(sorted, (k / 15) ** 2) as number);
  return [...new Set(out)];
}

let next_clip = 0;

export function drawMap(width: number, o: MapOptions): DrawnMap {
  const margin = { top: 10, right: 14, bottom: 46, left: 68 };
  const side = Math.max(180, Math.min(width - margin.left - margin.right, 520));
  const full = margin.left + side + margin.right;
  const height = side + margin.top + margin.bottom;
  const x = scaleLinear(o.x, [margin.left, margin.left + side]);
  const y = scaleLinear(o.y, [margin.top + side, margin.top]);
  const svg = s("svg", { viewBox: `0 0 ${full} ${height}`, width: full, height, role: "img", "aria-label": o.label });
  const clip = `map-clip-${++next_clip}`;
  svg.append(s("clipPath", { id: clip }, s("rect", { x: margin.left, y: margin.top, width: side, height: side })));
  for (const tick of x.ticks(width < 480 ? 4 : 7)) {
    svg.append(s("text", { class: "tick", x: x(tick), y: margin.top + side + 17, "text-anchor": "middle" }, short(tick)));
  }
  for (const tick of y.ticks(7)) {
    svg.append(s("text", { class: "tick", x: margin.left - 7, y: y(tick) + 4, "text-anchor": "end" }, short(tick)));
  }
  const cut = (text: string) => (text.length * 7.4 > side ? `${text.slice(0, Math.floor(side / 7.4) - 1)}…` : text);
  svg.append(
    s("text", { class: "axis-title", x: margin.left + side / 2, y: height - 8, "text-anchor": "middle" }, cut(o.names[0])),
    s("text", { class: "axis-title", transform: `translate(14 ${margin.top + side / 2}) rotate(-90)`, "text-anchor": "middle" }, cut(o.names[1])),
  );
  const inside = s("g", { "clip-path": `url(#${clip})` });
  svg.append(s("rect", { class: "frame", x: margin.left, y: margin.top, width: side, height: side }), inside);

  const n = 61;
  const along = ([low, high]: [number, number]) => Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
  const model_x = along(o.x);
  const model_y = along(o.y);
  const modelGrid = o.model ? model_y.flatMap((v) => model_x.map((u) => o.model!(u, v))) : null;
  const trueGrid = o.plane ? o.plane.value.flat() : null;
  const heights = levels(trueGrid ?? modelGrid ?? []);
  const paths = (grid: Num[], gx: number[], gy: number[], style: string) => {
    // d3 puts the value of column i at i + 1/2.
    const place = (list: number[], scale: Place) => {
      const first = list[0];
      const step = (list[list.length - 1] - first) / Math.max(1, list.length - 1);
      return (u: number) => scale(first + (u - 0.5) * step);
    };
    const [px, py] = [place(gx, x), place(gy, y)];
    const fill = grid.map((v) => (isNumber(v) ? v : NaN));
    contours()
      .size([gx.length, gy.length])
      .thresholds(heights)(fill)
      .forEach((shape, k) => {
        const d = shape.coordinates
          .flat()
          .map((ring) => "M" + ring.map(([u, v]) => `${px(u).toFixed(1)},${py(v).toFixed(1)}`).join("L") + "Z")
          .join("");
        inside.append(s("path", { class: `contour ${style}`, d, "data-level": heights[k] }));
      });
  };
  if (trueGrid) paths(trueGrid, o.plane!.x, o.plane!.y, "true");
  if (modelGrid) paths(modelGrid, model_x, model_y, "model");
  return { svg, inside, x, y };
}

/** A walk on a map: line, steps, and where it is now. */
export function drawWalk(map: DrawnMap, points: Vector[], style: string, name: string): void {
  const at = points.map(([u, v]) => [map.x(u), map.y(v)]);
  const near = at.filter(([px, py]) => Math.abs(px) < 1e5 && Math.abs(py) < 1e5);
  if (near.length === 0) return;
  map.inside.append(
    s("path", { class: `series ${style} curve walk`, d: "M" + near.map((p) => p.map((c) => c.toFixed(1)).join(",")).join("L"), "data-series": name, "data-points": points.length }),
  );
  const every = Math.ceil(near.length / 200);
  near.forEach((p, k) => k % every === 0 && map.inside.append(s("circle", { class: `series ${style} step`, cx: p[0], cy: p[1], r: 2.6 })));
  const end = near[near.length - 1];
  map.inside.append(s("circle", { class: `series ${style} end`, cx: end[0], cy: end[1], r: 5.5 }));
}

export function key(style: string): SVGElement {
  const eigen = style === "eigen";
  return s("svg", { width: 26, height: 12, "aria-hidden": "true" }, s(eigen ? "line" : "path", eigen ? { class: "eigen", x1: 1, y1: 6, x2: 25, y2: 6 } : { class: style, d: "M1,6H25" }));
}
