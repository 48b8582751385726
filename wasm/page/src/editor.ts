// The editor: CodeMirror in a shadow root. There its style sheets are constructed ones, which a page
// without 'unsafe-inline' styles accepts; in the light DOM the policy would refuse them.

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, type Text } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

import type { Location, Position, Severity } from "../../types/report.ts";

/** One inline mark. */
export interface Mark {
  location: Location;
  severity: Severity;
  message: string;
}

/** What the page needs of an editor. */
export interface Editor {
  text(): string;
  setText(text: string): void;
  setMarks(marks: Mark[]): void;
  jump(location: Location): void;
  /** With the caret at an offset, where one is given. */
  focus(at?: number): void;
}

/** Builds the editor into `host`, replacing what stands there. */
export function createEditor(host: HTMLElement, text: string, changed: () => void): Editor {
  const language = new Compartment();
  const root = host.attachShadow({ mode: "open" });
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        lintGutter(),
        history(),
        drawSelection(),
        bracketMatching(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        indentUnit.of("  "),
        // Tab is left alone: it moves the focus on, so that nobody is caught in here.
        keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]),
        language.of(languageOf(text)),
        syntaxHighlighting(colours),
        theme,
        EditorView.contentAttributes.of({ "aria-label": "Document", spellcheck: "false", tabindex: "0" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed();
        }),
      ],
    }),
  });

  return {
    text: () => view.state.doc.toString(),
    setText(next) {
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: next },
        selection: { anchor: 0 },
        effects: [language.reconfigure(languageOf(next)), EditorView.scrollIntoView(0)],
      });
    },
    setMarks(marks) {
      const document = view.state.doc;
      const diagnostics: Diagnostic[] = marks.map(({ location, severity, message }) => ({
        from: offset(document, location.start),
        to: offset(document, location.end),
        severity: severity === "off" ? "hint" : severity,
        message,
      }));
      view.dispatch(setDiagnostics(view.state, diagnostics));
    },
    jump(location) {
      const from = offset(view.state.doc, location.start);
      const to = offset(view.state.doc, location.end);
      view.dispatch({
        selection: { anchor: from, head: to },
        effects: EditorView.scrollIntoView(from, { y: "center" }),
      });
      view.focus();
    },
    focus(at) {
      if (at !== undefined) view.dispatch({ selection: { anchor: Math.min(at, view.state.doc.length) } });
      view.focus();
    },
  };
}

function languageOf(text: string) {
  return /^\s*(?:[[{]|\/[/*])/.test(text) ? json() : yaml();
}

/**
 * The offset of a place; one outside the text is moved to the nearest place inside. Counted from the
 * line, because the editor keeps each line end as one character and drops a byte order mark.
 */
function offset(text: Text, { line, column_utf16 }: Position): number {
  const at = text.line(Math.min(Math.max(line, 1), text.lines));
  return Math.min(at.from + Math.max(column_utf16, 1) - 1, at.to);
}

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--code-key)" },
  { tag: tags.definition(tags.propertyName), color: "var(--code-key)" },
  { tag: [tags.string, tags.content], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: [tags.typeName, tags.keyword, tags.labelName], color: "var(--note)" },
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
]);

// The page's custom properties reach into the shadow root, so light and dark are decided in one place.
const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--card)", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: "8px 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--card)", color: "var(--soft)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--active-line)" },
  // The selection lies below the text: a see-through active line keeps it visible.
  "&.cm-focused .cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--selection)",
  },
  ".cm-lintRange": { backgroundImage: "none", paddingBottom: "0" },
  ".cm-lintRange-error": { textDecoration: "underline wavy var(--bad)" },
  ".cm-lintRange-warning": { textDecoration: "underline wavy var(--open)" },
  ".cm-lintRange-info": { textDecoration: "underline dotted var(--note)" },
  ".cm-tooltip": {
    backgroundColor: "var(--card)",
    color: "var(--ink)",
    border: "1px solid var(--line)",
    borderRadius: "6px",
    maxWidth: "36rem",
  },
  ".cm-diagnostic": { fontFamily: "var(--sans)", whiteSpace: "pre-wrap", padding: "6px 10px" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--open)" },
  ".cm-diagnostic-info": { borderLeftColor: "var(--note)" },
  ".cm-panels": { backgroundColor: "var(--page)", color: "var(--ink)" },
  ".cm-panel.cm-panel-lint ul [aria-selected]": { backgroundColor: "var(--active-line)", color: "var(--ink)" },
});
