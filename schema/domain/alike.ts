/**
 * Instructions that wait for a person, in groups that are alike: of one conversation, one tool and one program. A group
 * only orders what is shown. Each of its instructions is decided on its own bytes.
 */
import type { Instruction } from '../contracts/instructions.ts';
import { callName } from '../contracts/tools.ts';

type Asking = Pick<Instruction, 'local_conversation_id' | 'target' | 'tool' | 'params'>;

export interface AlikeGroup<T extends Asking> {
  local_conversation_id: string;
  /** `target::tool`. */
  name: string;
  /** The first item of the argv; null for a script and for another tool. */
  program: string | null;
  items: T[];
}

function programOf({ params: { argv } }: Asking): string | null {
  const first: unknown = Array.isArray(argv) ? argv[0] : null;
  return typeof first === 'string' ? first : null;
}

/** In the order of the first of each group. */
export function groupAlike<T extends Asking>(all: readonly T[]): AlikeGroup<T>[] {
  const groups = new Map<string, AlikeGroup<T>>();
  for (const one of all) {
    const { local_conversation_id, target, tool } = one;
    const name = callName(target, tool);
    const program = programOf(one);
    const key = JSON.stringify([local_conversation_id, name, program]);
    const group = groups.get(key) ?? { local_conversation_id, name, program, items: [] };
    group.items.push(one);
    groups.set(key, group);
  }
  return [...groups.values()];
}
