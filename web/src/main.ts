/** The report page: reads the result that stands in the page and shows it. */
import { analysisPage } from "./analysis";
import { h } from "./dom";
import { counted } from "./format";
import { landscapePage } from "./landscape";
import type { Analysis, Comparison, Joined, Landscape, Objective, PageNotes, Run } from "./result";
import { runsPage } from "./runs";
import "./style.css";
import { explanationSwitch, themeSwitch } from "./theme";

type Result = Analysis | Run | Comparison | Landscape;

function subtitle(objective: Objective, version: string): string {
  const parts = [counted(objective.num_parameters, "parameter")];
  if (objective.num_samples > 0) parts.push(counted(objective.num_samples, "sample"));
  if (objective.loss) parts.push(objective.loss);
  parts.push(objective.dtype === "f32" ? "single precision" : "double precision", `kappa ${version}`);
  return parts.join(" · ");
}

type Part = { kind: string; objective: Objective; version: string; warnings: string[]; sections: (HTMLElement | null)[]; thinned: string[] };

function part(result: Result): Part {
  const about = { objective: result.objective as Objective, version: (result as Analysis).kappa ?? "", warnings: result.warnings ?? [], thinned: (result as { page?: PageNotes }).page?.thinned ?? [] };
  if ("landscape" in result) return { ...about, kind: result.landscape.axes.length === 1 ? `Landscape along ${result.landscape.axes[0].label}` : `Landscape over ${result.landscape.axes.map((axis) => axis.label).join(" and ")}`, sections: landscapePage(result) };
  if ("runs" in result) return { ...about, kind: "Comparison of methods", sections: runsPage(result.runs, result.paths) };
  if ("iterations" in result) return { ...about, kind: "Minimisation", sections: runsPage([result], result.paths) };
  return { ...about, kind: "Curvature report", sections: analysisPage(result as Analysis) };
}

const warningBox = (warnings: string[]) =>
  warnings.length > 0 ? h("section", { class: "warnings", "aria-label": "Warnings" }, h("ul", {}, ...warnings.map((warning) => h("li", {}, warning)))) : null;

function page(result: Result | Joined, text: string): void {
  const save = h("button", { type: "button" }, "Save the JSON");
  save.addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    h("a", { href: url, download: "kappa.json" }).click();
    URL.revokeObjectURL(url);
  });
  const parts = ("results" in result ? (result.results as Result[]) : [result as Result]).map(part);
  const first = parts[0];
  const kind = parts.length > 1 ? "Report" : first.kind.split(" over ")[0].split(" along ")[0];
  document.title = `${kind}: ${first.objective.text}`;
  const main = h("main", { id: "main" });
  parts.forEach((one, k) => {
    if (parts.length > 1) {
      main.append(
        h("header", { class: "part", id: `part-${k + 1}` }, h("h2", { class: "part-title" }, one.kind), h("p", { class: "subtitle" }, subtitle(one.objective, one.version))),
      );
    }
    const notes = one.thinned.length > 0 ? h("ul", { class: "thinned", "aria-label": "What was thinned out" }, ...one.thinned.map((note) => h("li", {}, note))) : null;
    for (const element of [warningBox(one.warnings), ...one.sections, notes]) {
      if (!element) continue;
      // Sections of different results need names of their own.
      if (parts.length > 1 && element.id) {
        const heading = element.querySelector(`#${element.id}-heading`);
        element.id = `${element.id}-of-${k + 1}`;
        if (heading) {
          heading.id = `${element.id}-heading`;
          element.setAttribute("aria-labelledby", heading.id);
        }
      }
      main.append(element);
    }
  });
  const contents = parts.length > 1
    ? h("nav", { "aria-label": "Contents" }, h("ul", { class: "contents" }, ...parts.map((one, k) => h("li", {}, h("a", { href: `#part-${k + 1}` }, one.kind)))))
    : null;
  document.getElementById("app")!.replaceChildren(
    h(
      "header",
      {},
      h("div", { class: "bar" }, h("span", { class: "kind" }, kind), h("div", { class: "switches" }, explanationSwitch(), themeSwitch(), save)),
      h("h1", {}, first.objective.text),
      parts.length > 1 ? contents : h("p", { class: "subtitle" }, subtitle(first.objective, first.version)),
    ),
    main,
    h("footer", {}, "Made by kappa. This file holds everything it shows, and the result itself as JSON; it loads nothing from the network."),
  );
}

function start(): void {
  const text = document.getElementById("result")!.textContent ?? "";
  try {
    page(JSON.parse(text) as Result | Joined, text);
  } catch (error) {
    document.getElementById("app")!.replaceChildren(
      h("main", { id: "main" }, h("h1", {}, "Kappa report"), h("p", {}, "This page holds no result that it can read. Make it again with kappa report RESULT.json --html FILE."), h("p", { class: "note" }, String(error))),
    );
  }
}

start();
