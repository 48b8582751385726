// The options of the page: fields, the linter's options made of them, and what a share link keeps.

import type { Options } from "../../types/options.ts";
import { byId } from "./dom.ts";

/** Fields by the options of the linter, so that a new option without a field does not compile. */
const OF_OPTION: Record<Exclude<keyof Options, "var-files">, { field: string; read: (text: string) => unknown }> = {
  for: { field: "for", read: text },
  kind: { field: "kind", read: text },
  "platform-version": { field: "platform", read: text },
  "launch-type": { field: "launch", read: text },
  region: { field: "region", read: text },
  select: { field: "select", read: words },
  ignore: { field: "ignore", read: words },
  params: { field: "params", read: (value) => pairs("parameters", value) },
  vars: { field: "vars", read: (value) => pairs("variables", value) },
  severity: { field: "severity", read: (value) => pairs("severities", value) },
  accept: { field: "accept", read: lines },
  sidecars: { field: "sidecars", read: text },
  "image-facts": { field: "facts", read: facts },
};
const FIELDS = Object.values(OF_OPTION).map(({ field }) => field);
type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** The fields that are not empty, by name. */
export function readFields(): Record<string, string> {
  const values = FIELDS.map((field) => [field, control(field).value.trim()] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== ""));
}

/** Fills all fields; those without a value become empty. */
export function writeFields(values: Record<string, string>): void {
  for (const field of FIELDS) control(field).value = values[field] ?? "";
}

/** Calls back on every change of a field. */
export function onFieldChange(changed: () => void): void {
  for (const field of FIELDS) control(field).addEventListener("input", changed);
}

/** The linter's options; throws where a field cannot be read. `acceptance` reads a line of `accept`. */
export function linterOptions(acceptance: (line: string) => object): object {
  const values = readFields();
  const options: Record<string, unknown> = {};
  for (const [option, { field, read }] of Object.entries(OF_OPTION)) {
    const value = values[field];
    if (value !== undefined) options[option] = read(value);
  }
  if (options["accept"]) options["accept"] = (options["accept"] as string[]).map(acceptance);
  return options;
}

function control(field: string): Control {
  return byId(`option-${field}`, HTMLElement) as Control;
}

function text(value: string): string {
  return value;
}

function lines(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== "");
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

function pairs(name: string, text: string): Record<string, string> {
  return Object.fromEntries(
    lines(text).map((line) => {
      const at = line.indexOf("=");
      if (at < 1) throw new Error(`${name}: "${line.trim()}" has no name and "=" in front of its value`);
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}

/** Entries of image and facts, or the facts of one image, which then are about every image. */
function facts(text: string): unknown {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new Error(`image facts: ${(error as Error).message}`);
  }
  if (Array.isArray(content)) return content;
  const isEntry = typeof content === "object" && content !== null && "image" in content;
  return [isEntry ? content : { image: "*", facts: content }];
}
