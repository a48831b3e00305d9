/**
 * The window in which a person approves what the overlay of a page shows. It is a page of the extension in a process and a
 * window of its own, so a chat page, even one whose process was taken over, can have it opened and nothing more. There is
 * one at a time, and a moment between two.
 */

/** `browser.windows`, as far as it is used. */
export interface WindowsApi {
  create(url: string): Promise<{ id?: number | undefined }>;
  remove(id: number): Promise<void>;
}

const MIN_GAP_MS = 1_000;

/** Returns how to open the window for an instruction; false when one was opened a moment ago. */
export function approvalWindow(
  windows: WindowsApi,
  pageOf: (instructionId: string) => string,
  now: () => number,
): (instructionId: string) => Promise<boolean> {
  let openedAt = Number.NEGATIVE_INFINITY;
  let open: number | null = null;
  // A window whose id is not known yet could not be closed.
  let isOpening = false;
  return async (instructionId) => {
    if (isOpening || now() - openedAt < MIN_GAP_MS) return false;
    isOpening = true;
    const before = open;
    open = null;
    try {
      // It may be closed already. Its address is not changed: what a person is about to press must not be exchanged.
      if (before !== null) await windows.remove(before).catch(() => undefined);
      open = (await windows.create(pageOf(instructionId))).id ?? null;
    } finally {
      openedAt = now();
      isOpening = false;
    }
    return true;
  };
}
