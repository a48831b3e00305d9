/** Whether a body is plain JSON in UTF-8, by its headers. Anything else would be read as garbage, so it is refused in words. */

export interface BodyHeaders {
  contentType: string | undefined;
  contentEncoding: string | undefined;
}

/** What is wrong with the headers of a body, or null. Without a content type a body is taken for JSON. */
export function bodyProblem({ contentType, contentEncoding }: BodyHeaders): { field: string; expected: string } | null {
  const encoding = contentEncoding?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') {
    return { field: 'content-encoding', expected: 'a body without compression' };
  }
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType ?? '')?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    return { field: 'content-type', expected: 'text in UTF-8' };
  }
  return null;
}
