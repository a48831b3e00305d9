/**
 * The JSON Schema of `policy.json`, for editors and for people, generated from the contract.
 * `npm exec -- node test/unit/agent/policy/policy-schema.ts` writes docs/policy.schema.json; format it afterwards.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { PolicySchema } from '../../../../schema/contracts/policy.ts';

export const POLICY_SCHEMA_FILE = fileURLToPath(new URL('../../../../docs/policy.schema.json', import.meta.url));

export function policyJsonSchema(): Record<string, unknown> {
  return { title: 'policy.json of a conductor host', ...z.toJSONSchema(PolicySchema, { io: 'input' }) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(POLICY_SCHEMA_FILE, `${JSON.stringify(policyJsonSchema(), null, 2)}\n`);
}
