/** Parameters where many calls are listed, on the status page and the command line. */
import { visibleJson } from './visible.ts';

const SHOWN_CHARS = 90;

/** The parameters on one short line. */
export function briefParams(params: Readonly<Record<string, unknown>>): string {
  const text = visibleJson(params);
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS)}…`;
}
