/** Parameters where many calls are listed. */
import { visibleJson } from '../../../schema/domain/visible.ts';

const SHOWN_CHARS = 90;

/** The parameters on one short line. */
export function briefParams(params: Readonly<Record<string, unknown>>): string {
  const text = visibleJson(params);
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS)}…`;
}
