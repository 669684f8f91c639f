/** The report page: reads the result that stands in the page and shows it. */
import { analysisPage } from "./analysis";
import { h } from "./dom";
import { counted } from "./format";
import type { Analysis, Comparison, Objective, Run } from "./result";
import { runsPage } from "./runs";
import "./style.css";
import { explanationSwitch, themeSwitch } from "./theme";

type Result = Analysis | Run | Comparison;

function subtitle(objective: Objective, version: string): string {
  const parts = [counted(objective.num_parameters, "parameter")];
  if (objective.num_samples > 0) parts.push(counted(objective.num_samples, "sample"));
  if (objective.loss) parts.push(objective.loss);
  parts.push(objective.dtype === "f32" ? "single precision" : "double precision", `kappa ${version}`);
  return parts.join(" · ");
}

function page(result: Result, text: string): void {
  const objective = result.objective as Objective;
  let kind: string;
  let parts: (HTMLElement | null)[];
  if ("runs" in result) {
    [kind, parts] = ["Comparison of methods", runsPage(result.runs)];
  } else if ("iterations" in result) {
    [kind, parts] = ["Minimisation", runsPage([result])];
  } else {
    [kind, parts] = ["Curvature report", analysisPage(result as Analysis)];
  }
  document.title = `${kind}: ${objective.text}`;
  const save = h("button", { type: "button" }, "Save the JSON");
  save.addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    h("a", { href: url, download: "kappa.json" }).click();
    URL.revokeObjectURL(url);
  });
  const warnings = (result.warnings ?? []).length > 0
    ? h("section", { class: "warnings", "aria-label": "Warnings" }, h("ul", {}, ...result.warnings!.map((warning) => h("li", {}, warning))))
    : null;
  const main = h("main", { id: "main" });
  for (const part of [warnings, ...parts]) if (part) main.append(part);
  document.getElementById("app")!.replaceChildren(
    h(
      "header",
      {},
      h("div", { class: "bar" }, h("span", { class: "kind" }, kind), h("div", { class: "switches" }, explanationSwitch(), themeSwitch(), save)),
      h("h1", {}, objective.text),
      h("p", { class: "subtitle" }, subtitle(objective, (result as Analysis).kappa ?? "")),
    ),
    main,
    h("footer", {}, "Made by kappa. This file holds everything it shows, and the result itself as JSON; it loads nothing from the network."),
  );
}

function start(): void {
  const text = document.getElementById("result")!.textContent ?? "";
  try {
    page(JSON.parse(text) as Result, text);
  } catch (error) {
    document.getElementById("app")!.replaceChildren(
      h("main", { id: "main" }, h("h1", {}, "Kappa report"), h("p", {}, "This page holds no result that it can read. Make it again with kappa report RESULT.json --html FILE."), h("p", { class: "note" }, String(error))),
    );
  }
}

start();
