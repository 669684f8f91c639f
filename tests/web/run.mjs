// The report page in a real browser: pages of every kind, made by the program given as argument.
// Each chart's drawn points are counted against the JSON the page carries; sliders, switches and the
// keyboard work; nothing is loaded, nothing logged; axe finds no serious fault; names that look like
// markup stay text.
//
//   node tests/web/run.mjs build/release/bin/kappa [--screenshots DIR]
//
// Ends with 77 (skipped) where node_modules, Chromium or the page are missing.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const web = join(here, "..", "..", "web");
const skip = (why) => {
  console.log(`SKIPPED: ${why}`);
  process.exit(77);
};
if (!existsSync(join(web, "node_modules", "playwright-core"))) skip("run scripts/build_page.sh first");
const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
if (!browserPath) skip("no Chromium (Debian: apt install chromium)");
const require = createRequire(join(web, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const kappa = process.argv[2];
const shots = process.argv[3] === "--screenshots" ? process.argv[4] : null;
const folder = mkdtempSync(join(tmpdir(), "kappa-web-"));
let failures = 0;
let checks = 0;
function check(what, ok, detail = "") {
  ++checks;
  if (ok) return;
  ++failures;
  console.log(`FAILED: ${what} ${detail}`);
}
const equal = (what, measured, expected) => check(what, measured === expected, `${measured} instead of ${expected}`);

function run(...args) {
  try {
    execFileSync(kappa, args, { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    if (error.status !== 1) {
      const text = String(error.stderr);
      if (text.includes("without the report page")) skip("kappa was built without the page (target web)");
      throw new Error(`kappa ${args.join(" ")}: ${text}`);
    }
  }
}
const file = (name) => join(folder, name);

// A result made by the program, or one made up here, as a page.
function page(name, args) {
  run(...args, "--html", file(`${name}.html`), "--quiet");
}
function pageOf(name, result) {
  writeFileSync(file(`${name}.json`), JSON.stringify(result));
  run("report", file(`${name}.json`), "--html", file(`${name}.html`));
}

const rosenbrock = ["100*(y - x^2)^2 + (1 - x)^2", "--at", "x=-1.2,y=1"];
page("one", ["analyze", "x^4 - x", "--at", "x=1"]);
page("two", ["analyze", ...rosenbrock]);
page("saddle", ["analyze", "x^2 - y^2", "--at", "x=0,y=0"]);
page("many", ["analyze", "sum((range(30) + 1) * x^2) + sum(x^4)", "--at", "x=0.5*30", "--density", "--trace", "--learning-rate", "0.01"]);
page("vector", ["analyze", "(x + 1, x*y, x - z)", "--at", "x=1,y=2,z=3"]);
page("minimize", ["minimize", ...rosenbrock]);
page("compare", ["compare", ...rosenbrock, "--methods", "gd,lbfgs,newton"]);

// Landscapes: a line, a plane, one with holes, and directions from a file with a name to be feared.
page("line", ["landscape", "x^4 - x", "--at", "x=1"]);
page("plane", ["landscape", "x^2 + y^2", "--at", "x=0,y=0", "--range", "1"]);
page("ditch", ["landscape", "log(x) + y^2", "--at", "x=0.5,y=0", "--range", "1", "--points", "21"]);
const quoted = `it's "so" <b>.npy`;
writeFileSync(file(quoted), npy([1, 0.5]));
page("quoted", ["landscape", "x^2 - y^2", "--at", "x=0,y=0", "--along", file(quoted)]);
function npy(values) {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${values.length},), }`.padEnd(117) + "\n";
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), Buffer.from([118, 0]), Buffer.from(header), Buffer.from(new Float64Array(values).buffer)]);
}

// A network on a table: its training, its curvature, its landscape, and all of them on one page.
const rows = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(2 * i), Math.sin(i) * Math.cos(2 * i)]);
writeFileSync(file("table.csv"), "a,b,c\n" + rows.map((row) => row.join(",")).join("\n") + "\n");
const network = ["mlp:2-8-1:tanh", "--data", file("table.csv"), "--target", "c", "--dtype", "f64"];
const json = (name) => ["--json", file(`${name}.json`)];
page("training", ["minimize", ...network, "--method", "gd", "--learning-rate", "0.2", "--max-iterations", "40", "--track-curvature", "2", "--path-grid", "9", ...json("training")]);
page("layers", ["analyze", ...network, "--per-layer", "--density", "--probes", "3", "--steps", "10", ...json("layers")]);
page("random", ["landscape", ...network, "--points", "9", ...json("random")]);
run("report", file("training.json"), file("layers.json"), file("random.json"), "--html", file("network.html"));

const hostile = "</script><img src=x onerror=\"alert('no')\">\u2028&amp;<b>";
const two = () => embedded("two");
function embedded(name) {
  const html = readFileSync(file(`${name}.html`), "utf8");
  return JSON.parse(html.split('<script id="result" type="application/json">')[1].split("</script>")[0]);
}
pageOf("hostile", { ...two(), objective: { ...two().objective, text: hostile }, point: { names: [hostile, "y\"'"], values: [-1.2, 1] }, warnings: [hostile] });
const holes = two();
holes.value = null;
holes.gradient = { norm_2: null, norm_inf: null, vector: [null, null] };
holes.eigenvalues = { top: [{ value: null, residual: null, error_bound: null, converged: false }], bottom: [] };
holes.density = { lambda: [0, 1], density: [null, null], standard_error: [null, null], num_probes: 1, num_steps: 2 };
delete holes.slices;
delete holes.hessian;
pageOf("holes", holes);
const scape = embedded("plane");
pageOf("void", { ...scape, landscape: { ...scape.landscape, value: scape.landscape.value.map((row) => row.map(() => null)), lowest: undefined, complete: false, num_done: 0, axes: scape.landscape.axes.map((axis) => ({ ...axis, label: hostile })) } });
pageOf("empty", { kappa: "0.1.0", objective: holes.objective, method: "gd", status: "interrupted", usable: false, reason: { criterion: "interrupted", measured: null, threshold: null }, value: null, start_value: null, iterations: [] });

const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
async function open(name, options = {}) {
  const tab = await browser.newPage({ viewport: { width: 1100, height: 900 }, ...options });
  tab.problems = [];
  tab.requests = [];
  tab.on("console", (message) => message.type() !== "info" && tab.problems.push(message.text()));
  tab.on("pageerror", (error) => tab.problems.push(error.message));
  tab.on("dialog", (dialog) => (tab.problems.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  tab.on("request", (request) => tab.requests.push(request.url()));
  await tab.goto(pathToFileURL(file(`${name}.html`)).href);
  await tab.waitForSelector("main");
  await tab.waitForTimeout(150);
  return tab;
}
async function quiet(tab, name) {
  equal(`${name}: console is empty`, tab.problems.join("; "), "");
  equal(`${name}: nothing loaded but the page`, tab.requests.filter((url) => !url.startsWith("data:")).length, 1);
}
// Points that a chart has drawn: vertices of its path, bars or dots; not what it says it drew.
const drawn = (tab, chart, series) =>
  tab.evaluate(([chart, series]) => {
    const figure = [...document.querySelectorAll("figure")].find((one) => one.dataset.chart.startsWith(chart));
    const element = figure && [...figure.querySelectorAll("[data-series]")].find((one) => one.dataset.series === series);
    if (!element) return -1;
    if (element.tagName === "path") return (element.getAttribute("d").match(/[ML]/g) ?? []).length;
    return element.querySelectorAll("rect, circle").length;
  }, [chart, series]);
const finite = (list) => list.filter((x) => Number.isFinite(x)).length;

const names = ["one", "two", "saddle", "many", "vector", "minimize", "compare", "line", "plane", "ditch", "quoted", "training", "layers", "random", "network", "hostile", "holes", "void", "empty"];
for (const name of names) {
  check(`${name}: under 6 MB`, statSync(file(`${name}.html`)).size < 6e6);
  for (const scheme of ["light", "dark"]) {
    const tab = await open(name, { colorScheme: scheme });
    await tab.evaluate(axe);
    const faults = await tab.evaluate(async () =>
      (await globalThis.axe.run()).violations
        .filter((v) => v.impact === "serious" || v.impact === "critical")
        .map((v) => `${v.id} at ${v.nodes[0].target}`),
    );
    equal(`${name}, ${scheme}: axe`, faults.join("; "), "");
    await quiet(tab, name);
    await tab.close();
  }
  const phone = await open(name, { viewport: { width: 360, height: 740 } });
  const width = await phone.evaluate(() => document.documentElement.scrollWidth);
  check(`${name}: fits a phone`, width <= 360, `${width} pixels wide`);
  await phone.close();
}

for (const name of ["one", "two"]) {
  const tab = await open(name);
  const result = embedded(name);
  for (const slice of result.slices.lines) {
    const chart = name === "one" ? "f against" : `The function ${slice.label}`;
    equal(`${name}: ${slice.label}`, await drawn(tab, chart, "function"), finite(slice.value));
  }
  equal(`${name}: eigenvalues`, await drawn(tab, "Curvature along", "eigenvalue"), result.eigenvalues.all.length);
  await tab.close();
}
{
  const tab = await open("two");
  equal("map: contours of function and model", await tab.locator("path.contour").count() % 2, 0);
  check("map: contours drawn", (await tab.locator("path.contour.true").count()) > 5);
  equal("map: eigenvectors", await tab.locator("line[data-eigenvector]").count(), 2);
  equal("map: walk of 30 steps", await drawn(tab, "Map", "gradient descent"), 31);
  const path = () => tab.locator('path[data-series="gradient descent"]').getAttribute("d");
  const before = await path();
  const slider = tab.locator('[data-slider="learning rate"]');
  await slider.focus();
  for (let k = 0; k < 20; ++k) await slider.press("ArrowLeft");
  check("map: the rate slider moves the walk", (await path()) !== before);
  await slider.press("End");
  check("map: a rate above the limit is said to diverge", (await tab.locator("figure.plane .readout").textContent()).includes("diverges"));
  await tab.locator('[data-slider="steps"]').focus();
  await tab.locator('[data-slider="steps"]').press("Home");
  equal("map: no step, one point", await drawn(tab, "Map", "gradient descent"), 1);
  await tab.locator("[data-play]").click();
  await tab.waitForTimeout(700);
  check("map: play walks", (await drawn(tab, "Map", "gradient descent")) > 2);
  await tab.locator("[data-play]").click();
  const contraction = tab.locator('[data-slider="contraction rate"]');
  await contraction.focus();
  await contraction.press("End");
  check("contraction: above the limit it diverges", (await tab.locator("#contraction > .readout").textContent()).includes("Diverges"));
  const back = () => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await back();
  await tab.locator("[data-theme-switch]").click();
  check("theme switches", (await back()) !== light);
  await tab.locator("[data-explain-switch]").click();
  equal("explanations hide", await tab.locator(".explain:visible").count(), 0);
  await tab.locator("figure.chart:not(.plane):not(.surface) svg[tabindex]").first().focus();
  await tab.keyboard.press("ArrowRight");
  check("arrow keys read values", (await tab.locator("figure.chart:not(.plane):not(.surface) .readout").first().textContent()).includes("function"));
  await quiet(tab, "two");
  await tab.close();
}
{
  // The walk in the page against the recurrence on the model, in this file's own arithmetic.
  const result = embedded("two");
  const [g, H, rate] = [result.gradient.vector, result.hessian, 0.9 * result.learning_rate.fastest_fixed];
  let at = [0, 0];
  for (let k = 0; k < 30; ++k) at = at.map((s, i) => s - rate * (g[i] + H[i][0] * at[0] + H[i][1] * at[1]));
  const value = result.value + g[0] * at[0] + g[1] * at[1] + (at[0] * (H[0][0] * at[0] + H[0][1] * at[1]) + at[1] * (H[1][0] * at[0] + H[1][1] * at[1])) / 2;
  const tab = await open("two");
  const said = Number((await tab.locator("figure.plane .readout").textContent()).match(/model's value is (\S+)/)[1].replace("\u2212", "-"));
  check("map: the replay is the recurrence", Math.abs(said - value) < 1e-4 * Math.abs(value), `${said} and ${value}`);
  await tab.close();
}
{
  const tab = await open("many");
  const result = embedded("many");
  equal("many: density", await drawn(tab, "Spectral density", "density"), result.density.density.filter((d) => d > 0).length);
  equal("many: eigenvalues", await drawn(tab, "Curvature along", "eigenvalue"), 30);
  equal("many: stability limit", await tab.locator('[data-rule^="stability limit"]').count(), 1);
  await tab.close();
}
{
  const tab = await open("vector");
  equal("vector: singular values", await drawn(tab, "Singular values", "singular value"), embedded("vector").singular_values.length);
  await tab.close();
}
for (const name of ["minimize", "compare"]) {
  const tab = await open(name);
  const result = embedded(name);
  for (const one of result.runs ?? [result]) {
    const positive = one.iterations.filter((it) => it.gradient_norm > 0).length;
    const points = await drawn(tab, "Slope on the way", one.method);
    check(`${name}: ${one.method}`, positive <= 2000 ? points === positive : points > 400 && points <= 2004, `${points} of ${positive}`);
  }
  await tab.locator('input[value="seconds"]').check();
  check(`${name}: axis in seconds`, (await tab.locator("#walk .axis-title").allTextContents()).some((text) => text.startsWith("time in seconds")));
  await quiet(tab, name);
  await tab.close();
}
{
  const tab = await open("hostile");
  equal("hostile: no element from a name", await tab.locator("img, main b").count(), 0);
  equal("hostile: title is text", await tab.locator("h1").textContent(), hostile);
  equal("hostile: warning is text", await tab.locator(".warnings li").textContent(), hostile);
  await tab.close();
  const holed = await open("holes");
  check("holes: said, not broken", (await holed.locator("main").textContent()).includes("None of the 2 values can be drawn"));
  await holed.close();
  const empty = await open("empty");
  check("empty: said", (await empty.locator("main").textContent()).includes("There is no data to draw here"));
  await empty.close();
}

// Cells of a surface: squares of the grid with four finite corners.
function cells(rows) {
  let number = 0;
  for (let j = 0; j + 1 < rows.length; ++j) {
    for (let i = 0; i + 1 < rows[j].length; ++i) {
      if ([rows[j][i], rows[j][i + 1], rows[j + 1][i], rows[j + 1][i + 1]].every(Number.isFinite)) ++number;
    }
  }
  return number;
}
const cellsDrawn = (tab) => tab.locator("figure.surface path.cell").count();
const sections = (list) => list.filter(Number.isFinite).length;
{
  // The function itself: what was computed is what is walked.
  const tab = await open("two");
  const result = embedded("two");
  equal("surface: cells", await cellsDrawn(tab), cells(result.slices.plane.value));
  const shape = () => tab.locator("figure.surface path.cell").first().getAttribute("d");
  const before = await shape();
  await tab.locator('[data-slider="turn"]').focus();
  await tab.keyboard.press("ArrowRight");
  check("surface: the slider turns it", (await shape()) !== before);
  const after = await shape();
  await tab.locator("figure.surface svg").focus();
  await tab.keyboard.press("ArrowLeft");
  check("surface: arrow keys turn it", (await shape()) !== after);
  await tab.locator('input[value="function"]').check();
  const rate = Number(await tab.locator('[data-slider="learning rate"]').inputValue());
  const nearest = (method) => result.slices.walks.filter((walk) => walk.method === method).sort((p, q) => Math.abs(p.learning_rate - rate) - Math.abs(q.learning_rate - rate))[0];
  for (const [method, series] of [["gradient descent", "gradient descent"], ["momentum", "momentum"], ["Newton", "Newton step"]]) {
    equal(`true walk: ${method}`, await drawn(tab, "Map", series), Math.min(31, nearest(method).points.length));
  }
  const said = Number((await tab.locator("figure.plane .readout").textContent()).match(/f = (\S+) by gradient/)[1].replace("\u2212", "-"));
  const walk = nearest("gradient descent");
  check("true walk: its value", Math.abs(said - walk.value[Math.min(30, walk.value.length - 1)]) <= 1e-5 * Math.abs(said), String(said));
  await tab.locator('[data-slider="steps"]').focus();
  await tab.keyboard.press("Home");
  await tab.locator("figure.plane [data-play]").click();
  await tab.waitForTimeout(700);
  check("true walk: plays", (await drawn(tab, "Map", "gradient descent")) > 2);
  equal("contraction: points", await drawn(tab, "What one step", (await tab.locator("#contraction [data-series]").first().getAttribute("data-series"))), 126);
  await quiet(tab, "two, function");
  await tab.close();
}
{
  // One step of gradient descent in this file's own arithmetic against the walk that was computed.
  const walk = embedded("two").slices.walks[0];
  const [x, y] = walk.points[0];
  const gradient = [-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)];
  const next = [x - walk.learning_rate * gradient[0], y - walk.learning_rate * gradient[1]];
  check("true walk: a step is w - rate g", Math.hypot(next[0] - walk.points[1][0], next[1] - walk.points[1][1]) < 1e-12);
}
{
  const tab = await open("line");
  const result = embedded("line").landscape;
  equal("line: values", await drawn(tab, "The function along", "function"), finite(result.value));
  equal("line: model", await drawn(tab, "The function along", "quadratic model at 0"), result.axes[0].t.length);
  await tab.close();
}
for (const name of ["plane", "ditch", "random"]) {
  const tab = await open(name);
  const result = embedded(name).landscape;
  equal(`${name}: cells`, await cellsDrawn(tab), cells(result.value));
  check(`${name}: contours`, (await tab.locator("path.contour.true").count()) > 5);
  await tab.close();
}
{
  // A bowl's contours are circles, in the page's own coordinates.
  const tab = await open("plane");
  const off = await tab.evaluate(() => {
    const frame = document.querySelector("figure.plane rect.frame");
    const [x0, y0, side] = ["x", "y", "width"].map((name) => Number(frame.getAttribute(name)));
    let worst = 0;
    let points = 0;
    for (const path of document.querySelectorAll("path.contour.true")) {
      const level = Number(path.dataset.level);
      if (level > 0.95 || level < 0.05) continue;  // cut by the frame, or smaller than a cell
      for (const [, px, py] of path.getAttribute("d").matchAll(/[ML]([-\d.]+),([-\d.]+)/g)) {
        const [u, v] = [(2 * (px - x0)) / side - 1, 1 - (2 * (py - y0)) / side];
        if (Math.abs(u) > 0.99 || Math.abs(v) > 0.99) continue;  // d3 closes the outside along the edge
        worst = Math.max(worst, Math.abs(Math.hypot(u, v) - Math.sqrt(level)));
        ++points;
      }
    }
    return [worst, points];
  });
  check("bowl: contours are circles", off[0] < 0.005 && off[1] > 300, String(off));
  equal("bowl: lowest place is the middle", await tab.evaluate(() => {
    const [ring, dot] = ["circle.start", "[data-lowest]"].map((one) => document.querySelector(one));
    return ring.getAttribute("cx") === dot.getAttribute("cx") && ring.getAttribute("cy") === dot.getAttribute("cy");
  }), true);
  await tab.close();
}
{
  const tab = await open("ditch");
  check("ditch: what is not defined is said", (await tab.locator("main").textContent()).includes("infinite, not defined"));
  await tab.close();
  const quotes = await open("quoted");
  check("quoted: the file's name is text", (await quotes.locator("main").textContent()).includes(quoted));
  equal("quoted: no element from it", await quotes.locator("main b").count(), 0);
  await quotes.close();
  const nothing = await open("void");
  check("void: said, not broken", (await nothing.locator("main").textContent()).includes("No value of this plane is finite"));
  check("void: the run was stopped", (await nothing.locator("main").textContent()).includes("Only 0 of"));
  await nothing.close();
}
for (const name of ["minimize", "compare", "training"]) {
  const tab = await open(name);
  const result = embedded(name);
  for (const one of result.paths.runs) equal(`${name}: walk of ${one.method}`, await drawn(tab, "Walks", one.method), one.coordinates.length);
  equal(`${name}: surface under it`, await cellsDrawn(tab), cells(result.paths.plane.value));
  await tab.locator('[data-slider="point of the walk"]').focus();
  await tab.keyboard.press("Home");
  equal(`${name}: back at the start`, await drawn(tab, "Walks", result.paths.runs[0].method), 1);
  await tab.locator("#paths [data-play]").click();
  await tab.waitForTimeout(600);
  check(`${name}: the walk plays`, (await drawn(tab, "Walks", result.paths.runs[0].method)) > 2);
  await quiet(tab, `${name}, walk`);
  await tab.close();
}
{
  const tab = await open("training");
  const result = embedded("training");
  const tracked = result.iterations.filter((it) => Number.isFinite(it.lambda_max));
  check("training: curvature was tracked", tracked.length > 5);
  equal("training: largest eigenvalue", await drawn(tab, "Largest curvature", "λmax"), tracked.length);
  equal("training: 2/rate", await drawn(tab, "Largest curvature", "2/learning rate"), tracked.filter((it) => it.learning_rate > 0).length);
  equal("training: values", await drawn(tab, "Value on the way", result.method), result.iterations.length);
  const [a, b] = result.paths.explained;
  check("training: principal shares", a >= b && a + b <= 1 + 1e-12 && a + b > 0.5, `${a} and ${b}`);
  const end = result.paths.runs[0].coordinates.at(-1);
  check("training: the walk ends at the origin", Math.hypot(...end) < 1e-9 * Math.hypot(...result.paths.runs[0].coordinates[0]));
  await tab.close();
}
{
  const tab = await open("layers");
  const result = embedded("layers");
  equal("layers: rows", await tab.locator("#layers tbody tr").count(), result.per_layer.length);
  for (const slice of result.slices.lines) {
    equal(`layers: ${slice.label}`, await drawn(tab, `The function ${slice.label}`, "function"), sections(slice.value));
  }
  check("layers: both ends of the spectrum are sliced", ["top", "bottom"].every((kind) => result.slices.lines.some((slice) => slice.kind === kind)));
  await tab.close();
}
{
  const tab = await open("network");
  equal("network: three parts", await tab.locator(".part").count(), 3);
  equal("network: contents lead to them", await tab.locator("nav a").count(), 3);
  const ids = await tab.evaluate(() => [...document.querySelectorAll("[id]")].map((one) => one.id));
  equal("network: every id once", new Set(ids).size, ids.length);
  await tab.locator("[data-theme-switch]").click();
  await quiet(tab, "network");
  const loaded = await tab.evaluate(() => performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd);
  check("network: loads within a second", loaded < 1000 || process.env.KAPPA_SLOW, `${loaded} ms`);
  await tab.close();
}

if (shots) {
  mkdirSync(shots, { recursive: true });
  for (const [name, colorScheme, width] of [["two", "light", 1000], ["two", "dark", 390], ["plane", "light", 390], ["random", "dark", 1000], ["training", "light", 1000], ["many", "dark", 1000], ["compare", "light", 390], ["one", "light", 1000]]) {
    const tab = await open(name, { colorScheme, viewport: { width, height: width < 500 ? 1600 : 1300 } });
    await tab.screenshot({ path: join(shots, `${name}-${colorScheme}-${width}.png`) });
    await tab.close();
  }
}
await browser.close();
console.log(`${checks} checks, ${failures} failed; pages in ${folder}`);
process.exit(failures > 0 ? 1 : 0);
