/**
 * The window in which a person approves what the overlay of a page shows. It is a page of the extension in a process and a
 * window of its own, so a chat page, even one whose process was taken over, can have it opened and nothing more. There is
 * one at a time, a moment between two, and none takes the place of one that a person may be reading.
 */

/** `browser.windows`, as far as it is used. */
export interface WindowsApi {
  create(url: string): Promise<{ id?: number | undefined }>;
  /** Rejects when there is no such window any more. */
  get(id: number): Promise<{ focused: boolean }>;
  remove(id: number): Promise<void>;
}

/** `too_soon`: one was opened a moment ago. `being_read`: a person may be reading another one. */
export type ApprovalOpened = 'opened' | 'too_soon' | 'being_read';

const MIN_GAP_MS = 1_000;
/** A window without the focus may be read too: the person has just asked for it. */
const READING_MS = 10_000;

/** Returns how to open the window for an instruction. */
export function approvalWindow(
  windows: WindowsApi,
  pageOf: (instructionId: string) => string,
  now: () => number,
): (instructionId: string) => Promise<ApprovalOpened> {
  let openedAt = Number.NEGATIVE_INFINITY;
  let open: number | null = null;
  // A window whose id is not known yet could not be closed.
  let isOpening = false;
  const isBeingRead = async (id: number): Promise<boolean> => {
    const window = await windows.get(id).catch(() => null);
    return window !== null && (window.focused || now() - openedAt < READING_MS);
  };
  const replace = async (instructionId: string): Promise<void> => {
    const before = open;
    open = null;
    try {
      // It may be closed already. Its address is not changed: what a person is about to press must not be exchanged.
      if (before !== null) await windows.remove(before).catch(() => undefined);
      open = (await windows.create(pageOf(instructionId))).id ?? null;
    } finally {
      openedAt = now();
    }
  };
  return async (instructionId) => {
    if (isOpening || now() - openedAt < MIN_GAP_MS) return 'too_soon';
    isOpening = true;
    try {
      if (open !== null && (await isBeingRead(open))) return 'being_read';
      await replace(instructionId);
      return 'opened';
    } finally {
      isOpening = false;
    }
  };
}
