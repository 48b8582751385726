// What is known of an image, as a person reads it.

import { byId, element, message } from "../dom.ts";
import { bytes, type Image, type ImageFacts, type LayerFacts, type LayerReport, type PlatformFacts, platformName, short } from "./facts.ts";
import type { Progress, Session } from "./session.ts";
import { filesView } from "./tree.ts";

/** The other side of the page. */
export interface Judge {
  /** The images that the shown document names. */
  images(): string[];
  /** Judges the document with these facts. */
  useFacts(facts: string): void;
}

const REASONS: Record<string, string> = {
  "no-soci-index": "the image has no SOCI index",
  zstd: "zstd cannot be indexed",
  "unsupported-compression": "its compression cannot be indexed",
  "not-a-layer": "no layer by its media type",
  "left-out": "left out when the index was made",
};

/** A layer, and what will be or is of it. */
interface Row {
  layer: LayerFacts;
  lazy: boolean;
  /** Left out by choice, for its size. */
  small: boolean;
  why: string;
  spans: number | undefined;
  ztocSize: number | undefined;
}

/** The layers while they are read. */
export function progressView(): { view: HTMLElement; hashed: (bytes: number, of: number) => void; told: (layers: readonly Progress[]) => void } {
  const bar = element("progress", { max: "1", value: "0", "aria-label": "Bytes read" });
  const text = element("p", { class: "soft" }, "Looking into the file…");
  const list = element("ul", { class: "layers-on-the-way" });
  const bars: HTMLProgressElement[] = [];
  const show = (done: number, of: number): void => {
    bar.value = of === 0 ? 1 : done / of;
  };
  return {
    view: element("div", { class: "progress" }, bar, text, list),
    hashed: (done, of) => {
      show(done, of);
      text.textContent = `${bytes(done)} of ${bytes(of)} read for the layer's digest`;
    },
    told: (layers) => {
      const done = layers.reduce((sum, layer) => sum + layer.done, 0);
      const of = layers.reduce((sum, { layer }) => sum + layer.size, 0);
      show(done, of);
      const left = layers.filter(({ state }) => state === "waiting" || state === "reading").length;
      text.textContent = left === 0 ? "Looking at the layers together…" : `${bytes(done)} of ${bytes(of)} read, ${left} of ${layers.length} layers to go`;
      if (bars.length === 0) {
        for (const { layer } of layers) {
          const own = element("progress", { max: "1", value: "0", "aria-label": `Layer ${short(layer.digest)}` });
          bars.push(own);
          list.append(element("li", {}, element("code", {}, short(layer.digest)), own, element("span", { class: "size" }, bytes(layer.size))));
        }
      }
      layers.forEach(({ done: own, layer }, index) => {
        const shown = bars[index];
        if (shown) shown.value = layer.size === 0 ? 1 : own / layer.size;
      });
    },
  };
}

/** An image of several, with a menu for the others. */
export function imagesView(session: Session, name: string, withFiles: boolean, judge: Judge): HTMLElement {
  const place = element("div", {});
  const menu = element("select", {}, ...session.images.map((image, index) => element("option", { value: String(index) }, image.names[0] ?? short(image.now.root.digest))));
  const show = (): void => {
    const index = Number(menu.value);
    const image = session.images[index];
    if (image) place.replaceChildren(imageView(session, index, image, name, withFiles, judge));
  };
  menu.addEventListener("change", show);
  show();
  const several = session.images.length > 1 ? [element("label", { class: "field" }, "Image ", menu)] : [];
  return element("div", {}, ...several, place);
}

function imageView(session: Session, index: number, image: Image, name: string, withFiles: boolean, judge: Judge): HTMLElement {
  const facts = image.converted ?? image.now;
  const platforms = facts.platforms;
  const place = element("div", {});
  const menu = element("select", {}, ...platforms.map((platform, at) => element("option", { value: String(at) }, platformName(platform))));
  const show = (): void => {
    const at = Number(menu.value);
    const platform = platforms[at];
    if (platform) place.replaceChildren(platformView(session, index, at, image, platform, withFiles));
  };
  menu.addEventListener("change", show);
  show();
  const several = platforms.length > 1 ? [element("label", { class: "field" }, "Platform ", menu)] : [];
  return element(
    "div",
    {},
    verdict(session, image, name, withFiles),
    ...oddities(image),
    ...(platforms.length === 0 ? [element("p", {}, "No image for any platform is in it.")] : []),
    ...several,
    place,
    ...(session.isLayer ? [] : [actions(session, index, image, name, withFiles, judge)]),
  );
}

/** The first thing that is seen: what is, and what could be. */
function verdict(session: Session, image: Image, name: string, withFiles: boolean): HTMLElement {
  const { now, converted } = image;
  const isLazy = now.totals.lazyLayers > 0;
  const lines: HTMLElement[] = [];
  if (!session.isLayer) {
    lines.push(
      element(
        "p",
        { class: "headline" },
        element("span", { class: `badge ${isLazy ? "lazy" : "not-lazy"}` }, isLazy ? "lazy" : "not lazy"),
        isLazy ? ` ${share(now)} of it is loaded lazily.` : ` As it is, all of its ${bytes(now.totals.layerBytes)} are pulled before a container starts: ${nowReason(now)}.`,
      ),
    );
  }
  if (converted && (!isLazy || converted.totals.lazyBytes !== now.totals.lazyBytes)) {
    const what = session.isLayer ? "The layer can be loaded lazily" : `Once converted, ${share(converted)} of it ${isLazy ? "are" : "is"} loaded lazily`;
    lines.push(element("p", { class: "headline" }, element("span", { class: "badge lazy" }, session.isLayer ? "lazy" : "can be lazy"), ` ${what}; the index is ${bytes(converted.totals.ztocBytes)}.`));
    if (!session.isLayer && withFiles) lines.push(command(`cargo soci convert ${shell(name)} ${shell(soci(name))}`));
  } else if (!converted && withFiles) {
    lines.push(element("p", { class: "headline" }, element("span", { class: "badge not-lazy" }, "not lazy"), ` ${sentence(image.problem ?? "nothing of it can be")}`));
  }
  if (session.isOfEngine && now.platforms.some(({ layers }) => layers.some(({ compression }) => compression === "uncompressed"))) {
    lines.push(element("p", { class: "soft" }, "An engine keeps layers uncompressed: a push compresses them, and so does the conversion. In a registry they are smaller than here, with other digests."));
  }
  return element("div", { class: "image-verdict" }, ...lines);
}

function nowReason(facts: ImageFacts): string {
  const soci = facts.platforms.find((platform) => platform.soci)?.soci;
  if (!soci) return "it has no SOCI index";
  if (!soci.usable) return "clients do not take its SOCI index";
  return soci.version === "v1" ? "its SOCI index is of version 1, which is off by default" : "no layer has a zTOC";
}

function share({ totals }: ImageFacts): string {
  // Rounded down: all is 100 % only if it is all.
  const percent = totals.layerBytes === 0 ? 0 : Math.floor((1000 * totals.lazyBytes) / totals.layerBytes) / 10;
  return `${bytes(totals.lazyBytes)} of ${bytes(totals.layerBytes)} (${percent} %)`;
}

function oddities({ oddities: all }: Image): HTMLElement[] {
  if (all.length === 0) return [];
  const items = all.map(({ text, harmful }) => element("li", {}, element("span", { class: `badge ${harmful ? "error" : "info"}` }, harmful ? "error" : "note"), " ", ...message(text)));
  return [element("ul", { class: "oddities", "aria-label": "What is odd about it" }, ...items)];
}

function platformView(session: Session, index: number, at: number, image: Image, platform: PlatformFacts, withFiles: boolean): HTMLElement {
  const reports = new Map(image.report?.images[0]?.platforms.flatMap(({ layers }) => layers).map((layer) => [layer.digest, layer]));
  const rows = platform.layers.map((layer) => rowOf(layer, image, platform, reports.get(layer.digest)));
  const files = element("div", {}, ...(withFiles ? [element("p", { class: "soft" }, "Looking at the files…")] : []));
  if (withFiles) void showFiles(files, session, index, at, rows);
  return element("div", {}, strip(rows), table(session, index, rows), ...remarks(reports, platform), files);
}

function rowOf(layer: LayerFacts, image: Image, platform: PlatformFacts, report: LayerReport | undefined): Row {
  const taken = image.converted !== undefined || (platform.soci?.usable === true && platform.soci.version === "v2");
  const good = layer.ztoc !== undefined && layer.ztoc.state !== "missing" && layer.ztoc.state !== "unreadable";
  const lazy = taken && good && !layer.missing;
  const why = layer.missing
    ? "the layer is missing or has another size"
    : (report?.message ?? image.reasons?.[layer.digest] ?? (layer.ztoc && !good ? "its zTOC is missing or damaged" : (REASONS[layer.noZtoc ?? ""] ?? "it has no zTOC")));
  return { layer, lazy, small: report?.reason === "too-small", why: lazy ? "" : why, spans: layer.ztoc && image.spans[layer.ztoc.digest], ztocSize: layer.ztoc?.size };
}

/** The layers beside each other, by their bytes. */
function strip(rows: readonly Row[]): HTMLElement {
  const all = Math.max(rows.reduce((sum, { layer }) => sum + layer.size, 0), 1);
  const parts = rows.map(({ layer, lazy }, index) => {
    const part = element("span", { class: lazy ? "part lazy" : "part", title: `layer ${index + 1}, ${bytes(layer.size)}` });
    part.style.flexGrow = String((1000 * layer.size) / all);
    return part;
  });
  return element("div", { class: "strip", "aria-hidden": "true" }, ...parts);
}

function table(session: Session, index: number, rows: readonly Row[]): HTMLElement {
  const head = ["Layer", "Size", "Lazy?", "Spans", "zTOC"].map((name) => element("th", { scope: "col", role: "columnheader" }, name));
  const body = rows.map(({ layer, lazy, small, why, spans, ztocSize }, at) => {
    const cell = (label: string, kind: string, ...children: (Node | string)[]): HTMLElement => element("td", { role: "cell", class: kind, "data-label": label }, ...children);
    const saving: (Node | string)[] = [];
    if (lazy && session.images[index]?.converted) {
      const button = element("button", { type: "button", class: "jump", "aria-label": `Save the zTOC of layer ${at + 1}` }, "Save");
      button.addEventListener("click", () => void save(session.ztoc(index, layer.digest), `${short(layer.digest)}.ztoc`));
      saving.push(" ", button);
    }
    return element(
      "tr",
      { role: "row" },
      element("th", { scope: "row", role: "rowheader" }, `${at + 1} `, element("code", { title: layer.digest }, short(layer.digest)), element("span", { class: "image" }, layer.compression)),
      cell("Size", "number", bytes(layer.size)),
      cell("Lazy?", "", element("span", { class: `badge ${lazy ? "lazy" : small ? "info" : "not-lazy"}` }, lazy ? "lazy" : small ? "comes whole" : "not lazy"), ...(why ? [element("p", { class: "help" }, sentence(why))] : [])),
      cell("Spans", "number", spans === undefined ? "–" : spans.toLocaleString("en")),
      cell("zTOC", "number", ztocSize === undefined ? "–" : bytes(ztocSize), ...saving),
    );
  });
  return element(
    "table",
    { role: "table", class: "layers" },
    element("caption", { class: "hidden" }, "Layers, the lowest first"),
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...head)),
    element("tbody", { role: "rowgroup" }, ...body),
  );
}

/** What would look different lazily, or is not known to look the same. */
function remarks(reports: ReadonlyMap<string, LayerReport>, platform: PlatformFacts): HTMLElement[] {
  const told = platform.layers.flatMap(({ digest }, at) => {
    const report = reports.get(digest);
    const text = report?.remark?.message ?? (report?.reason === "looks-different" ? report.message : undefined);
    return text === undefined ? [] : [element("li", {}, `Layer ${at + 1}: ${text}`)];
  });
  return told.length === 0 ? [] : [element("h3", {}, "What would look different lazily"), element("ul", { class: "remarks" }, ...told)];
}

async function showFiles(place: HTMLElement, session: Session, index: number, at: number, rows: readonly Row[]): Promise<void> {
  try {
    const summary = await session.files(index, at);
    if (!summary) return place.replaceChildren();
    const unknown = summary.layers.flatMap(({ known }, layer) => (known ? [] : [layer + 1]));
    const hidden = summary.layers.reduce((sum, layer) => sum + layer.hidden, 0);
    const count = summary.layers.reduce((sum, layer) => sum + layer.hiddenFiles, 0);
    const notes: HTMLElement[] = [];
    if (unknown.length > 0) notes.push(element("p", { class: "soft" }, `What is in layer ${unknown.join(", ")} is not known; it is missing below.`));
    if (hidden > 0) {
      const list = summary.hidden.map(({ layer, name, size }) => element("li", {}, element("span", { class: "size" }, bytes(size)), element("span", { class: "name" }, name), element("span", { class: "detail" }, `layer ${layer + 1}`)));
      notes.push(
        element("details", { class: "nothing" }, element("summary", {}, `Carried for nothing: ${bytes(hidden)} in ${count.toLocaleString("en")} ${count === 1 ? "file" : "files"} that something replaces or deletes`), element("ul", { class: "hidden-files" }, ...list)),
      );
    }
    const sums = element("p", { class: "soft" }, `${bytes(summary.root.size)} in ${summary.root.files.toLocaleString("en")} files once unpacked.`);
    place.replaceChildren(sums, ...notes, filesView(session, summary, rows.map(({ layer }) => layer.digest)));
    if (session.isLayer) await hintAtArchive(place, session);
  } catch (error) {
    place.replaceChildren(element("p", {}, `The files cannot be shown: ${(error as Error).message}`));
  }
}

/** A layer that holds an archive of images was compressed as a whole. */
async function hintAtArchive(place: HTMLElement, session: Session): Promise<void> {
  const names = new Set((await session.list(0)).map(({ name }) => name));
  if (names.has("manifest.json") || (names.has("index.json") && names.has("blobs"))) {
    place.prepend(element("p", {}, "This looks like an archive of images that was compressed as a whole. Unpack it first (", element("code", {}, "gunzip"), ") and open what comes out."));
  }
}

/** What can be done with what is known. */
function actions(session: Session, index: number, image: Image, name: string, withFiles: boolean, judge: Judge): HTMLElement {
  const told = element("p", { class: "soft", role: "status", "aria-live": "polite" });
  const which = element(
    "select",
    { id: "facts-which" },
    ...(image.converted ? [element("option", { value: "converted" }, "once converted")] : []),
    element("option", { value: "now" }, "as it is"),
  );
  const named = judge.images();
  const target = element("select", {}, element("option", { value: "*" }, "every image of the document"), ...named.map((reference) => element("option", { value: reference }, reference)));
  const [only] = named;
  if (named.length === 1 && only !== undefined) target.value = only;
  const text = async (): Promise<string> => {
    if (withFiles) return (await session.facts(index, which.value === "converted")) ?? "";
    return `${JSON.stringify(image.now, null, 2)}\n`;
  };
  const use = element("button", { type: "button", class: "primary" }, "Use these facts");
  use.addEventListener("click", async () => {
    const facts: unknown = JSON.parse(await text());
    judge.useFacts(JSON.stringify([{ image: target.value, facts }]));
    told.textContent = "The document is judged with them.";
    byId("results-heading", HTMLElement).scrollIntoView({ block: "center" });
  });
  const keep = element("button", { type: "button" }, "Save the facts");
  keep.addEventListener("click", async () => void save(Promise.resolve(await text()), `${name.replace(/\.[a-z.]+$/i, "") || "image"}-facts.json`));
  return element(
    "section",
    { class: "use-facts", "aria-labelledby": "use-heading" },
    element("h3", { id: "use-heading" }, "Judge the document with this image"),
    element("div", { class: "bar" }, element("label", { class: "field" }, "The image ", which), element("label", { class: "field" }, "stands for ", target), use, keep),
    told,
  );
}

async function save(content: Promise<string | Uint8Array<ArrayBuffer> | undefined>, name: string): Promise<void> {
  const part = await content;
  if (part === undefined) return;
  const url = URL.createObjectURL(new Blob([part], { type: "application/octet-stream" }));
  element("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}

/** A command with a button that copies it. */
function command(text: string): HTMLElement {
  const button = element("button", { type: "button", class: "jump" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it";
    }
  });
  return element("div", { class: "command" }, element("code", {}, text), button);
}

/** As one word of a shell. */
function shell(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Where the converted image goes. */
function soci(name: string): string {
  return name.endsWith(".tar") ? `${name.slice(0, -4)}-soci.tar` : `${name}-soci`;
}

function sentence(text: string): string {
  const end = /[.!?]$/.test(text) ? "" : ".";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${end}`;
}
