// Rule pages are Markdown of our own making: headings, paragraphs, lists, fenced code, links, code and
// emphasis. That much is rendered here, into elements.

import { element } from "./dom.ts";

/** The elements of a page; headings start at `level`. */
export function renderMarkdown(text: string, level: 3 | 4): HTMLElement[] {
  const made: HTMLElement[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    const fence = /^(`{3,})/.exec(line)?.[1];
    const heading = /^(#+)\s+(.*)$/.exec(line);
    if (fence !== undefined) {
      const end = lines.findIndex((other, index) => index > at && other.startsWith(fence));
      const stop = end < 0 ? lines.length : end;
      made.push(element("pre", { tabindex: "0" }, element("code", {}, lines.slice(at + 1, stop).join("\n"))));
      at = stop + 1;
    } else if (heading) {
      const depth = Math.min(level + (heading[1] ?? "#").length - 1, 6) as 3 | 4 | 5 | 6;
      made.push(element(`h${depth}`, {}, ...inline(heading[2] ?? "")));
      at += 1;
    } else if (/^[*-] /.test(line)) {
      const list = element("ul");
      while (/^([*-] | {2,}\S)/.test(lines[at] ?? "")) {
        let item = (lines[at] ?? "").replace(/^[*-] /, "").trim();
        at += 1;
        while (/^ {2,}\S/.test(lines[at] ?? "")) item += ` ${(lines[at++] ?? "").trim()}`;
        list.append(element("li", {}, ...inline(item)));
      }
      made.push(list);
    } else if (line.trim() === "") {
      at += 1;
    } else {
      const paragraph: string[] = [];
      while (at < lines.length && (lines[at] ?? "").trim() !== "" && !/^(#|`{3}|[*-] )/.test(lines[at] ?? "")) {
        paragraph.push(lines[at++] ?? "");
      }
      made.push(element("p", {}, ...inline(paragraph.join(" "))));
    }
  }
  return made;
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)|<(https:[^>\s]+)>|(https:\/\/[^\s)]+[^\s).,;:])/g;

function inline(text: string): (Node | string)[] {
  const parts: (Node | string)[] = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    parts.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    const [, code, strong, label, target, angled, bare] = match;
    if (code !== undefined) parts.push(element("code", {}, code));
    else if (strong !== undefined) parts.push(element("strong", {}, strong));
    else parts.push(link(label ?? angled ?? bare ?? "", target ?? angled ?? bare ?? ""));
  }
  parts.push(text.slice(from));
  return parts;
}

function link(label: string, target: string): Node | string {
  return target.startsWith("https://") ? element("a", { href: target, rel: "noreferrer" }, label) : label;
}
