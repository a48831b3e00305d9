/** The body of a request in the form that the sites read. */
import type { RequestBody } from '../../sites/facts.ts';
import type { BeforeRequestDetails } from './web-request.ts';

/** A longer body is not read: what a person or the conductor sends has at most a tenth of this. */
export const MAX_REQUEST_BODY_BYTES = 8 * 1024 * 1024;

function isBuffer(value: unknown): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === '[object ArrayBuffer]';
}

function fieldsOf(formData: object): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (const [name, values] of Object.entries(formData)) {
    if (Array.isArray(values)) fields[name] = values.filter((value) => typeof value === 'string');
  }
  return fields;
}

/** What reading it costs; 0 for one that is not read at all. */
export function requestBodyLength({ requestBody: body }: BeforeRequestDetails): number {
  if (!body || body.error !== undefined) return 0;
  if (body.formData !== undefined) return formLength(body.formData);
  const length = (body.raw ?? []).reduce((sum, { bytes }) => sum + (isBuffer(bytes) ? bytes.byteLength : 0), 0);
  return length > MAX_REQUEST_BODY_BYTES ? 0 : length;
}

function formLength(formData: object): number {
  const values = Object.values(formData).flat();
  return values.reduce((sum: number, value: unknown) => sum + (typeof value === 'string' ? value.length : 0), 0);
}

/** Null when there is none, or one that the browser does not show, or a part of it is a file. */
export function requestBody({ requestBody: body }: BeforeRequestDetails): RequestBody | null {
  if (!body || body.error !== undefined) return null;
  if (body.formData !== undefined) return { kind: 'form', fields: fieldsOf(body.formData) };
  const parts: ArrayBuffer[] = [];
  let length = 0;
  for (const { bytes } of body.raw ?? []) {
    if (!isBuffer(bytes)) return null;
    parts.push(bytes);
    length += bytes.byteLength;
  }
  if (length === 0 || length > MAX_REQUEST_BODY_BYTES) return null;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return { kind: 'bytes', bytes };
}
