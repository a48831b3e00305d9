/**
 * `firefox`: runs a Firefox of its own for the chats, with the extension installed, paired and connected, until that
 * Firefox is closed or this command gets a signal. The profile stays, with its logins and its pairing.
 */
import { resolve } from 'node:path';
import { Argument, InvalidArgumentError, Option } from 'commander';
import { connectionOptions, valueOption } from '../config/flags.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { ManifestVersion } from '../firefox/archive.ts';
import { builtArchive } from '../firefox/archive.ts';
import { buildName, readBuild, signatureProblem, takesUnsigned } from '../firefox/build-kind.ts';
import { findFirefox } from '../firefox/find.ts';
import { whyNotRunning } from '../firefox/installed.ts';
import { openFirefox } from '../firefox/open.ts';
import type { Prefs } from '../firefox/prefs.ts';
import { parsePref } from '../firefox/prefs.ts';
import type { FirefoxProcess } from '../firefox/process.ts';
import { openIdentity, originOf, profileOf, reserveProfile, saveIdentity } from '../firefox/profile.ts';
import { START_PAGES, startPage } from '../firefox/start-page.ts';
import { PROGRAM_FOLDER } from '../host/program-file.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { agentAccess, edgeOptions, withEdge } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import type { PairedIdentity } from './firefox-pairing.ts';
import { ensurePaired, untilConnected } from './firefox-pairing.ts';
import { present, printFields } from './output.ts';

const CONNECT_MS = 60_000;
const URL_ARGUMENT = new Argument('[url]', `the page to open: ${START_PAGES}`).argParser((text: string) => {
  try {
    return startPage(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
});

interface Plan {
  program: string;
  profile: string;
  agentUrl: string;
  manifestVersion: ManifestVersion;
  headless: boolean;
  bidi: boolean;
  temporary: boolean;
  given: Prefs;
  url: string | null;
}

/** What this command is to start, and with which agent. @throws an Error that says what to do */
function planOf(args: Args, deps: CommandDeps): Plan {
  const { localApi } = agentAccess(args, deps);
  const temporary = args.temporary === true;
  const program = findFirefox(optionalText(args, 'firefox'), deps.env, (found) => takesUnsigned(readBuild(found)));
  const problem = temporary ? null : signatureProblem(program, readBuild(program));
  if (problem !== null) throw new Error(problem);
  const headless = args.headless === true;
  requireDisplay(headless, deps);
  const { root } = configOf(args, deps, connectionOptions).config;
  return {
    program,
    profile: resolve(deps.env.INIT_CWD ?? '.', optionalText(args, 'profile') ?? profileOf(root)),
    agentUrl: localApi,
    manifestVersion: args.manifest === '3' ? 3 : 2,
    headless,
    bidi: args.bidi === true,
    temporary,
    given: Object.fromEntries(Array.isArray(args.pref) ? args.pref.flatMap((text) => [parsePref(text) ?? []]) : []),
    url: optionalText(args, 'url') ?? null,
  };
}

function requireDisplay(headless: boolean, { env }: CommandDeps): void {
  if (headless || process.platform !== 'linux' || env.DISPLAY || env.WAYLAND_DISPLAY || env.MOZ_HEADLESS) return;
  throw new Error(
    'there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set): run it in a desktop session, or with --headless',
  );
}

function readyLine(firefox: FirefoxProcess, plan: Plan, identity: PairedIdentity, bidiUrl: string | null) {
  return {
    ready: true,
    pid: firefox.pid,
    profile: plan.profile,
    ...(bidiUrl !== null && { bidi_url: bidiUrl }),
    extension_origin: originOf(identity),
    client_id: identity.client_id,
  };
}

/** Why the extension has not connected, and what to do. */
function notConnected(firefox: FirefoxProcess, plan: Plan, extensionId: string): string {
  if (!firefox.isRunning) return `Firefox has ended before the extension connected: ${firefox.lastOutput()}`;
  const why = whyNotRunning(plan.profile, extensionId);
  const rest = `the extension runs, but cannot reach the agent at ${plan.agentUrl}: is it on 127.0.0.1 or localhost, and still running? (conductor status)`;
  return `the extension has not connected within ${CONNECT_MS / 1_000} s: ${why ?? rest}`;
}

async function runIn(plan: Plan, args: Args, deps: CommandDeps, agent: EdgeClient): Promise<number> {
  const { profile, agentUrl, program } = plan;
  const stop = new AbortController();
  const stopped = deps.stopSignal().then(() => stop.abort());
  const archive = await builtArchive({ ...plan, program: PROGRAM_FOLDER, version: deps.version, say: deps.warn });
  const identity = await ensurePaired(openIdentity(profile), {
    agent,
    withOperator: (use) => withEdge(args, deps, use),
    warn: deps.warn,
  });
  saveIdentity(profile, identity);
  if (stop.signal.aborted) return EXIT.fine;
  const { client_id, token } = identity;
  const provision = { agent_url: agentUrl, client_id, token: token.secret, headless: plan.headless };
  const firefox = await openFirefox({ ...plan, identity, archive, provision, env: deps.env });
  try {
    const isOver = () => stop.signal.aborted || !firefox.isRunning;
    const isConnected = await untilConnected(agent, identity.client_id, { limitMs: CONNECT_MS, isOver });
    if (stop.signal.aborted) return EXIT.fine;
    if (!isConnected) throw new Error(notConnected(firefox, plan, archive.id));
    const bidiUrl = plan.bidi || plan.temporary ? await firefox.bidiUrl() : null;
    if (bidiUrl !== null) deps.warn(OPEN_PORT);
    const ready = readyLine(firefox, plan, identity, bidiUrl);
    present(args, deps, ready, () => {
      deps.print('Firefox is ready: its extension is paired and connected. Ctrl-C closes it.');
      printFields(deps, { firefox: `${buildName(readBuild(program))} (${program})`, ...ready });
    });
    await Promise.race([firefox.ended, stopped]);
    return stop.signal.aborted ? EXIT.fine : await firefox.ended;
  } finally {
    await firefox.close();
  }
}

const OPEN_PORT =
  'a debugging port (WebDriver BiDi) stays open on loopback while this Firefox runs: every program on this machine can use its logins. Use it for tests only';

async function run(args: Args, deps: CommandDeps): Promise<number> {
  const plan = planOf(args, deps);
  const { localApi, sharedToken } = agentAccess(args, deps);
  const release = reserveProfile(plan.profile);
  const agent = deps.connect(localApi, sharedToken);
  try {
    return await runIn(plan, args, deps, agent);
  } finally {
    await agent.close();
    release();
  }
}

function prefOption(text: string, before: readonly string[] = []): readonly string[] {
  if (parsePref(text) === null) throw new InvalidArgumentError('It must be NAME=VALUE.');
  return [...before, text];
}

export const firefox: CliCommand = {
  name: 'firefox',
  about: 'run a Firefox for the chats, with the extension installed and paired',
  examples: ['firefox https://claude.ai/new', 'firefox --headless --profile /tmp/profile'],
  argument: URL_ARGUMENT,
  options: [
    ...edgeOptions,
    valueOption('--firefox <path>', 'the program, or the .app of macOS (default: the first that is found)'),
    valueOption('--profile <folder>', 'the profile (default: firefox/profile below the root)'),
    new Option('--headless', 'without a window'),
    new Option('--pref <name=value>', 'a preference of Firefox; may be repeated').argParser(prefOption),
    new Option('--bidi', 'leave WebDriver BiDi open on loopback, for tests'),
    new Option(
      '--temporary',
      'install over WebDriver BiDi until Firefox is closed, for builds that require signatures',
    ),
    new Option('--manifest <version>', 'Manifest V2, or V3 of the same extension').choices(['2', '3']).default('2'),
  ],
  run,
};
