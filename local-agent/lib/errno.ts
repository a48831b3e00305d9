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

/** Primary result codes of SQLite: I/O error, and full disk. */
const SQLITE_DISK_CODES: readonly number[] = [10, 13];
const SQLITE_PRIMARY_CODE = 0xff;

/** Whether the disk is full or fails, so that the same write may succeed later. */
export function isDiskFault(error: unknown): boolean {
  if (hasErrorCode(error, 'ENOSPC', 'EDQUOT', 'EIO')) return true;
  if (!(hasErrorCode(error, 'ERR_SQLITE_ERROR') && error instanceof Error && 'errcode' in error)) return false;
  return SQLITE_DISK_CODES.includes(Number(error.errcode) & SQLITE_PRIMARY_CODE);
}

export const DISK_FAULT_ADVICE = 'free space on the disk of the state folder; nothing that was stored is lost';
