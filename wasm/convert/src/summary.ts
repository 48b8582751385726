// What was done, for people: the job summary, annotations and the log.

import type { Done, Layer } from "./report.ts";

/** A conversion as Markdown. */
export function markdown(done: Done): string {
  const parts = [`### SOCI: ${code(done.names[0] ?? done.digest)}\n\n`];
  if (done.report === null) {
    parts.push(`Nothing to index, the image is as it was: ${plain(done.nothingToIndex ?? "")}.\n`);
    return parts.join("");
  }
  const { traffic, images } = done.report;
  parts.push(`${code(done.digest)}: ${bytes(done.lazyBytes)} of ${bytes(done.imageBytes)} are loaded lazily.\n`);
  if (traffic) {
    parts.push(
      `Came from the registry: ${bytes(traffic.received)}; went there: ${bytes(traffic.sent)}; did not have to go: ${bytes(traffic.notSent)}.\n`,
    );
  }
  if (images.every(({ changed }) => !changed)) parts.push("It was converted like that before.\n");
  for (const platform of images.flatMap((image) => image.platforms)) {
    parts.push(`\n**${plain(platform.platform)}**\n\n| layer | size | lazy |\n|---|---:|---|\n`);
    for (const layer of platform.layers) {
      parts.push(`| ${code(short(layer.digest))} | ${bytes(layer.size)} | ${plain(verdict(layer))} |\n`);
    }
  }
  if (done.names.length > 1) parts.push(`\nNames: ${done.names.map(code).join(", ")}\n`);
  return parts.join("");
}

/** The same as lines of a log. */
export function log(done: Done): string {
  const lines = [`${done.names.join(", ")} is ${done.digest}`];
  if (done.nothingToIndex !== null) lines.push(`as it was: ${done.nothingToIndex}`);
  for (const platform of done.report?.images.flatMap((image) => image.platforms) ?? []) {
    lines.push(`${platform.platform}: SOCI index ${platform.sociIndex ?? "none"}`);
    for (const layer of platform.layers) lines.push(`  ${short(layer.digest)} ${bytes(layer.size).padStart(10)}  ${verdict(layer)}`);
  }
  return lines.join("\n");
}

/** What somebody should know who only looks at annotations. */
export function warnings(done: Done): string[] {
  const found = new Set<string>();
  if (done.nothingToIndex !== null) found.add(`${done.names[0]}: ${done.nothingToIndex}; the image is as it was`);
  for (const path of done.report?.missingPrefetchFiles ?? []) found.add(`no layer has the file ${path}, which was to be fetched at once`);
  for (const layer of done.report?.images.flatMap((image) => image.platforms.flatMap(({ layers }) => layers)) ?? []) {
    if (layer.remark) found.add(`layer ${layer.digest}: ${layer.remark.message}`);
    else if (layer.outcome === "skipped" && DIFFERENT.includes(layer.reason ?? "")) found.add(`layer ${layer.digest}: ${layer.message}`);
    if (layer.outcome === "indexed" && (layer.members ?? 0) > 1) {
      found.add(`layer ${layer.digest} has several gzip members, of which soci-snapshotter before v0.14.0 reads only the first one`);
    }
  }
  return [...found];
}

/** Reasons that are no choice of whoever builds images. */
const DIFFERENT = ["looks-different", "cannot-be-unpacked", "snapshotter-refuses"];

function verdict(layer: Layer): string {
  switch (layer.outcome) {
    case "indexed":
      return `yes, zTOC of ${bytes(layer.ztocSize ?? 0)}`;
    case "reused":
      return `yes, zTOC from ${layer.from}`;
    case "skipped":
      return `no: ${layer.message}`;
  }
}

/** `12.3 MB` */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const power = Math.min(Math.floor(Math.log10(count) / 3), 4);
  return `${(count / 1000 ** power).toFixed(1)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

function short(digest: string): string {
  return digest.slice(0, digest.indexOf(":") + 13);
}

/** Text from outside as text: nothing in it acts as markup. */
function plain(text: string): string {
  return text.replaceAll(/[&<>"'`|*_[\]\\~#@!\r\n]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function code(text: string): string {
  return `<code>${plain(text)}</code>`;
}
