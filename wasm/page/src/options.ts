// The options of the page: fields, the linter's options made of them, and what a share link keeps.

import { byId } from "./dom.ts";

const FIELDS = ["kind", "platform", "select", "ignore", "params", "severity", "facts"] as const;
type Field = (typeof FIELDS)[number];
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

/** The linter's options; throws where a field cannot be read. */
export function linterOptions(): object {
  const values: Partial<Record<Field, string>> = readFields();
  return {
    ...(values.kind && { kind: values.kind }),
    ...(values.platform && { "platform-version": values.platform }),
    ...(values.select && { select: words(values.select) }),
    ...(values.ignore && { ignore: words(values.ignore) }),
    ...(values.params && { params: pairs("parameters", values.params) }),
    ...(values.severity && { severity: pairs("severities", values.severity) }),
    ...(values.facts && { "image-facts": facts(values.facts) }),
  };
}

function control(field: Field): Control {
  return byId(`option-${field}`, HTMLElement) as Control;
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

function pairs(name: string, text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  return Object.fromEntries(
    lines.map((line) => {
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
