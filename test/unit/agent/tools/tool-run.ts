/** Runs host tools in a workspace on a real file system. Changes are kept for undo; one secret is redacted. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Roots } from '../../../../local-agent/host/roots.ts';
import { openRoots } from '../../../../local-agent/host/roots.ts';
import { UndoStore } from '../../../../local-agent/host/undo.ts';
import { redactor } from '../../../../local-agent/lib/redact.ts';
import { runHostTool } from '../../../../local-agent/tools/registry.ts';
import type { InstructionResult, ToolContext } from '../../../../local-agent/tools/tool.ts';
import { newMark } from '../../../../local-agent/worker-runner/left-behind.ts';
import type { HostTool } from '../../../../schema/contracts/tools.ts';
import { TOOLS } from '../../../../schema/contracts/tools.ts';
import { useWorkspace } from '../host/workspace.ts';

export const SECRET = 'hunter2-hunter2';
export const INSTRUCTION_ID = 'ins_1';

export class ToolRun {
  readonly #workspace = useWorkspace();
  #temporaryNames = 0;

  get base(): string {
    return this.#workspace.base;
  }

  get root(): string {
    return this.#workspace.root;
  }

  /** Protects `policy.json` and the folder `agent`. */
  get roots(): Roots {
    return openRoots([this.root], [join(this.root, 'policy.json'), join(this.root, 'agent')]);
  }

  get undo(): UndoStore {
    return new UndoStore(join(this.base, 'undo'));
  }

  readonly newTemporaryName = (): string => {
    this.#temporaryNames += 1;
    return `.temporary-${this.#temporaryNames}`;
  };

  run(name: HostTool, params: unknown, with_: Partial<ToolContext> = {}): Promise<InstructionResult> {
    const context: ToolContext = {
      roots: this.roots,
      redact: redactor(null, { env: { BAA_SECRET: SECRET }, readFile: () => null }),
      env: { PATH: process.env.PATH, HOME: '/home/someone', BAA_SHARED_TOKEN: SECRET },
      signal: new AbortController().signal,
      timeoutMs: 60_000,
      newTemporaryName: this.newTemporaryName,
      keeper: (change) => this.undo.keeper(INSTRUCTION_ID)(change),
      mark: newMark(),
      onProcess: () => undefined,
      onOutput: () => undefined,
      ...with_,
    };
    return runHostTool(name, TOOLS[name].params.parse(params), context, () => performance.now());
  }

  /** Writes files with their folders, by paths below the root. */
  makeFiles(files: Record<string, string>): void {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), content);
    }
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }
}
