/**
 * `--watch`: looks again until the person ends it by Ctrl-C, or until there is nothing more to come. A terminal shows the
 * newest state in place; a pipe gets a further snapshot after each change. The pauses grow while nothing changes.
 */
import { Option } from 'commander';
import type { Args } from './command.ts';
import type { CommandDeps } from './deps.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT } from './exit-codes.ts';
import { patientLook } from './repeatable.ts';

export const watchOption = new Option('-w, --watch', 'look again until Ctrl-C, and show what has changed');

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 5_000;
const GROWTH = 1.5;
/** The second screen of a terminal: what the person did before stays on the first, with all that scrolled out of it. */
const ENTER = Buffer.from('\u001b[?1049h');
const LEAVE = Buffer.from('\u001b[?1049l');
/** The cursor to the upper left, and all that is shown away. */
const CLEAR = Buffer.from('\u001b[H\u001b[2J');

/** What one look has seen. */
export interface Seen {
  /** What makes a difference: ages and times left are not in it. */
  facts: () => unknown;
  /** Nothing more will come. */
  isOver: boolean;
}

/** Looks once, or with `--watch` again and again. `look` prints what it has seen with the dependencies that it gets. */
export async function watched(
  args: Args,
  deps: CommandDeps,
  look: (deps: CommandDeps) => Promise<Seen>,
): Promise<ExitCode> {
  if (args.watch !== true) {
    await look(deps);
    return EXIT.fine;
  }
  const screen = screenOf(args, deps);
  try {
    await lookAgainAndAgain(deps, look, screen);
  } finally {
    screen.end();
  }
  return EXIT.fine;
}

async function lookAgainAndAgain(
  deps: CommandDeps,
  look: (deps: CommandDeps) => Promise<Seen>,
  screen: Screen,
): Promise<void> {
  const state = { isStopped: false };
  const stopped = deps.stopSignal().then(() => {
    state.isStopped = true;
  });
  const lookAgain = patientLook(deps, 'Ctrl-C');
  let last: string | null = null;
  for (let pauseMs = FIRST_PAUSE_MS; !state.isStopped; pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS)) {
    const lines: string[] = [];
    const lookNow = () => look({ ...deps, print: (line) => lines.push(line) });
    // The first look fails as it would without --watch.
    const seen: Seen | null = last === null ? await lookNow() : await lookAgain(lookNow);
    if (state.isStopped) break;
    if (seen !== null) {
      const facts: string = JSON.stringify(seen.facts());
      const hasChanged = facts !== last;
      if (hasChanged || deps.isTerminal) screen.show(lines);
      if (seen.isOver) break;
      if (hasChanged) pauseMs = FIRST_PAUSE_MS;
      last = facts;
    }
    await pauseUntil(deps, pauseMs, stopped);
  }
}

/** Ends early with `stopped`, and leaves no timer behind that would keep the process. */
export async function pauseUntil({ clock }: CommandDeps, ms: number, stopped: Promise<void>): Promise<void> {
  let cancel = () => {};
  const over = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  await Promise.race([stopped, over]);
  cancel();
}

interface Screen {
  show: (lines: readonly string[]) => void;
  /** Gives a terminal back as it was, with what was shown last below. */
  end: () => void;
}

function screenOf(args: Args, deps: CommandDeps): Screen {
  let shown: readonly string[] | null = null;
  const printAll = (lines: readonly string[]) => {
    for (const line of lines) deps.print(line);
  };
  const show = (lines: readonly string[]) => {
    if (deps.isTerminal) deps.printBytes(shown === null ? Buffer.concat([ENTER, CLEAR]) : CLEAR);
    else if (shown !== null && args.json !== true) deps.print('');
    shown = lines;
    printAll(lines);
  };
  const end = () => {
    if (!deps.isTerminal || shown === null) return;
    deps.printBytes(LEAVE);
    printAll(shown);
  };
  return { show, end };
}
