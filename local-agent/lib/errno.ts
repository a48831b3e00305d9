/** The code of an error of the system or of Node, such as `ENOENT`; null for any other error. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error ? String(error.code) : null;
}

export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = errorCode(error);
  return code !== null && codes.includes(code);
}

/** Whether the error says that there is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return hasErrorCode(error, 'ENOENT');
}
