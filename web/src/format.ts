import { isNumber } from "./result";

/** Six significant digits, without trailing zeros; a minus sign as typeset. */
export function number(x: unknown, digits = 6): string {
  if (!isNumber(x)) return "not finite";
  if (x === 0) return "0";
  const size = Math.abs(x);
  let text: string;
  if (size >= 1e7 || size < 1e-4) {
    const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
    text = `${trim(mantissa)}e${exponent.replace("+", "")}`;
  } else {
    text = trim(x.toPrecision(digits));
    if (text.includes("e")) text = String(Number(text));
  }
  return text.replaceAll("-", "\u2212");
}

const trim = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

/** For axis ticks. */
export const short = (x: number): string => number(x, 4);

/** "1,234,567" */
export const count = (x: number): string => x.toLocaleString("en-US");

export function counted(x: number, noun: string): string {
  return `${count(x)} ${noun}${x === 1 ? "" : "s"}`;
}

export function seconds(x: unknown): string {
  if (!isNumber(x)) return "unknown";
  if (x < 1e-3) return `${number(x * 1e6, 3)} µs`;
  if (x < 1) return `${number(x * 1e3, 3)} ms`;
  if (x < 120) return `${number(x, 3)} s`;
  return `${Math.floor(x / 60)} min ${Math.round(x % 60)} s`;
}
