// Images on the page: loaded when the first is dropped or opened.

import { element } from "../dom.ts";
import { bytes } from "./facts.ts";
import { type Given, Session } from "./session.ts";
import { type Judge, imagesView, progressView } from "./view.ts";

let session: Session | undefined;
let styles: Promise<void> | undefined;

/** Opens an image in the place for it; `given` is its files, or the facts that `inspect` printed. */
export async function openImage(given: Given | { name: string; facts: string }, judge: Judge): Promise<void> {
  session?.close();
  await loadStyles();
  const mine = new Session((layers) => progress.told(layers));
  session = mine;
  const progress = progressView();
  const status = element("p", { class: "hidden", role: "status", "aria-live": "polite" }, `Reading ${given.name}`);
  const content = element("div", { id: "image-content" }, progress.view);
  const close = element("button", { type: "button" }, "Close");
  const section = element(
    "section",
    { id: "image", class: "results image-section", "aria-labelledby": "image-heading" },
    element("div", { class: "bar" }, element("h2", { id: "image-heading", tabindex: "-1" }, "Image ", element("code", {}, given.name)), close),
    status,
    content,
  );
  close.addEventListener("click", () => {
    mine.close();
    section.remove();
  });
  document.getElementById("image")?.remove();
  document.querySelector("main")?.prepend(section);
  section.scrollIntoView({ block: "start" });
  try {
    if ("facts" in given) {
      await mine.describe(given.facts);
    } else {
      const size = given.files.reduce((sum, file) => sum + file.size, 0);
      let hashed = 0;
      await mine.open(given, (more) => {
        hashed += more;
        progress.hashed(hashed, size);
      });
      status.textContent = `${given.name}, ${bytes(size)}, is read`;
    }
    if (mine !== session) return;
    if (mine.isLayer) section.querySelector("h2")?.firstChild?.replaceWith("Layer ");
    content.replaceChildren(imagesView(mine, given.name, !("facts" in given), judge));
  } catch (error) {
    if (mine !== session) return;
    content.replaceChildren(element("p", { class: "headline" }, element("span", { class: "badge error" }, "error"), ` ${(error as Error).message}`));
    status.textContent = "It cannot be read";
  }
}

/** The style sheet of this part. */
function loadStyles(): Promise<void> {
  styles ??= new Promise((resolve, reject) => {
    const link = element("link", { rel: "stylesheet", href: new URL("image.css", import.meta.url).href });
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", () => reject(new Error("image.css cannot be loaded")));
    document.head.append(link);
  });
  styles.catch(() => (styles = undefined));
  return styles;
}
