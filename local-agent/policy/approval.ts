/**
 * What a person sees and approves. The display is the exact text with invisible characters made visible. The hash covers
 * the whole call and the files that it names, so that neither can change between the approval and the effect.
 */
import canonicalize from 'canonicalize';
import type { z } from 'zod';
import type { ApprovalSchema } from '../../schema/contracts/instructions.ts';
import type { ToolName, ToolParams } from '../../schema/contracts/tools.ts';
import { makeVisible } from '../../schema/domain/visible.ts';
import { readFileSlice } from '../host/read-file.ts';
import type { Roots } from '../host/roots.ts';
import { FileError } from '../host/roots.ts';
import { sha256Hex } from '../lib/hash.ts';
import { patchedPaths } from '../tools/files-patch.ts';

type Approval = z.infer<typeof ApprovalSchema>;

const MAX_DISPLAY_CHARS = 60_000;
const MAX_HASHED_BYTES = 8 * 1024 * 1024;

function callText(name: ToolName, params: Record<string, unknown>): string {
  if (name === 'conductor::exec') {
    const { argv, command, stdin, env = {} } = params as ToolParams<'conductor::exec'>;
    const call = argv ? `argv: ${JSON.stringify(argv)}` : `script:\n${command}`;
    const variables = Object.entries(env).map(([key, value]) => `\nenv ${key}=${JSON.stringify(value)}`);
    return `${call}${variables.join('')}${stdin === undefined ? '' : `\nstdin:\n${stdin}`}`;
  }
  if (name === 'conductor::files/patch') return (params as ToolParams<'conductor::files/patch'>).patch;
  if (name === 'conductor::files/write') {
    const { path, content, encoding } = params as ToolParams<'conductor::files/write'>;
    return `path: ${path}\ncontent (${encoding ?? 'utf8'}):\n${content}`;
  }
  return JSON.stringify(params, null, 2);
}

function displayText(text: string): string {
  const visible = makeVisible(text);
  if (visible.length <= MAX_DISPLAY_CHARS) return visible;
  const left = visible.length - MAX_DISPLAY_CHARS;
  return `${visible.slice(0, MAX_DISPLAY_CHARS).toWellFormed()}\n[${left} more characters, covered by the hash]`;
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

function hashFiles(paths: readonly string[], cwd: string | undefined, roots: Roots): Record<string, string> {
  const hashes: Record<string, string> = {};
  for (const named of new Set(paths)) {
    try {
      const path = roots.resolve(named, cwd);
      const { bytes, size, changedAtNs } = readFileSlice(roots, path, { offset: 0, length: MAX_HASHED_BYTES });
      // A file too large to be read whole is also bound by the time of its last change.
      const part = ` of the first ${bytes.length} of ${size} bytes, unchanged since ${changedAtNs}`;
      hashes[path] = `${sha256Hex(bytes)}${size > bytes.length ? part : ''}`;
    } catch (error) {
      // Not a file inside the roots: an option, a program on PATH, or a file that is still to be written.
      if (!(error instanceof FileError)) throw error;
    }
  }
  return hashes;
}

/** The folder it would run in. An invalid one is shown as it was written, and the effect refuses it. */
function folderOf(cwd: string, roots: Roots): string {
  try {
    return roots.resolve(cwd);
  } catch (error) {
    if (error instanceof FileError) return cwd;
    throw error;
  }
}

/** The approval of one call with valid params. Reads the files that it names. */
export function approvalOf(name: ToolName, params: Record<string, unknown>, roots: Roots): Approval {
  const cwd = typeof params.cwd === 'string' ? params.cwd : undefined;
  const env = params.env;
  const env_names = typeof env === 'object' && env !== null ? Object.keys(env).sort() : [];
  const file_hashes = hashFiles(namedPaths(name, params), cwd, roots);
  const folder = name === 'conductor::exec' || cwd !== undefined ? folderOf(cwd ?? '.', roots) : null;
  const bound = canonicalize({ name, params, cwd: folder, file_hashes }) ?? '';
  return {
    display: displayText(callText(name, params)),
    approval_hash: sha256Hex(bound),
    cwd: folder,
    env_names,
    file_hashes,
  };
}
