/**
 * `files/patch`: a unified diff over one or more files. Everything is worked out before anything is written; every
 * context must fit, and each file must still hold what its part was worked out on. When a later file cannot be
 * written, the earlier ones get their content back.
 */
import type { StructuredPatch } from 'diff';
import { applyPatch, parsePatch } from 'diff';
import { writeWholeFile } from '../host/fs.ts';
import { readWholeFile, removeFile } from '../host/remove.ts';
import { FileError } from '../host/roots.ts';
import type { ToolContext, ToolHandler } from './tool.ts';
import { ended, fileOutcome, succeeded } from './tool.ts';

const NOWHERE = '/dev/null';

/** One file as it is and as it shall be; null where there is none. */
interface Change {
  path: string;
  before: Buffer | null;
  after: Buffer | null;
}

class PatchError extends Error {
  override readonly name = 'PatchError';
  readonly code: 'invalid_patch' | 'context_differs';

  constructor(code: PatchError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** The files that a patch names, as they are written there without git's `a/` and `b/`; none when it is no patch. */
export function patchedPaths(patch: string): string[] {
  try {
    return parse(patch).flatMap((part) => {
      const { from, to } = namesOf(part);
      return [from, to].filter((name) => name !== null);
    });
  } catch (error) {
    if (error instanceof PatchError) return [];
    throw error;
  }
}

function parse(patch: string): StructuredPatch[] {
  try {
    return parsePatch(patch.endsWith('\n') ? patch : `${patch}\n`);
  } catch (error) {
    throw new PatchError('invalid_patch', error instanceof Error ? error.message : String(error));
  }
}

function namesOf(part: StructuredPatch): { from: string | null; to: string | null } {
  const { oldFileName: from, newFileName: to } = part;
  if (from === undefined || to === undefined) throw new PatchError('invalid_patch', 'a part names no file (---, +++)');
  const prefixed = (from === NOWHERE || from.startsWith('a/')) && (to === NOWHERE || to.startsWith('b/'));
  const plain = (name: string) => (name === NOWHERE ? null : prefixed ? name.slice(2) : name);
  return { from: plain(from), to: plain(to) };
}

function textOf(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FileError('not_utf8', `${name} is not UTF-8 text`);
  }
}

function changesOf(part: StructuredPatch, cwd: string | undefined, { roots }: ToolContext): Change[] {
  const { from, to } = namesOf(part);
  if (part.isBinary || part.isCopy) throw new PatchError('invalid_patch', 'binary parts and copies are not supported');
  const source = from === null ? null : roots.resolve(from, cwd);
  const target = to === null ? null : roots.resolve(to, cwd);
  const before = source === null ? null : readWholeFile(roots, source, { anyNames: false });
  if (source !== null && before === null) throw new FileError('not_found', `${from}: not found`);
  const patched = applyPatch(before === null ? '' : textOf(before, from ?? ''), part);
  if (patched === false) throw new PatchError('context_differs', `${to ?? from}: the patch does not fit what is there`);
  if (target === null && patched !== '')
    throw new PatchError('context_differs', `${from}: the patch removes only a part`);
  const after = target === null ? null : Buffer.from(patched, 'utf8');
  if (source === target && source !== null) return [{ path: source, before, after }];
  return [
    ...(target === null ? [] : [{ path: target, before: null, after }]),
    ...(source === null ? [] : [{ path: source, before, after: null }]),
  ];
}

function sameBytes(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}

function make({ path, before, after }: Change, context: ToolContext): void {
  const { roots, newTemporaryName, keeper } = context;
  const keep = keeper(after);
  const checked: typeof keep = (found) => {
    if (!sameBytes(found.bytes, before)) throw new FileError('changed', `${path} has changed meanwhile`);
    keep(found);
  };
  if (after === null) removeFile(roots, path, checked);
  else {
    const options = { overwrite: before !== null, createParents: true, temporary: newTemporaryName(), keep: checked };
    writeWholeFile(roots, path, after, options);
  }
}

function takeBack({ path, before }: Change, { roots, newTemporaryName }: ToolContext): void {
  if (before === null) removeFile(roots, path);
  else writeWholeFile(roots, path, before, { overwrite: true, createParents: true, temporary: newTemporaryName() });
}

function makeAll(changes: readonly Change[], context: ToolContext): void {
  const made: Change[] = [];
  try {
    for (const change of changes) {
      make(change, context);
      made.push(change);
    }
  } catch (error) {
    for (const change of made.reverse()) takeBack(change, context);
    throw error;
  }
}

function told({ path, before, after }: Change): string {
  return `${after === null ? 'removed' : before === null ? 'made' : 'patched'} ${path}\n`;
}

export const patchFiles: ToolHandler<'conductor::files/patch'> = async (params, context) => {
  try {
    const changes = parse(params.patch).flatMap((part) => changesOf(part, params.cwd, context));
    if (changes.length === 0) return ended('failed', 'invalid_patch', 'the patch changes nothing');
    const twice = changes.find(({ path }, at) => changes.findIndex((one) => one.path === path) !== at);
    if (twice) return ended('failed', 'invalid_patch', `${twice.path} is named twice`);
    makeAll(changes, context);
    return succeeded(changes.map(told).join(''));
  } catch (error) {
    if (error instanceof PatchError) return ended('failed', error.code, context.redact(error.message));
    return fileOutcome(error);
  }
};
