/**
 * What this host still shows of an instruction that was interrupted: whether its file has the content that it was to
 * write, or what Git says has happened in its folder since. It reads only, and says when it cannot know.
 */
import { createHash } from 'node:crypto';
import type { Instruction } from '../schema/contracts/instructions.ts';
import { callName } from '../schema/contracts/tools.ts';
import { findRepository } from './host/git-repository.ts';
import type { FileSlice } from './host/read-file.ts';
import { readFileSlice } from './host/read-file.ts';
import type { Roots } from './host/roots.ts';
import { FileError } from './host/roots.ts';
import { programSurroundings } from './tools/program-environment.ts';
import { parseCall } from './tools/tool-call.ts';
import { GitError, git } from './worktrees/git-command.ts';

export interface EffectEvidence {
  /** `unknown`: what is found here does not decide it. */
  verdict: 'done' | 'not_done' | 'unknown';
  /** What was found, one line each. */
  found: string[];
}

export interface EvidenceHost {
  /** The folders that the tools of this host may touch. */
  roots: Roots;
  env: Readonly<Record<string, string | undefined>>;
  now: number;
}

type Interrupted = Pick<Instruction, 'target' | 'tool' | 'params' | 'started_at' | 'created_at'>;

const MAX_FILE_BYTES = 2 * 1024 * 1024;
const NS_PER_MS = 1_000_000n;
const GIT_TIMEOUT_MS = 20_000;
/** Lines of Git that are shown of each question. */
const MAX_LINES = 20;

/** Looks at this host. It changes nothing. */
export async function findEvidence(instruction: Interrupted, host: EvidenceHost): Promise<EffectEvidence> {
  const parsed = parseCall(callName(instruction.target, instruction.tool), instruction.params);
  if (!parsed.ok) return unknown(`the call cannot be read by this version: ${parsed.message}`);
  const { name, params } = parsed.call;
  try {
    if (name === 'conductor::files/write') return lookAtFile(params as unknown as WriteParams, instruction, host.roots);
    if (name === 'conductor::exec') return await lookAtFolder(params as { cwd?: string }, instruction, host);
  } catch (error) {
    if (error instanceof FileError || error instanceof GitError) return unknown(error.message);
    throw error;
  }
  return unknown(`nothing on this host shows what ${name} has done`);
}

function unknown(...found: string[]): EffectEvidence {
  return { verdict: 'unknown', found };
}

interface WriteParams {
  path: string;
  cwd?: string;
  content: string;
  encoding?: 'utf8' | 'base64';
  append?: boolean;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function lookAtFile(
  { path: named, cwd, content, encoding, append }: WriteParams,
  { started_at }: Interrupted,
  roots: Roots,
): EffectEvidence {
  const path = roots.resolve(named, cwd);
  const wanted = Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8');
  const asked = `the instruction was to ${append ? 'append' : 'write'} ${wanted.length} bytes, sha256 ${sha256(wanted)}`;
  const file = contentOf(roots, path);
  if (file === null) {
    return {
      verdict: 'not_done',
      found: [`${path} does not exist: it was not written, or it was removed since`, asked],
    };
  }
  if (file.size > file.bytes.length) return unknown(`${path} has ${file.size} bytes, too many to compare`, asked);
  const is = `${path} has ${file.size} bytes, sha256 ${sha256(file.bytes)}`;
  const compared = append ? file.bytes.subarray(Math.max(0, file.size - wanted.length)) : file.bytes;
  const isEqual = compared.equals(wanted);
  // The file may have ended so before, and something may have been added since.
  if (append) return unknown(is, asked, isEqual ? 'the file ends with these bytes' : 'the file does not end with them');
  if (isEqual) return { verdict: 'done', found: [is, asked] };
  const changed = `it was last changed at ${new Date(Number(file.changedAtNs / NS_PER_MS)).toISOString()}`;
  const isOlder = started_at !== null && file.changedAtNs / NS_PER_MS < BigInt(started_at);
  if (isOlder) return { verdict: 'not_done', found: [is, asked, `${changed}, before the instruction started`] };
  return unknown(is, asked, `${changed}: it may have been written and then changed`);
}

function contentOf(roots: Roots, path: string): FileSlice | null {
  try {
    return readFileSlice(roots, path, { offset: 0, length: MAX_FILE_BYTES });
  } catch (error) {
    if (error instanceof FileError && error.code === 'not_found') return null;
    throw error;
  }
}

async function lookAtFolder(
  { cwd = '.' }: { cwd?: string },
  { started_at, created_at }: Interrupted,
  { roots, env, now }: EvidenceHost,
): Promise<EffectEvidence> {
  const folder = roots.resolve(cwd);
  roots.admitReachable(folder);
  if (findRepository(folder) === null) {
    return unknown(`${folder} is in no Git repository, so nothing here shows what the program has done`);
  }
  const since = started_at ?? created_at;
  const context = {
    env: programSurroundings({ agent: { env, roots }, given: {}, folder }).env,
    signal: AbortSignal.timeout(GIT_TIMEOUT_MS),
  };
  const ask = async (...args: string[]) => (await git(folder, args, context, { timeoutMs: GIT_TIMEOUT_MS })).trim();
  const age = `${Math.ceil((now - since) / 1_000)} s ago, when it started`;
  const log = await ask('log', '--all', '--format=%h %cI %s', `--since=${new Date(since).toISOString()}`);
  const changes = await ask('status', '--short', '--branch');
  return unknown(
    ...block(`commits since ${age}`, log),
    ...block(`what Git says of ${folder} now`, changes),
    'whether that is the effect of the program is for you to say',
  );
}

function block(title: string, text: string): string[] {
  const lines = text === '' ? [] : text.split('\n');
  const rest = lines.length - MAX_LINES;
  return [
    `${title}: ${lines.length === 0 ? 'none' : ''}`.trimEnd(),
    ...lines.slice(0, MAX_LINES).map((line) => `  ${line}`),
    ...(rest > 0 ? [`  and ${rest} more lines`] : []),
  ];
}
