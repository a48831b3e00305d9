import { HTTP } from '../../schema/defaults.ts';

/** Room for the other fields of a request within the edge's limit of a body. */
const SPARE_BYTES = 16 * 1024;

/** As much of a text as a request to the edge can carry as JSON, where a control character takes six bytes. */
export function fitToBody(text: string): string {
  let fitting = text;
  while (Buffer.byteLength(JSON.stringify(fitting)) > HTTP.max_body_bytes - SPARE_BYTES) {
    fitting = fitting.slice(0, Math.floor(fitting.length * 0.75)).toWellFormed();
  }
  return fitting;
}
