/** Versions of the form 1.2.3. */

/** Whether `version` comes before `other`. What is behind the numbers does not count. */
export function isOlderVersion(version: string, other: string): boolean {
  const [own = [], than = []] = [version, other].map((text) =>
    text.split('.').map((part) => Number.parseInt(part, 10)),
  );
  for (const [at, part] of than.entries()) {
    const mine = own[at] ?? 0;
    if (mine !== part) return mine < part;
  }
  return false;
}
