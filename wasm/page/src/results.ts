// The right side of the page: verdicts, findings, rule pages.

import type { ContainerReport, Finding, Location, Report, TaskReport } from "../../types/report.ts";
import type { Pages } from "./checker.ts";
import { byId, element, message } from "./dom.ts";

/** Goes to a place in a file. */
export type Jump = (file: string, location: Location) => void;

const VERDICTS = { lazy: "lazy", "not-lazy": "not lazy", unknown: "unknown" } as const;

/** Shows a report; with `named`, places name their file. */
export function showResults(report: Report, pages: Pages, jump: Jump, named: boolean): void {
  several = named;
  const tasks = report.files.flatMap((file) => file.tasks);
  byId("verdicts", HTMLElement).replaceChildren(...tasks.map((task) => taskTable(task, jump)));
  const list = byId("findings", HTMLOListElement);
  const open = openRules(list);
  list.replaceChildren(...report.findings.map((finding) => findingItem(finding, pages, jump, open)));
  byId("findings-heading", HTMLElement).hidden = report.findings.length === 0;
}

/** Takes old results away. */
export function clearResults(): void {
  byId("verdicts", HTMLElement).replaceChildren();
  byId("findings", HTMLOListElement).replaceChildren();
  byId("findings-heading", HTMLElement).hidden = true;
}

/** The report in one sentence, as a screen reader says it after an edit. */
export function sentence(report: Report): string {
  const { containers, lazy, not_lazy, unknown, errors, warnings, infos } = report.summary;
  const verdicts = [
    counted(lazy, "lazy"),
    counted(not_lazy, "not lazy"),
    counted(unknown, "unknown"),
  ].filter((part) => part !== "");
  const findings = [
    counted(errors, "error", "errors"),
    counted(warnings, "warning", "warnings"),
    counted(infos, "note", "notes"),
  ].filter((part) => part !== "");
  const first =
    containers === 0
      ? "No container found"
      : `${counted(containers, "container", "containers")}: ${verdicts.join(", ")}`;
  return `${first}. ${findings.length === 0 ? "No findings" : findings.join(", ")}.`;
}

function counted(number: number, one: string, many = one): string {
  return number === 0 ? "" : `${number} ${number === 1 ? one : many}`;
}

function taskTable(task: TaskReport, jump: Jump): HTMLElement {
  const rows = task.containers.map((container) => containerRow(container, jump));
  const names = ["Container", "Lazy?", "Why"].map((name) => element("th", { scope: "col", role: "columnheader" }, name));
  // The roles are those of the elements; written out, they survive the phone's other layout.
  const table = element(
    "table",
    { role: "table" },
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...names)),
    element("tbody", { role: "rowgroup" }, ...rows),
  );
  return element(
    "section",
    { class: "task", "aria-label": `Task definition ${task.id}` },
    element("h3", {}, task.id),
    element("p", {}, `${capital(task.fargate_reason)} · ${task.platform}`),
    ...(rows.length > 0 ? [table] : []),
  );
}

function containerRow(container: ContainerReport, jump: Jump): HTMLElement {
  const why = element("td", { role: "cell" }, ...message(container.headline));
  if (container.next !== undefined && container.next !== null) why.append(element("p", { class: "help" }, ...message(container.next)));
  const reason = container.reasons[0];
  if (reason) why.append(jumpButton(reason.file, reason.location, `${reason.code}, container ${container.name}`, jump));
  const name = element("th", { scope: "row", role: "rowheader" }, container.name);
  if (container.image) name.append(element("span", { class: "image" }, container.image));
  if (container.condition) name.append(element("span", { class: "image" }, `if ${container.condition}`));
  return element("tr", { role: "row" }, name, element("td", { role: "cell" }, badge(container.verdict, VERDICTS[container.verdict])), why);
}

function findingItem(
  finding: Finding,
  pages: Pages,
  jump: Jump,
  open: Set<string>,
): HTMLElement {
  const head = element(
    "div",
    { class: "finding-head" },
    badge(finding.severity, finding.severity),
    element("span", { class: "code" }, `${finding.code} ${finding.name}`),
  );
  if (finding.location) head.append(jumpButton(finding.file, finding.location, finding.code, jump));
  const item = element("li", {}, head, element("p", { class: "message" }, ...message(finding.message)));
  if (finding.help) item.append(element("p", { class: "help" }, ...message(finding.help)));
  if (finding.related && finding.related.length > 0) {
    const related = finding.related.map((place) =>
      element("li", {}, element("span", {}, ...message(place.message)), jumpButton(place.file, place.location, place.message, jump)),
    );
    item.append(element("ul", { class: "related" }, ...related));
  }
  item.append(ruleDetails(finding.code, pages, open.has(finding.code)));
  return item;
}

/** A rule's page, built when it is opened for the first time. */
function ruleDetails(code: string, pages: Pages, open: boolean): HTMLElement {
  const details = element("details", { class: "rule", "data-code": code }, element("summary", {}, `About ${code}`));
  let filled = false;
  const fill = async (): Promise<void> => {
    if (filled) return;
    filled = true;
    try {
      const { renderMarkdown } = await import("./markdown.ts");
      // The first line is the title, which stands above already.
      const page = ((await pages())[code] ?? "").replace(/^# .*\n/, "");
      details.append(...renderMarkdown(page, 3));
    } catch (error) {
      details.append(element("p", {}, `The page cannot be loaded: ${(error as Error).message}`));
    }
  };
  details.addEventListener("toggle", () => {
    if (details.open) void fill();
  });
  if (open) {
    details.open = true;
    void fill();
  }
  return details;
}

/** Codes whose pages are open, so that an edit does not close what is being read. */
function openRules(list: HTMLElement): Set<string> {
  const open = list.querySelectorAll<HTMLElement>("details[open][data-code]");
  return new Set([...open].map((details) => details.dataset["code"] ?? ""));
}

/** Whether there is more than one file, so that places have to name theirs. */
let several = false;

function jumpButton(file: string, location: Location, about: string, jump: Jump): HTMLElement {
  const { line } = location.start;
  const place = several ? `${file}, line ${line}` : `line ${line}`;
  const button = element("button", { type: "button", class: "jump", "aria-label": `Go to ${place}: ${about}` }, place);
  button.addEventListener("click", () => jump(file, location));
  return button;
}

function badge(kind: string, text: string): HTMLElement {
  return element("span", { class: `badge ${kind}` }, text);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
