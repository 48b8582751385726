// The runner's protocol: commands on stdout, outputs and the summary as files named by the environment.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands (2026-11-24)

import { randomUUID } from "node:crypto";
import { appendFileSync, statSync } from "node:fs";

/** GitHub keeps 1 MiB of summary per step and drops a larger one whole. */
const SUMMARY_LIMIT = 1024 * 1024;

const CUT_NOTE =
  "\n\n> The rest is left out: GitHub shows at most 1 MiB here. The output `report` names the file with everything.\n";

/** Sets an output of the step; the delimiter cannot occur in the value. */
export function setOutput(name: string, value: string): void {
  const file = process.env["GITHUB_OUTPUT"];
  if (!file) return;
  const delimiter = `soci_${randomUUID()}`;
  appendFileSync(file, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
}

/** Adds Markdown to the job summary, cut at a line where it would be too long to be shown at all. */
export function addSummary(markdown: string): void {
  const file = process.env["GITHUB_STEP_SUMMARY"];
  if (!file) return;
  const room = SUMMARY_LIMIT - (statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  appendFileSync(file, cutToFit(markdown, room));
}

/** As many whole lines of `markdown` as fit into `room` bytes together with a note; all of it if it fits. */
export function cutToFit(markdown: string, room: number): string {
  const bytes = Buffer.from(markdown);
  if (bytes.length <= room) return markdown;
  const space = room - Buffer.byteLength(CUT_NOTE);
  if (space <= 0) return "";
  const end = bytes.lastIndexOf("\n", space - 1);
  return bytes.subarray(0, Math.max(end, 0)).toString() + CUT_NOTE;
}

/** An annotation without a place: what went wrong with the step itself. */
export function reportError(message: string): void {
  process.stdout.write(`::error title=soci::${escapeData(message)}\n`);
}

/** The same of what does not stop it. */
export function reportWarning(message: string): void {
  process.stdout.write(`::warning title=soci::${escapeData(message)}\n`);
}

/** Hides a text in the log. */
export function mask(secret: string): void {
  process.stdout.write(`::add-mask::${escapeData(secret)}\n`);
}

/** Prints `text` as a foldable group; no line of it can act as a command. */
export function printGroup(title: string, text: string): void {
  const token = randomUUID();
  const body = text.endsWith("\n") ? text : `${text}\n`;
  process.stdout.write(`::group::${escapeData(title)}\n::stop-commands::${token}\n${body}::${token}::\n::endgroup::\n`);
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
