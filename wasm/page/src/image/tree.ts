// The file system of an image: a tree to walk with the keyboard, a search, and areas to look at.

import { element } from "../dom.ts";
import { bytes, type FileNode, type FilesSummary, short } from "./facts.ts";
import type { Session } from "./session.ts";
import { type Area, squarify } from "./treemap.ts";

/** Of a directory with more in it, so much is shown at first. */
const SHOWN = 100;
const SVG = "http://www.w3.org/2000/svg";
/** The areas' own units; the picture is scaled to the page. */
const [WIDTH, HEIGHT] = [1000, 320];

/** What is shown of the file system of a platform. */
export function filesView(session: Session, summary: FilesSummary, digests: readonly string[]): HTMLElement {
  const tree = element("ul", { role: "tree", "aria-label": "Files, largest first", class: "tree" });
  const found = element("div", { class: "found", hidden: "" });
  const field = element("input", { type: "search", placeholder: "torch, .so, /usr/share", autocomplete: "off", spellcheck: "false" });
  const count = element("p", { class: "count", role: "status", "aria-live": "polite" });
  const trail = element("nav", { class: "trail", "aria-label": "Directory of the picture" });
  const picture = element("div", { class: "areas" });

  const layerName = (layer: number): string => `layer ${layer + 1}`;
  const total = Math.max(summary.root.size, 1);

  function row(node: FileNode, name: string): Node[] {
    const size = element("span", { class: "size" }, bytes(node.size));
    const bar = element("span", { class: "bar-of", "aria-hidden": "true" }, element("span", {}));
    (bar.firstElementChild as HTMLElement).style.inlineSize = `${(100 * node.size) / total}%`;
    const detail = node.kind === "directory" ? `${node.files.toLocaleString("en")} files` : `${layerName(node.layer)}`;
    return [
      element("span", { class: "name" }, name, ...(node.kind === "link" ? [" (link)"] : [])),
      bar,
      size,
      element("span", { class: "detail", title: short(digests[node.layer] ?? "") }, detail),
    ];
  }

  async function fill(list: HTMLElement, node: number, level: number, from = 0): Promise<void> {
    const children = await session.list(node);
    const items = children.slice(from, from + SHOWN).map((child) => treeItem(child, level));
    list.append(...items);
    const rest = children.length - from - items.length;
    if (rest <= 0) return;
    const more = element("li", { role: "treeitem", tabindex: "-1", "aria-level": String(level), class: "more" }, element("span", { class: "row" }, `${rest.toLocaleString("en")} more…`));
    more.addEventListener("click", (event) => {
      event.stopPropagation();
      void fill(list, node, level, from + SHOWN).then(() => {
        const next = more.nextElementSibling;
        more.remove();
        if (next instanceof HTMLElement) focusItem(next);
      });
    });
    list.append(more);
  }

  function treeItem(node: FileNode, level: number): HTMLElement {
    const isFolder = node.kind === "directory" && node.node !== 0;
    const item = element(
      "li",
      { role: "treeitem", tabindex: "-1", "aria-level": String(level), "aria-expanded": isFolder ? "false" : undefined, class: node.kind },
      element("span", { class: "row" }, ...row(node, node.name)),
    );
    item.dataset["node"] = String(node.node);
    (item.firstElementChild as HTMLElement).style.setProperty("--level", String(level));
    item.addEventListener("click", (event) => {
      event.stopPropagation();
      focusItem(item);
      if (isFolder) void toggle(item, node.node, level);
    });
    return item;
  }

  async function toggle(item: HTMLElement, node: number, level: number): Promise<void> {
    const open = item.getAttribute("aria-expanded") === "true";
    item.setAttribute("aria-expanded", String(!open));
    let group = item.querySelector<HTMLElement>(":scope > ul");
    if (!group && !open) {
      group = element("ul", { role: "group" });
      item.append(group);
      await fill(group, node, level + 1);
    }
    if (group) group.hidden = open;
  }

  /** All items that can be seen, in their order. */
  const seen = (): HTMLElement[] => [...tree.querySelectorAll<HTMLElement>("[role=treeitem]")].filter((item) => item.closest("ul[hidden]") === null);

  function focusItem(item: HTMLElement): void {
    for (const other of tree.querySelectorAll("[role=treeitem][tabindex='0']")) other.setAttribute("tabindex", "-1");
    item.setAttribute("tabindex", "0");
    item.focus();
  }

  tree.addEventListener("keydown", (event) => {
    const item = (event.target as HTMLElement).closest<HTMLElement>("[role=treeitem]");
    if (!item) return;
    const items = seen();
    const at = items.indexOf(item);
    const expanded = item.getAttribute("aria-expanded");
    const go = (target: Element | null | undefined): void => {
      if (target instanceof HTMLElement) focusItem(target);
    };
    switch (event.key) {
      case "ArrowDown": go(items[at + 1]); break;
      case "ArrowUp": go(items[at - 1]); break;
      case "Home": go(items[0]); break;
      case "End": go(items.at(-1)); break;
      case "ArrowRight":
        if (expanded === "false") item.click();
        else if (expanded === "true") go(item.querySelector("[role=treeitem]"));
        break;
      case "ArrowLeft":
        if (expanded === "true") item.click();
        else go(item.parentElement?.closest("[role=treeitem]"));
        break;
      case "Enter":
      case " ": item.click(); break;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
  });

  /** An area with what fits into it of name and size. */
  function areaView({ item, x, y, width, height }: Area<FileNode>, named: boolean, sized: boolean): SVGGElement {
    const group = shape("g", { class: `area ${item.kind} hue-${item.layer % 8}` });
    const title = shape("title", {});
    title.textContent = `${item.path}\n${bytes(item.size)}, ${layerName(item.layer)}`;
    group.append(title, shape("rect", { x: x + 1, y: y + 1, width: Math.max(width - 2, 0.5), height: Math.max(height - 2, 0.5), rx: 3 }));
    const label = (text: string, line: number, kind: string): void => {
      const made = shape("text", { x: x + 8, y: y + 19 + 17 * line, class: kind });
      const room = Math.floor((width - 14) / 8.5);
      made.textContent = text.length > room ? `${text.slice(0, Math.max(room - 1, 1))}…` : text;
      group.append(made);
    };
    if (named) label(item.name, 0, "label");
    if (named && sized) label(bytes(item.size), 1, "amount");
    return group;
  }

  /** What is in a directory, inside its area. */
  async function inner({ item, x, y, width, height }: Area<FileNode>): Promise<Element[]> {
    const [left, top] = [x + 6, y + 44];
    const inside = shape("g", { class: "inner" });
    for (const area of squarify(await session.list(item.node), width - 12, height - 50)) {
      if (area.width < 3 || area.height < 3) continue;
      const moved = { ...area, x: left + area.x, y: top + area.y };
      inside.append(...areaView(moved, area.width > 60 && area.height > 26, false).childNodes);
    }
    return [inside];
  }

  let drawn = 0;
  async function draw(node: FileNode, way: FileNode[]): Promise<void> {
    drawn += 1;
    const mine = drawn;
    const children = await session.list(node.node);
    trail.replaceChildren(
      ...[...way, node].map((step, index) => {
        const name = step.node === 0 ? "/" : step.name;
        if (index === way.length) return element("span", { "aria-current": "true" }, `${name} ${bytes(step.size)}`);
        const button = element("button", { type: "button" }, name);
        button.addEventListener("click", () => void draw(step, way.slice(0, index)));
        return button;
      }),
    );
    const [first] = children;
    const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
    svg.setAttribute("aria-label", `${node.path || "/"} as areas; the largest is ${first ? `${first.name} with ${bytes(first.size)}` : "nothing"}. The tree below has the same.`);
    for (const area of squarify(children, WIDTH, HEIGHT)) {
      const { item, width, height } = area;
      if (width < 1 || height < 1) continue;
      const group = areaView(area, width > 60 && height > 26, height > 46);
      if (item.kind === "directory") {
        group.addEventListener("click", () => void draw(item, [...way, node]));
        if (width > 90 && height > 90) group.append(...(await inner(area)));
      }
      svg.append(group);
    }
    if (mine === drawn) picture.replaceChildren(svg);
  }

  let asked = 0;
  async function search(): Promise<void> {
    const text = field.value.trim();
    asked += 1;
    const mine = asked;
    found.hidden = text === "";
    tree.hidden = text !== "";
    if (text === "") {
      count.textContent = "";
      return;
    }
    const { count: all, first } = await session.search(text);
    if (mine !== asked) return;
    count.textContent = all === 0 ? "Nothing has that in its name." : `${all.toLocaleString("en")} found${all > first.length ? `, the largest ${first.length} shown` : ""}.`;
    found.replaceChildren(element("ul", { class: "tree flat", "aria-label": "What was found, largest first" }, ...first.map((node) => element("li", { class: node.kind }, element("span", { class: "row" }, ...row(node, node.path))))));
  }
  field.addEventListener("input", () => void search());

  void fill(tree, 0, 1).then(() => seen()[0]?.setAttribute("tabindex", "0"));
  void draw(summary.root, []);
  return element(
    "section",
    { class: "files", "aria-labelledby": "files-heading" },
    element("div", { class: "bar" }, element("h3", { id: "files-heading" }, "Files"), element("label", { class: "field" }, "Search ", field)),
    element("div", { class: "wide-only" }, trail, picture),
    count,
    found,
    tree,
  );
}

/** An element of the picture. */
function shape<K extends keyof SVGElementTagNameMap>(name: K, attributes: Record<string, string | number>): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, typeof value === "number" ? value.toFixed(1) : value);
  return made;
}
