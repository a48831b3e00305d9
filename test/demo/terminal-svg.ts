/** A picture of a terminal that plays what was recorded, as an SVG without scripts: each part appears at its time, and old lines scroll away. */

export interface Part {
  /** Seconds from the one before. */
  after: number;
  /** Lines with the escape sequences for colors that programs print. */
  lines: readonly string[];
}

const COLUMNS = 108;
const ROWS = 30;
const CHAR = 7.8;
const LINE = 18;
/** Below the line on which letters stand. */
const DESCENT = 5;
const PADDING = 16;
const BAR = 30;
/** How long the last part stays. */
const END_SECONDS = 6;
const ESCAPE = '\x1b[';
const CLASSES: Record<string, string> = { 1: 'b', 2: 'd', 31: 'r', 32: 'g', 33: 'y', 36: 'c' };
const ENDS: Record<string, string> = { 22: 'bd', 39: 'rgyc', 0: 'bdrgyc' };
const STYLE = `text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d7dce2;white-space:pre}
.b{font-weight:700}.d{fill:#8b95a1}.r{fill:#ff7b72}.g{fill:#7ee787}.y{fill:#f2cc60}.c{fill:#79c0ff}`;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** One line as spans, one for each style. */
function spansOf(line: string): string {
  let on = '';
  const [first = '', ...rest] = line.split(ESCAPE);
  const spans = rest.map((part) => {
    const [, codes = '', text = ''] = /^([\d;]*)m(.*)$/.exec(part) ?? [];
    for (const code of codes.split(';')) {
      on = [...on].filter((one) => !(ENDS[code] ?? '').includes(one)).join('') + (CLASSES[code] ?? '');
    }
    return on === '' ? escaped(text) : `<tspan class="${[...on].join(' ')}">${escaped(text)}</tspan>`;
  });
  return escaped(first) + spans.join('');
}

/** Breaks what is wider than the terminal, as one does. */
function wrapped(line: string): string[] {
  if (line.includes(ESCAPE) || line.length <= COLUMNS) return [line];
  return [line.slice(0, COLUMNS), ...wrapped(line.slice(COLUMNS))];
}

export function terminalSvg(title: string, parts: readonly Part[]): string {
  const total = parts.reduce((sum, { after }) => sum + after, END_SECONDS);
  const percent = (seconds: number): string => ((100 * seconds) / total).toFixed(2);
  let seconds = 0;
  let row = 0;
  const shown: string[] = [];
  const rules: string[] = [];
  const scroll: string[] = ['0%{transform:none}'];
  for (const [at, { after, lines }] of parts.entries()) {
    seconds += after;
    const texts = lines.flatMap(wrapped).map((line) => {
      row += 1;
      return line === '' ? '' : `<text y="${row * LINE - DESCENT}">${spansOf(line)}</text>`;
    });
    shown.push(`<g class="p p${at}">${texts.join('')}</g>`);
    const begin = percent(seconds);
    rules.push(
      `@keyframes k${at}{0%,${begin}%{opacity:0}${(Number(begin) + 0.01).toFixed(2)}%,100%{opacity:1}}.p${at}{animation-name:k${at}}`,
    );
    scroll.push(`${begin}%{transform:translateY(${-Math.max(0, row - ROWS) * LINE}px)}`);
  }
  const last = `translateY(${-Math.max(0, row - ROWS) * LINE}px)`;
  const width = Math.ceil(COLUMNS * CHAR) + 2 * PADDING;
  const height = BAR + ROWS * LINE + PADDING;
  const timing = `animation-duration:${total.toFixed(1)}s;animation-iteration-count:infinite`;
  const style = [
    STYLE,
    `.p{${timing};animation-timing-function:step-end}`,
    `.s{animation-name:s;${timing};animation-timing-function:step-end}`,
    `@keyframes s{${scroll.join('')}100%{transform:${last}}}`,
    ...rules,
    `@media (prefers-reduced-motion:reduce){.p{animation:none}.s{animation:none;transform:${last}}}`,
  ].join('\n');
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map(
    (fill, at) => `<circle cx="${20 + at * 18}" cy="${BAR / 2}" r="5.5" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="t">
<title id="t">${escaped(title)}</title>
<style>${style}</style>
<rect width="${width - 1}" height="${height - 1}" x="0.5" y="0.5" rx="9" fill="#161b22" stroke="#3d444d"/>${dots.join('')}
<svg aria-hidden="true" x="${PADDING}" y="${BAR}" width="${width - 2 * PADDING}" height="${ROWS * LINE + 6}"><g class="s">${shown.join('\n')}</g></svg>
</svg>
`;
}
