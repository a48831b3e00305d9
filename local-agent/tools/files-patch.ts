/**
 * `files/patch`: applies a unified diff to one or more files. All new contents are computed before any file is written.
 * Every context must match, and each file must still have the content that its part was computed from. When a file cannot
 * be written, the files written before it are restored.
 */
import type { StructuredPatch } from 'diff';
import { applyPatch, parsePatch } from 'diff';
import { readWholeFile } from '../host/read-file.ts';
import { FileError } from '../host/roots.ts';
import { removeFile, writeWholeFile } from '../host/write-file.ts';
import type { ToolContext, ToolHandler } from './tool.ts';
import { failure, fileOutcome, success } from './tool.ts';

const NO_FILE = '/dev/null';

/** The content of one file before and after the patch; null when the file does not exist. */
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

/** The files that a patch names, without git's `a/` and `b/`; empty when it is not a patch. */
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
  const prefixed = (from === NO_FILE || from.startsWith('a/')) && (to === NO_FILE || to.startsWith('b/'));
  const plain = (name: string) => (name === NO_FILE ? null : prefixed ? name.slice(2) : name);
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
  if (patched === false)
    throw new PatchError('context_differs', `${to ?? from}: the patch does not match the content of the file`);
  if (target === null && patched !== '')
    throw new PatchError('context_differs', `${from}: the patch removes the file but not all of its content`);
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

function applyChange({ path, before, after }: Change, context: ToolContext): void {
  const { roots, newTemporaryName, keeper } = context;
  const keep = keeper(after);
  const keepUnchanged: typeof keep = (found) => {
    if (!sameBytes(found.bytes, before)) throw new FileError('changed', `${path} has changed meanwhile`);
    keep(found);
  };
  if (after === null) removeFile(roots, path, keepUnchanged);
  else {
    const options = {
      overwrite: before !== null,
      createParents: true,
      temporary: newTemporaryName(),
      keep: keepUnchanged,
    };
    writeWholeFile(roots, path, after, options);
  }
}

function restore({ path, before }: Change, { roots, newTemporaryName }: ToolContext): void {
  if (before === null) removeFile(roots, path);
  else writeWholeFile(roots, path, before, { overwrite: true, createParents: true, temporary: newTemporaryName() });
}

function applyAll(changes: readonly Change[], context: ToolContext): void {
  const applied: Change[] = [];
  try {
    for (const change of changes) {
      applyChange(change, context);
      applied.push(change);
    }
  } catch (error) {
    for (const change of applied.reverse()) restore(change, context);
    throw error;
  }
}

function describeChange({ path, before, after }: Change): string {
  return `${after === null ? 'removed' : before === null ? 'created' : 'patched'} ${path}\n`;
}

export const patchFiles: ToolHandler<'conductor::files/patch'> = async (params, context) => {
  try {
    const changes = parse(params.patch).flatMap((part) => changesOf(part, params.cwd, context));
    if (changes.length === 0) return failure('failed', 'invalid_patch', 'the patch changes nothing');
    const twice = changes.find(({ path }, at) => changes.findIndex((one) => one.path === path) !== at);
    if (twice) return failure('failed', 'invalid_patch', `${twice.path} is named twice`);
    applyAll(changes, context);
    return success(changes.map(describeChange).join(''));
  } catch (error) {
    if (error instanceof PatchError) return failure('failed', error.code, context.redact(error.message));
    return fileOutcome(error);
  }
};
