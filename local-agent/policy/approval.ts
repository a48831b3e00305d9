/**
 * What a person sees and approves of a host's tool. The display is the exact text with everything visible that could
 * deceive, and says what is bound and what is not. The hash covers the whole call and the files that it names, so that
 * neither can change between the approval and the effect.
 */
import type { z } from 'zod';
import type { ApprovalSchema } from '../../schema/contracts/instructions.ts';
import type { ToolName, ToolParams } from '../../schema/contracts/tools.ts';
import { approvalDisplay, boundText, shownFields } from '../../schema/domain/approval.ts';
import { makeExactLine } from '../../schema/domain/visible.ts';
import { isPlainlyMissing, realPathLook, realPathOfTarget } from '../host/place.ts';
import { readRealFileSlice } from '../host/read-file.ts';
import type { Roots } from '../host/roots.ts';
import { FileError } from '../host/roots.ts';
import { sha256Hex } from '../lib/hash.ts';
import type { Turns } from '../lib/turns.ts';
import { patchedPaths } from '../tools/files-patch.ts';

type Approval = z.infer<typeof ApprovalSchema>;

/** How many named files are bound: looking at each takes time. */
const MAX_BOUND_FILES = 256;
/** How many files that are bound, and how many that are not, the notes name. */
const MAX_NAMED = 10;
const MAX_HASHED_BYTES = 8 * 1024 * 1024;
/** Of all files together: they are read and hashed at once before an effect. */
const MAX_HASHED_BYTES_OF_ALL = 16 * 1024 * 1024;

/**
 * A line for each parameter that the text of the call does not show, above it: no content can pass for one, and none is
 * cut off behind a long content. The folder is a field of its own.
 */
function otherParams(params: Readonly<Record<string, unknown>>, shown: readonly string[]): string {
  const others = Object.entries(params).filter(
    ([name, value]) => value !== undefined && name !== 'cwd' && !shown.includes(name),
  );
  return others.map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`).join('');
}

function callText(name: ToolName, params: Record<string, unknown>): string {
  if (name === 'conductor::exec') {
    const { argv, command, stdin, env = {} } = params as ToolParams<'conductor::exec'>;
    const call = argv ? `argv: ${JSON.stringify(argv)}` : `script:\n${command}`;
    const variables = Object.entries(env).map(([key, value]) => `\nenv ${key}=${JSON.stringify(value)}`);
    return `${otherParams(params, ['argv', 'command', 'env', 'stdin'])}${call}${variables.join('')}${stdin === undefined ? '' : `\nstdin:\n${stdin}`}`;
  }
  if (name === 'conductor::files/patch') {
    return `${otherParams(params, ['patch'])}${(params as ToolParams<'conductor::files/patch'>).patch}`;
  }
  if (name === 'conductor::files/write') {
    const { path, content, encoding } = params as ToolParams<'conductor::files/write'>;
    const others = otherParams(params, ['path', 'content', 'encoding']);
    return `path: ${makeExactLine(path)}\n${others}content (${encoding ?? 'utf8'}):\n${content}`;
  }
  return JSON.stringify(params, null, 2);
}

/** Arguments of the call that may be paths of files. */
function namedPaths(name: ToolName, params: Record<string, unknown>): string[] {
  if (name === 'conductor::exec') {
    const argv = (params as ToolParams<'conductor::exec'>).argv ?? [];
    // `--file=x` names the file x.
    return argv.flatMap((item) => (item.includes('=') ? [item, item.slice(item.indexOf('=') + 1)] : [item]));
  }
  if (name === 'conductor::files/patch') return patchedPaths((params as ToolParams<'conductor::files/patch'>).patch);
  return typeof params.path === 'string' ? [params.path] : [];
}

interface NamedFiles {
  /** By their real paths. */
  hashes: Record<string, string>;
  /** Named files that exist and are not hashed, each with the reason. */
  unbound: string[];
  /** Where each name of the call leads, and the hash of what is read there: a link that moves gives another hash. */
  bound: Record<string, string>;
}

/** What is known of folders in one turn, so that each is looked at once. It is void in the next turn. */
interface Look {
  roots: Roots;
  realPathOf: (path: string) => string | null;
}

function newLook(roots: Roots): Look {
  return { roots: roots.forOneTurn(), realPathOf: realPathLook() };
}

/** Yields before each path. `lookNow` gives the look of the turn at hand. */
function* hashFiles(
  paths: readonly string[],
  cwd: string | undefined,
  lookNow: () => Look,
): Generator<undefined, NamedFiles> {
  const hashes: Record<string, string> = {};
  const unbound: string[] = [];
  const bound = new Map<string, string>();
  let left = MAX_HASHED_BYTES_OF_ALL;
  for (const named of new Set(paths)) {
    yield;
    if (bound.size >= MAX_BOUND_FILES) {
      unbound.push(`${named}, as it is not among the first ${MAX_BOUND_FILES} named files`);
      continue;
    }
    const look = lookNow();
    let path: string | null = named;
    try {
      path = whereItIs(named, cwd, look);
      // An option, a program on PATH, or a file that is still to be written is no file yet.
      if (path === null) continue;
      const length = Math.min(MAX_HASHED_BYTES, left);
      const { bytes, size, changedAtNs } = readRealFileSlice(look.roots, path, { offset: 0, length });
      left -= bytes.length;
      // A file too large to be read whole is also bound by the time of its last change.
      const part = ` of the first ${bytes.length} of ${size} bytes, unchanged since ${changedAtNs}`;
      const hash = `${sha256Hex(bytes)}${size > bytes.length ? part : ''}`;
      hashes[path] = hash;
      bound.set(named, `${path} ${hash}`);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      unbound.push(error.message);
      bound.set(named, path ?? named);
    }
  }
  return { hashes, unbound, bound: Object.fromEntries(bound) };
}

/** The real path of a named file; null when there is none. @throws FileError when it is too deep to look, so that it may name a file */
function whereItIs(named: string, cwd: string | undefined, { roots, realPathOf }: Look): string | null {
  try {
    const path = roots.resolve(named, cwd);
    return isPlainlyMissing(path) ? null : realPathOf(path);
  } catch (error) {
    if (error instanceof FileError && error.code === 'invalid_path') throw error;
    return null;
  }
}

/** What a person has to know about a program besides its call. */
function notesOnProgram({ hashes, unbound }: NamedFiles): string[] {
  const files = Object.keys(hashes);
  const more = files.length > MAX_NAMED ? ` and ${files.length - MAX_NAMED} more, listed with their hashes` : '';
  const named = files.length === 0 ? 'no file' : `these files: ${files.slice(0, MAX_NAMED).join(', ')}${more}`;
  const rest = unbound.slice(0, MAX_NAMED).map((why) => `Not bound: ${why}.`);
  if (unbound.length > rest.length) rest.push(`Not bound: ${unbound.length - rest.length} more named files.`);
  return [
    `This approval binds the call, the working folder and ${named}.`,
    ...rest,
    'It does not bind files that the program itself opens. What a tool of this host changes inside the roots before it runs makes the approval void.',
  ];
}

/** The real path of the folder it would run in. An invalid one is shown as it was written, and the effect refuses it. */
function folderOf(cwd: string, roots: Roots): string {
  try {
    return realPathOfTarget(roots.resolve(cwd));
  } catch (error) {
    if (error instanceof FileError) return cwd;
    throw error;
  }
}

/** The real folder of a call; null when it has none. */
export function callFolder(name: ToolName, params: Record<string, unknown>, roots: Roots): string | null {
  const cwd = typeof params.cwd === 'string' ? params.cwd : undefined;
  return name === 'conductor::exec' || cwd !== undefined ? folderOf(cwd ?? '.', roots) : null;
}

function* approvalSteps(
  name: ToolName,
  params: Record<string, unknown>,
  lookNow: () => Look,
): Generator<undefined, Approval> {
  const cwd = typeof params.cwd === 'string' ? params.cwd : undefined;
  const env = params.env;
  const env_names = typeof env === 'object' && env !== null ? Object.keys(env).sort() : [];
  const named = yield* hashFiles(namedPaths(name, params), cwd, lookNow);
  const file_hashes = named.hashes;
  const folder = callFolder(name, params, lookNow().roots);
  return {
    display: approvalDisplay(callText(name, params), name === 'conductor::exec' ? notesOnProgram(named) : []),
    approval_hash: sha256Hex(boundText({ name, params, cwd: folder, file_hashes: named.bound })),
    ...shownFields({ cwd: folder, env_names, file_hashes }),
  };
}

/** The approval of one call with valid params. Reads the files that it names. */
export function approvalOf(name: ToolName, params: Record<string, unknown>, roots: Roots): Approval {
  const now = newLook(roots);
  const steps = approvalSteps(name, params, () => now);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same in short turns. */
export async function approvalInTurns(
  name: ToolName,
  params: Record<string, unknown>,
  roots: Roots,
  turns: Turns,
): Promise<Approval> {
  let now = newLook(roots);
  const steps = approvalSteps(name, params, () => now);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (!turns.due) continue;
    await turns.pass();
    now = newLook(roots);
  }
}
