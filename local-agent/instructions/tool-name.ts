/** A stored `target::tool`, which an older or newer version may have written, as a name in the tool table. */
import type { ToolName } from '../../schema/contracts/tools.ts';
import { toolName } from '../../schema/contracts/tools.ts';

export function toolNameOf(stored: string): ToolName | null {
  const at = stored.indexOf('::');
  return at < 0 ? null : toolName(stored.slice(0, at), stored.slice(at + 2));
}
