/**
 * The style of the panel and of the options page. Colors are pairs with a contrast of 4.5 or more. Rules of `:host` are
 * important: inside a shadow root such rules win over those of the page.
 */

const LIGHT = `
  --bg: #ffffff; --raised: #f6f8fa; --text: #1c2024; --muted: #57606c; --line: #d5dbe3; --accent: #2456c8;
  --on-accent: #ffffff; --focus: #2456c8; --shadow: 0 8px 28px rgb(15 23 42 / 18%), 0 1px 3px rgb(15 23 42 / 12%);
  --good: #1a7f4b; --good-bg: #e4f4ea; --good-text: #11592f; --wait: #b26a00; --wait-bg: #fdf0d9; --wait-text: #6f4100;
  --bad: #c4281c; --bad-bg: #fdebe9; --bad-text: #941a10; --calm: #8b95a1; --calm-bg: #edf0f4; --calm-text: #3d4651;
  color-scheme: light;`;
const DARK = `
  --bg: #1d2024; --raised: #262a30; --text: #eceef1; --muted: #abb3bd; --line: #3b424b; --accent: #8fb3ff;
  --on-accent: #0e1c38; --focus: #a9c4ff; --shadow: 0 8px 28px rgb(0 0 0 / 50%), 0 0 0 1px rgb(255 255 255 / 4%);
  --good: #4cc585; --good-bg: #173524; --good-text: #8be0ad; --wait: #e5a33d; --wait-bg: #3a2b12; --wait-text: #f5c778;
  --bad: #ff7b70; --bad-bg: #451f1c; --bad-text: #ffb3ab; --calm: #8b95a1; --calm-bg: #2d333a; --calm-text: #c8ced6;
  color-scheme: dark;`;

const HOST = `
:host {
  all: initial !important; display: block !important; position: fixed !important; left: 0 !important; top: 0 !important;
  width: 0 !important; height: 0 !important; z-index: 2147483647 !important; opacity: 1 !important;
  visibility: visible !important; pointer-events: auto !important; transform: none !important; filter: none !important;
  clip-path: none !important; contain: none !important; overflow: visible !important;
}`;

const BASE = `
.root { ${LIGHT} font: 13px/1.45 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", sans-serif;
  color: var(--text); text-align: start; direction: ltr; -webkit-text-size-adjust: none; }
.root[data-theme="dark"] { ${DARK} }
*, *::before, *::after { box-sizing: border-box; }
h1, h2, p, ul, pre, fieldset { margin: 0; padding: 0; border: 0; min-inline-size: 0; }
ul { list-style: none; }
h2 { font-size: 11px; line-height: 16px; font-weight: 650; letter-spacing: 0.04em; color: var(--muted);
  text-transform: uppercase; }
:lang(zh) h2, .root:lang(zh) h2 { letter-spacing: 0; font-size: 12px; }
strong { font-weight: 600; }
code, pre { font: 12px/1.5 ui-monospace, "SF Mono", "Cascadia Mono", "Noto Sans Mono", "Liberation Mono", monospace; }
section { display: grid; grid-template-columns: minmax(0, 1fr); gap: 8px; }
.row { display: flex; align-items: center; gap: 8px; flex-wrap: wrap; }
.grow { flex: 1 1 auto; min-width: 0; }
.block { display: block; }
.line { display: flex; gap: 9px; align-items: baseline; }
.line > span { min-width: 0; }
.lines { display: grid; grid-template-columns: minmax(0, 1fr); gap: 9px; }
.lines:empty { display: none; }
.note { color: var(--muted); font-size: 12.5px; overflow-wrap: anywhere; }
.note.grow { flex: 1 1 140px; }
.faint { color: var(--muted); font-size: 12px; }
.name { overflow-wrap: anywhere; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.dot { flex: none; width: 8px; height: 8px; border-radius: 50%; background: var(--calm); transform: translateY(-1px); }
.dot.good { background: var(--good); } .dot.wait { background: var(--wait); } .dot.bad { background: var(--bad); }
.chip { padding: 1px 9px; border-radius: 99px; font-size: 12px; line-height: 20px; font-weight: 600; white-space: nowrap;
  background: var(--calm-bg); color: var(--calm-text); }
.chip.good { background: var(--good-bg); color: var(--good-text); }
.chip.wait { background: var(--wait-bg); color: var(--wait-text); }
.chip.bad { background: var(--bad-bg); color: var(--bad-text); }
.banner { display: grid; gap: 6px; padding: 10px 12px; border-radius: 8px; background: var(--calm-bg); color: var(--calm-text); }
.banner.wait { background: var(--wait-bg); color: var(--wait-text); }
.banner.bad { background: var(--bad-bg); color: var(--bad-text); }
.banner .note { color: inherit; }
button { font: inherit; font-weight: 550; color: var(--text); background: var(--bg); border: 1px solid var(--line);
  border-radius: 7px; padding: 4px 11px; min-height: 30px; cursor: pointer; display: inline-flex; align-items: center;
  justify-content: center; gap: 7px; white-space: nowrap; }
button:hover:not([aria-disabled="true"]) { background: var(--raised); }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button.primary:hover:not([aria-disabled="true"]) { background: var(--accent); filter: brightness(1.08); }
button.danger { color: var(--bad-text); border-color: var(--line); }
button.quiet { border-color: transparent; background: transparent; color: inherit; padding: 2px 8px; min-height: 26px; }
button[aria-disabled="true"] { cursor: default; opacity: 0.62; }
button[aria-busy="true"] { opacity: 1; color: var(--muted); background: var(--raised); border-color: var(--line); }
:focus { outline: none; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
.segments { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: 2px; padding: 2px; border-radius: 9px;
  background: var(--calm-bg); }
.segment { border-color: transparent; background: transparent; color: var(--calm-text); min-height: 28px; padding: 2px 6px; }
.segment[aria-pressed="true"] { background: var(--bg); color: var(--text); border-color: var(--line); font-weight: 650; }
.segment.auto[aria-pressed="true"] { color: var(--good-text); }
.segment.stopped[aria-pressed="true"] { color: var(--wait-text); }
.root[data-theme="dark"] .segment[aria-pressed="true"] { background: #3a414a; border-color: #505963; }
.cards { display: grid; grid-template-columns: minmax(0, 1fr); gap: 10px; }
.card { display: grid; grid-template-columns: minmax(0, 1fr); gap: 8px; padding: 10px 12px; border: 1px solid var(--line); border-radius: 8px;
  background: var(--raised); border-inline-start: 3px solid var(--wait); }
.bytes, .body { scrollbar-width: thin; scrollbar-color: var(--calm) transparent; }
.bytes { max-height: 210px; overflow: auto; padding: 8px 10px; border: 1px solid var(--line); border-radius: 6px;
  background: var(--bg); color: var(--text); }
.bytes pre { white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 4; }
.question { padding-top: 8px; border-top: 1px solid var(--line); }
.failure { display: flex; gap: 8px; align-items: flex-start; padding: 6px 6px 6px 10px; border-radius: 7px;
  background: var(--bad-bg); color: var(--bad-text); font-size: 12.5px; }
.failure > span { flex: 1 1 auto; padding-top: 3px; overflow-wrap: anywhere; }
.spinner { width: 11px; height: 11px; border-radius: 50%; border: 2px solid var(--line); border-top-color: var(--accent);
  animation: turn 0.9s linear infinite; }
@keyframes turn { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) { .spinner { animation: none; border-style: dotted; } }
@media (forced-colors: active) {
  .dot { forced-color-adjust: none; } .segment[aria-pressed="true"] { outline: 2px solid Highlight; } }
`;

const OVERLAY = `
.root { position: fixed; left: 0; top: 0; }
.brief { min-height: 34px; border-radius: 99px; padding: 3px 6px 3px 12px; background: var(--bg); box-shadow: var(--shadow);
  touch-action: none; }
.panel { width: min(360px, calc(100vw - 24px)); max-height: min(640px, calc(100vh - 24px)); display: grid;
  grid-template: auto minmax(0, 1fr) auto / minmax(0, 1fr); border: 1px solid var(--line); border-radius: 12px; background: var(--bg);
  box-shadow: var(--shadow); overflow: hidden; }
header { display: flex; align-items: center; gap: 8px; padding: 8px 8px 8px 14px; border-bottom: 1px solid var(--line);
  cursor: move; touch-action: none; user-select: none; }
header h1 { font-size: 14px; font-weight: 650; margin-inline-end: 2px; white-space: nowrap; }
legend { padding: 0; margin-bottom: 8px; }
.icon { width: 30px; padding: 0; border-color: transparent; background: transparent; color: var(--muted); }
.icon svg { width: 16px; height: 16px; }
.body { overflow: auto; padding: 12px 14px 14px; display: grid; grid-template-columns: minmax(0, 1fr); gap: 16px; align-content: start; overscroll-behavior: contain; }
footer { display: flex; justify-content: flex-end; padding: 4px 8px; border-top: 1px solid var(--line); color: var(--muted); }
@media (max-width: 480px) {
  .panel { width: calc(100vw - 24px); max-height: 70vh; }
  header { cursor: default; }
}
`;

const PAGE = `
body { margin: 0; }
.root { min-height: 100vh; background: var(--raised); }
@media (prefers-color-scheme: dark) { .root:not([data-theme="light"]) { ${DARK} } }
main { max-width: 640px; margin: 0 auto; padding: 32px 20px 48px; display: grid; gap: 18px; }
main h1 { font-size: 20px; font-weight: 650; }
main > section { background: var(--bg); border: 1px solid var(--line); border-radius: 12px; padding: 16px 18px 18px; gap: 12px; }
main h2 { font-size: 14px; line-height: 20px; letter-spacing: 0; text-transform: none; color: var(--text); }
label.field { display: grid; gap: 4px; flex: 1 1 240px; font-weight: 550; }
label.field:has(.code) { flex: 0 1 auto; }
label.field input { font-weight: 400; }
input[type="text"] { font: inherit; color: var(--text); background: var(--bg); border: 1px solid var(--muted); border-radius: 7px;
  padding: 5px 10px; min-height: 34px; width: 100%; }
input.code { font: 18px/1.4 ui-monospace, "Liberation Mono", monospace; letter-spacing: 0.18em; max-width: 200px; }
input[aria-invalid="true"] { border-color: var(--bad); }
form { display: grid; gap: 8px; }
.ends { display: flex; gap: 10px; align-items: flex-end; flex-wrap: wrap; }
.problem { color: var(--bad-text); font-size: 12.5px; } .done { color: var(--good-text); font-size: 12.5px; }
.site { display: flex; align-items: center; gap: 10px; min-height: 34px; flex-wrap: wrap; }
.switch { display: inline-flex; align-items: center; gap: 8px; cursor: pointer; flex: 1 1 auto; }
.switch input { width: 16px; height: 16px; accent-color: var(--accent); }
textarea { font: 12px/1.5 ui-monospace, "Liberation Mono", monospace; width: 100%; min-height: 220px; color: var(--text);
  background: var(--raised); border: 1px solid var(--line); border-radius: 7px; padding: 8px; }
.popup h1 { font-size: 15px; }
.popup { width: 360px; min-height: 0; padding: 14px; background: var(--bg); display: grid; gap: 16px; }
`;

export const OVERLAY_CSS = HOST + BASE + OVERLAY;
export const PAGE_CSS = BASE + PAGE;
