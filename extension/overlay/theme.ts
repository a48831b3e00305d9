/** Whether the page is dark: by its own background, which follows its own switch, else by what the person prefers. Pure. */

const RGB = /^rgba?\(\s*([\d.]+)[,\s]+([\d.]+)[,\s]+([\d.]+)(?:[,\s/]+([\d.]+%?))?\s*\)$/;
/** Below this the background counts as dark, of 1. */
const DARK_BELOW = 0.4;

/** `backgrounds`: computed colors, the innermost first. Those that are see-through say nothing. */
export function isDark(backgrounds: readonly string[], prefersDark: boolean): boolean {
  for (const color of backgrounds) {
    const [, red, green, blue, alpha = '1'] = RGB.exec(color) ?? [];
    if (red === undefined || Number.parseFloat(alpha) === 0) continue;
    return (0.299 * Number(red) + 0.587 * Number(green) + 0.114 * Number(blue)) / 255 < DARK_BELOW;
  }
  return prefersDark;
}

export function pageIsDark(document: Document): boolean {
  const view = document.defaultView;
  if (view === null) return false;
  const elements = [document.body, document.documentElement].filter((one) => one !== null);
  const backgrounds = elements.map((one) => view.getComputedStyle(one).backgroundColor);
  return isDark(backgrounds, view.matchMedia('(prefers-color-scheme: dark)').matches);
}
