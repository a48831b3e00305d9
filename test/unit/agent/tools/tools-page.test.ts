import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TOOL_NAMES, TOOLS } from '../../../../schema/contracts/tools.ts';

const ParamsSchema = z.looseObject({
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
});

/** The parameters of a tool: optional ones with a question mark, the one that a plain string becomes in bold. */
function paramsOf(name: (typeof TOOL_NAMES)[number]): string {
  const { params, text_param } = TOOLS[name];
  const { properties, required } = ParamsSchema.parse(z.toJSONSchema(params, { io: 'input' }));
  const listed = Object.keys(properties).map((key) => {
    const text = `\`${key}\`${required.includes(key) ? '' : '?'}`;
    return key === text_param ? `**${text}**` : text;
  });
  return listed.join(', ') || 'none';
}

function tableOfTools(): string {
  const rows = TOOL_NAMES.map((name) => {
    const { summary, where } = TOOLS[name];
    return `| \`${name}\` | ${where} | ${paramsOf(name)} | ${summary} |`;
  });
  const head = 'A parameter in bold is what a plain string becomes; a question mark says that it may be missing.';
  return [head, '', '| tool | where | parameters | |', '|---|---|---|---|', ...rows].join('\n');
}

describe('docs/instructions.md', () => {
  it('the list of tools equals the tool table', () => {
    const page = readFileSync(new URL('../../../../docs/instructions.md', import.meta.url), 'utf8');
    const listed = page.split('<!-- tools -->')[1]?.split('<!-- /tools -->')[0]?.trim();
    expect(listed).toBe(tableOfTools());
  });
});
