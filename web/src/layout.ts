import { h } from "./dom";

/** A part of the page with its heading. */
export function section(id: string, title: string, ...children: (HTMLElement | null)[]): HTMLElement {
  return h("section", { id, "aria-labelledby": `${id}-heading` }, h("h2", { id: `${id}-heading` }, title), ...children);
}

/** The few numbers that come first. */
export function tiles(items: ([string, string] | null)[]): HTMLElement {
  const list = h("dl", { class: "tiles" });
  for (const item of items) {
    if (item) list.append(h("div", {}, h("dt", {}, item[0]), h("dd", {}, item[1])));
  }
  return list;
}
