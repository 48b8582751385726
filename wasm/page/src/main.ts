// The page: wires the document, the linter and the results together. The document is first a plain text
// area; the editor is loaded when there is a text for it or somebody goes there.

import type { Kind, Report } from "../../types/report.ts";
import { type Checked, type Checker, type Form, loadChecker } from "./checker.ts";
import { byId, element } from "./dom.ts";
import type { Editor } from "./editor.ts";
import type { Files, Folders } from "./folder.ts";
import { EXAMPLES } from "./examples.ts";
import { linterOptions, onFieldChange, readFields, writeFields } from "./options.ts";
import { clearResults, sentence, showResults } from "./results.ts";

/** Larger documents are for the command line: here each edit checks the whole text. */
const LARGEST = 5 * 1024 * 1024;

const KINDS: readonly Kind[] = [
  "task-definition",
  "describe-output",
  "container-definitions",
  "service",
  "cloudformation",
  "terraform",
  "terraform-plan",
  "terraform-state",
  "terragrunt",
  "batch",
  "copilot",
];

/** A file as it was opened: its bytes count until the text is edited. */
interface Opened {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  text: string;
}

const status = byId("status", HTMLElement);
const notice = byId("notice", HTMLElement);
const output = byId("output", HTMLElement);
const format = byId("format", HTMLSelectElement);

let editor: Editor = plainEditor(byId("fallback", HTMLTextAreaElement));
let checker: Checker | undefined;
let checked: Checked | undefined;
let opened: Opened | undefined;
/** Several files or a folder, by path; the shown one is among them. */
let files: Files | undefined;
let folders: Folders | undefined;
let timer: number | undefined;
let editorLoads: Promise<void> | undefined;
let lastCheck = 0;

async function start(): Promise<void> {
  fillMenus();
  listen();
  await fromHash();
  checker = await loadChecker();
  byId("version", HTMLElement).textContent = `soci-lint ${checker.version}, ${checker.rules} rules.`;
  check();
}

/** Puts the editor in the place of the text area, once. */
function wantEditor(): void {
  editorLoads ??= loadEditor().catch((error: unknown) => {
    // The text area goes on working.
    notice.textContent = `The editor cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
    notice.classList.remove("hidden");
  });
}

async function loadEditor(): Promise<void> {
  const { createEditor } = await import("./editor.ts");
  const host = byId("document", HTMLElement);
  const area = byId("fallback", HTMLTextAreaElement);
  const caret = area.selectionStart;
  const text = editor.text();
  const focused = document.activeElement === area;
  area.remove();
  editor = createEditor(host, text, changed);
  if (focused) editor.focus(caret);
  if (opened) opened.text = editor.text();
  check();
}

/** Checks what stands there now. */
function check(): void {
  if (!checker) return;
  const text = editor.text();
  checked = undefined;
  if (files === undefined && text.trim() === "") {
    say("Nothing to check yet.");
    nothingChecked();
    return;
  }
  const source = opened?.text === text ? opened : { name: opened?.name ?? "document", bytes: new TextEncoder().encode(text) };
  if (source.bytes.length > LARGEST) {
    say("This document is larger than 5 MiB; check it with `cargo soci lint`.");
    nothingChecked();
    return;
  }
  const before = performance.now();
  try {
    const options = linterOptions(checker.acceptance);
    files?.set(source.name, source.bytes);
    checked = files && folders ? checker.checkFiles([...files.keys()], folders, options) : checker.check(source.name, source.bytes, options);
  } catch (error) {
    say(`The ${files ? "files or options" : "options"} cannot be used: ${(error as Error).message}`);
    nothingChecked();
    return;
  } finally {
    lastCheck = performance.now() - before;
  }
  show(checked.report, checker.pages);
}

function show(report: Report, pages: Checker["pages"]): void {
  editor.setMarks(
    report.findings.flatMap(({ file, location, severity, code, message, help }) =>
      location && (files === undefined || file === opened?.name) ? [{ location, severity, message: `${code}: ${message}${help ? `\n${help}` : ""}` }] : [],
    ),
  );
  showResults(report, pages, (file, location) => {
    if (file !== opened?.name) showFile(file);
    editor.jump(location);
  }, files !== undefined);
  say(sentence(report));
  const kind = (report.files.find(({ path }) => path === opened?.name) ?? report.files[0])?.kind;
  byId("kind", HTMLElement).textContent = kind ? `Read as: ${kind}.` : "";
  showOutput();
}

function nothingChecked(): void {
  editor.setMarks([]);
  clearResults();
  byId("kind", HTMLElement).textContent = "Type, paste, or drop files, a folder or an image here.";
  showOutput();
}

/** After an edit: soon, and later where a check takes long. */
function changed(): void {
  clearTimeout(timer);
  timer = setTimeout(check, Math.min(Math.max(40, 3 * lastCheck), 1500));
}

/** Tells a screen reader only what is new. */
function say(text: string): void {
  if (status.textContent !== text) status.textContent = text;
}

function open(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  files = undefined;
  byId("files-field", HTMLElement).hidden = true;
  if (bytes.length > LARGEST) {
    say(`${name} is larger than 5 MiB; check it with \`cargo soci lint\`.`);
    return;
  }
  put(name, bytes);
  check();
}

/** Puts a file into the editor. */
function put(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  // Bytes that are no UTF-8 become marks here, and a finding of the linter, which gets the bytes.
  editor.setText(new TextDecoder().decode(bytes));
  wantEditor();
  opened = { name, bytes, text: editor.text() };
}

/** Checks several files or a folder, and shows the first that has something to say about it. */
function openFiles(all: Files, searched: Folders): void {
  const [only, ...more] = all;
  if (only === undefined) return say("There is no file in it.");
  if (more.length === 0) return open(only[0].split("/").at(-1) ?? "", only[1]);
  files = all;
  folders = searched;
  put(...only);
  check();
  const about = checked?.report.findings.find(({ file }) => all.has(file))?.file;
  const first = about ?? checked?.report.files.find(({ tasks }) => tasks.length > 0)?.path;
  const paths = [...all.keys()].sort();
  byId("files", HTMLSelectElement).replaceChildren(...paths.map((path) => element("option", {}, path)));
  byId("files-field", HTMLElement).hidden = false;
  showFile(first ?? only[0]);
}

/** Shows another one of several files. */
function showFile(path: string): void {
  const bytes = files?.get(path);
  if (bytes === undefined) return;
  byId("files", HTMLSelectElement).value = path;
  put(path, bytes);
  check();
}

async function openAll(list: File[], entries: FileSystemEntry[] = []): Promise<void> {
  try {
    const { imageIn, ofEntries, ofFiles, Folders } = await import("./folder.ts");
    const image = await imageIn(list, entries);
    if (image) {
      const { openImage } = await import("./image/open.ts");
      return await openImage(image, { images, useFacts });
    }
    const all = entries.length > 0 ? await ofEntries(entries) : await ofFiles(list);
    openFiles(all, new Folders(all));
  } catch (error) {
    say(`The files cannot be read: ${(error as Error).message}`);
  }
}

/** The images that the document names. */
function images(): string[] {
  const containers = checked?.report.files.flatMap(({ tasks }) => tasks).flatMap((task) => task.containers) ?? [];
  return [...new Set(containers.flatMap(({ image }) => image ?? []))];
}

function useFacts(facts: string): void {
  writeFields({ ...readFields(), facts });
  showOptionCount();
  check();
}

async function openExample(index: number): Promise<void> {
  const { TEXTS } = await import("./texts.ts");
  const [example, text] = [EXAMPLES[index], TEXTS[index]];
  if (example && text) openText(example.name, text);
}

function openText(name: string, text: string): void {
  open(name, new TextEncoder().encode(text));
}

async function fromHash(): Promise<void> {
  try {
    if (location.hash === "") return;
    const { readHash } = await import("./share.ts");
    const shared = await readHash(location.hash);
    if (!shared) return;
    writeFields(shared.options);
    showOptionCount();
    openText("document", shared.text);
  } catch (error) {
    notice.textContent = `The link cannot be read: ${(error as Error).message}`;
    notice.classList.remove("hidden");
  }
}

async function share(): Promise<void> {
  const { shareLink } = await import("./share.ts");
  const link = await shareLink(location.href, { text: editor.text(), options: readFields() });
  const field = byId("share-link", HTMLInputElement);
  field.value = link;
  byId("share-status", HTMLElement).textContent = files
    ? `Of the files, the link carries ${opened?.name ?? "the shown one"} alone.`
    : link.length > 30_000 ? `${link.length} characters: some programs cut links that long.` : "";
  byId("share-dialog", HTMLDialogElement).showModal();
  field.select();
}

function fillMenus(): void {
  const examples = byId("examples", HTMLSelectElement);
  examples.append(...EXAMPLES.map(({ title }, index) => element("option", { value: String(index) }, title)));
  const kinds = byId("option-kind", HTMLSelectElement);
  kinds.append(...KINDS.map((kind) => element("option", { value: kind }, kind)));
}

function listen(): void {
  const on = (id: string, event: string, action: () => void): void => byId(id, HTMLElement).addEventListener(event, action);
  const examples = byId("examples", HTMLSelectElement);
  examples.addEventListener("change", () => {
    void openExample(Number(examples.value || "-1"));
    examples.value = "";
  });
  const file = byId("file", HTMLInputElement);
  // The skip link and a label's click land on the frame; the text is inside.
  const host = byId("document", HTMLElement);
  host.addEventListener("focus", (event) => {
    if (event.target === host) editor.focus();
  });
  const folder = byId("folder", HTMLInputElement);
  on("open", "click", () => file.click());
  on("open-folder", "click", () => folder.click());
  for (const input of [file, folder]) {
    input.addEventListener("change", () => {
      const list = [...(input.files ?? [])];
      input.value = "";
      if (list.length > 0) void openAll(list);
    });
  }
  const menu = byId("files", HTMLSelectElement);
  menu.addEventListener("change", () => showFile(menu.value));
  onFieldChange(() => {
    showOptionCount();
    changed();
  });
  on("share", "click", () => void share());
  on("share-close", "click", () => byId("share-dialog", HTMLDialogElement).close());
  on("share-copy", "click", () => void copyText(byId("share-link", HTMLInputElement).value, "share-status"));
  on("copy", "click", () => void copyText(checked?.render(form()) ?? "", "notice"));
  on("download", "click", download);
  format.addEventListener("change", showOutput);
  byId("report", HTMLElement).addEventListener("toggle", showOutput);
  window.addEventListener("hashchange", () => void fromHash());
  listenForDrops();
}

/** Files may be dropped anywhere; the editor would otherwise insert them at the cursor. */
function listenForDrops(): void {
  const sheet = byId("drop", HTMLElement);
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  const options = { capture: true };
  document.addEventListener(
    "dragover",
    (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      sheet.hidden = false;
    },
    options,
  );
  document.addEventListener(
    "dragleave",
    (event) => {
      if (event.relatedTarget === null) sheet.hidden = true;
    },
    options,
  );
  document.addEventListener(
    "drop",
    (event) => {
      sheet.hidden = true;
      const { dataTransfer } = event;
      if (!dataTransfer || !hasFiles(event)) return;
      event.preventDefault();
      event.stopPropagation();
      // Both are gone when the event is over.
      const entries = [...dataTransfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
      void openAll([...dataTransfer.files], entries);
    },
    options,
  );
}

function showOptionCount(): void {
  const count = Object.keys(readFields()).length;
  byId("options-set", HTMLElement).textContent = count === 0 ? "" : `(${count} set)`;
}

function form(): Form {
  return format.value as Form;
}

function showOutput(): void {
  for (const id of ["copy", "download"]) byId(id, HTMLButtonElement).disabled = checked === undefined;
  if (byId("report", HTMLDetailsElement).open) output.textContent = checked?.render(form()) ?? "";
}

async function copyText(text: string, told: string): Promise<void> {
  const place = byId(told, HTMLElement);
  try {
    await navigator.clipboard.writeText(text);
    place.textContent = "Copied.";
  } catch {
    place.textContent = "The browser does not allow copying here; select the text instead.";
  }
}

function download(): void {
  if (!checked) return;
  const [ending, type] = {
    human: ["txt", "text/plain"],
    markdown: ["md", "text/markdown"],
    json: ["json", "application/json"],
  }[form()] as [string, string];
  const url = URL.createObjectURL(new Blob([checked.render(form())], { type }));
  element("a", { href: url, download: `soci-report.${ending}` }).click();
  URL.revokeObjectURL(url);
}

/** The text area as an editor without marks, until the real one is there. */
function plainEditor(area: HTMLTextAreaElement): Editor {
  area.addEventListener("focus", wantEditor);
  area.addEventListener("input", changed);
  return {
    text: () => area.value,
    setText: (text) => {
      area.value = text;
    },
    setMarks: () => {},
    jump: () => area.focus(),
    focus: () => area.focus(),
  };
}

start().catch((error: unknown) => {
  say(`The checker cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
});
