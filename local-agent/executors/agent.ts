/** `agent`: a coding agent of `[agents]`, with the dialect that its configuration names. */
import type { AgentSettings, DialectName } from '../config/agent-settings.ts';
import { claude } from './dialects/claude.ts';
import { codex } from './dialects/codex.ts';
import type { AgentState, Dialect } from './dialects/dialect.ts';
import { NO_EVENTS } from './dialects/dialect.ts';
import { gemini } from './dialects/gemini.ts';
import { plain } from './dialects/plain.ts';
import type { Executor, OutputReader } from './executor.ts';
import { failed, launches, refused } from './executor.ts';
import { promptOf } from './prompt.ts';

const DIALECTS: Record<Exclude<DialectName, 'plain'>, Dialect> = { codex, claude, gemini };

export function dialectOf(settings: Pick<AgentSettings, 'dialect' | 'session_path' | 'answer_path'>): Dialect {
  return settings.dialect === 'plain' ? plain(settings) : DIALECTS[settings.dialect];
}

/** Feeds the lines of an agent's output to its dialect. A line that is no JSON object is no event. */
export class AgentReader implements OutputReader {
  readonly #dialect: Dialect;
  #state: AgentState = NO_EVENTS;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  line(line: string): void {
    if (!line.startsWith('{')) return;
    try {
      this.#state = this.#dialect.event(this.#state, JSON.parse(line) as Record<string, unknown>);
    } catch {
      // Not an event: agents also print text.
    }
  }

  view(): AgentState {
    return this.#state;
  }

  get dialect(): Dialect {
    return this.#dialect;
  }
}

function notConfigured(name: string): string {
  return `this host has no agent ${name}: add [agents.${name}] with a command to config.toml and restart the agent`;
}

export const agent: Executor<'agent'> = {
  prepare: (input, step) => {
    const settings = step.agents[input.agent];
    if (settings === undefined) return refused('agent_not_configured', notConfigured(input.agent));
    const variables = step.agentVariables(settings);
    if ('problem' in variables) return refused('agent_not_configured', variables.problem);
    const called = dialectOf(settings).call({
      settings,
      prompt: promptOf(input.prompt, step),
      resumes: step.resumableSession,
      newSessionId: step.newSessionId(),
      secretNames: variables.secretNames,
    });
    return launches({ ...called, env: variables.env });
  },
  reader: (input, agents) => new AgentReader(dialectOf(agents[input.agent] ?? { dialect: 'plain' })),
  judge: (end) => {
    const { reader } = end;
    if (!(reader instanceof AgentReader)) return failed('agent_failed', 'the output of the agent was not read');
    return reader.dialect.judge(reader.view(), end);
  },
};
