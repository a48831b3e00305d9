/** What is installed as a service, and what of it no longer fits this program and this root: for `service` and `doctor`. */
import type { Loaded, ServiceHost, ServiceManager } from './manager.ts';
import { ServiceError } from './manager.ts';
import type { InstalledService, ServicePlan } from './plan.ts';
import { rootIn } from './plan.ts';

export type StaleCode =
  | 'unreadable'
  | 'other_root'
  | 'node_missing'
  | 'other_node'
  | 'program_missing'
  | 'other_program'
  | 'other_content';

/** One reason why the file of the service no longer fits, as a person reads it. */
export interface StaleReason {
  code: StaleCode;
  text: string;
}

export interface ServiceState {
  manager: ServiceManager['name'];
  file: string;
  installed: boolean;
  /** The root of the installed service; null when none is installed or it names none. */
  root: string | null;
  /** Empty when the file says what `service install` would write now, or when nothing is installed. */
  stale: readonly StaleReason[];
  /** What the manager says; null when it cannot be asked, for the reason in `problem`. */
  loaded: Loaded | null;
  problem: string | null;
}

export interface StateSources {
  manager: ServiceManager;
  host: Pick<ServiceHost, 'readFile' | 'exists'>;
  /** What would be installed now, with the settings that the installed file names. */
  plan: ServicePlan;
}

/** How many words of the command line come before the ports, which the person chose who installed the service. */
const WORDS_BEFORE_PORTS = 5;

/** The plan with what the installed file may have differently: ports, and the PATH of another shell. */
function comparable(plan: ServicePlan, { argv, environment }: InstalledService): ServicePlan {
  const words = [...plan.argv.slice(0, WORDS_BEFORE_PORTS), ...argv.slice(WORDS_BEFORE_PORTS)];
  const { PATH: path = '' } = environment;
  return { ...plan, argv: words, environment: { ...plan.environment, PATH: path } };
}

function staleReasons(text: string, installed: InstalledService, sources: StateSources): StaleReason[] {
  const { manager, host, plan } = sources;
  const [node = '', program = ''] = installed.argv;
  const [plannedNode = '', plannedProgram = ''] = plan.argv;
  const root = rootIn(installed);
  if (root !== plan.root)
    return [{ code: 'other_root', text: `it runs the root ${root ?? '(none)'}, not ${plan.root}` }];
  const reasons: StaleReason[] = [];
  if (!host.exists(node)) reasons.push({ code: 'node_missing', text: `its Node ${node} is no longer there` });
  else if (node !== plannedNode)
    reasons.push({ code: 'other_node', text: `it uses the Node ${node}, not ${plannedNode}` });
  if (!host.exists(program))
    reasons.push({ code: 'program_missing', text: `its program ${program} is no longer there` });
  else if (program !== plannedProgram)
    reasons.push({ code: 'other_program', text: `it runs the program ${program}, not ${plannedProgram}` });
  if (reasons.length === 0 && manager.render(comparable(plan, installed)) !== text)
    reasons.push({ code: 'other_content', text: 'it was written by another version, or for other settings' });
  return reasons;
}

/** Reads the file and asks the manager. It changes nothing. */
export async function serviceState(sources: StateSources): Promise<ServiceState> {
  const { manager, host } = sources;
  const { name, file } = manager;
  const text = host.readFile(file);
  const asked = await ask(manager);
  if (text === null) return { manager: name, file, installed: false, root: null, stale: [], ...asked };
  const installed = manager.read(text);
  const stale: StaleReason[] =
    installed === null
      ? [{ code: 'unreadable', text: 'it is not a file that "service install" wrote' }]
      : staleReasons(text, installed, sources);
  const root = installed === null ? null : rootIn(installed);
  return { manager: name, file, installed: true, root, stale, ...asked };
}

async function ask(manager: ServiceManager): Promise<Pick<ServiceState, 'loaded' | 'problem'>> {
  try {
    return { loaded: await manager.look(), problem: null };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { loaded: null, problem: error.message };
  }
}
