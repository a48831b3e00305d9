/**
 * Examples of requests and responses, made from the schemas of the OpenAPI document, so that none of them grows old. What a
 * name does not tell is in `VALUES`; `BODIES` has the requests whose optional fields a caller wants first.
 */
import type { createDocument } from 'zod-openapi';

type OpenApiDocument = ReturnType<typeof createDocument>;

export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  prefixItems?: JsonSchema[];
  minItems?: number;
  minimum?: number;
  exclusiveMinimum?: number;
  pattern?: string;
  description?: string;
}

type PathItem = NonNullable<OpenApiDocument['paths']>[string];
const JSON_MEDIA = 'application/json';
const NOW = 1_790_000_000_000;
const IDS = '_01k5m6q0r8v3x9c2b7n4t6w1yz';
/** Texts by the name of their field. */
const TEXTS: Record<string, string> = {
  controller_id: 'mini',
  assigned_controller_id: 'mini',
  holder_id: 'mini',
  host: 'mini.local',
  holder_host: 'mini.local',
  client_id: 'firefox-1',
  created_by: 'operator',
  subject: 'operator',
  actor: 'operator',
  operation_id: 'question-1',
  remote_conversation_id: '2f1c9a7e-conversation',
  assistant_message_id: '5d0b3c48-message',
  page_url: 'https://chatgpt.com/c/2f1c9a7e-conversation',
  raw_text: '```baa\n@conductor::exec::{"argv": ["uname", "-sr"]}\n```',
  target: 'conductor',
  tool: 'exec',
  rule: 'default',
  folder: '/home/me/src/app',
  argv: 'make',
  title: 'Run the tests',
  goal: 'Run the tests and say what fails',
  task_type: 'shell',
  kind: 'shell',
  name: 'make test',
  repo: 'app',
  executor: 'shell',
  base_ref: 'main',
  branch_name: 'fix-the-tests',
  claim_key: 'a7c2f9',
  acceptance: 'make test succeeds',
  time_zone: 'Europe/Berlin',
  token: 'the token, shown once',
  sign_in_url: 'https://conductor.example.workers.dev/v1/session/link/CODE',
  artifact_url: 'https://conductor.example.workers.dev/artifact/ARTIFACT_ID/SIGNATURE',
  error_code: 'process_failed',
  version: '1.0.0',
  code: 'bad_json',
  jsonrpc: '2.0',
  method: 'tools/list',
  step_status: 'done',
  task_status: 'done',
  text: 'Carry on, please.',
  message_text: 'Carry on, please.',
  prompt: 'Carry on, please.',
  run: `run${IDS}`,
  endpoint: 'send_message',
  ts: '2026-09-21T14:13:20.000Z',
  note: 'reviewed',
  output: 'Linux 6.1.0\n',
};
/** Prefixes of ids whose field is named otherwise than they are. */
const PREFIXES: Record<string, string> = {
  message: 'msg',
  last_message: 'msg',
  instruction: 'ins',
  local_conversation: 'lc',
  command: 'cmd',
  artifact: 'art',
  token: 'tok',
  notice: 'ntc',
  batch: 'tick',
};
/** Optional fields that a caller wants first, by operation; and those that depend on each other. */
const BODIES: Record<string, object> = {
  post_v1_system_pause: { reason: 'maintenance' },
  post_v1_system_resume: { reason: 'maintenance is over' },
  post_v1_messages_by_message_id_progress: {
    items: [{ instruction_id: `ins${IDS}`, started: true }],
  },
  post_v1_tasks: {
    task_type: 'shell',
    repo: 'app',
    steps: [{ kind: 'shell', name: 'make test', input: { argv: ['make', 'test'] } }],
  },
  post_v1_tasks_by_task_id_plan: { steps: [{ kind: 'shell', name: 'make test', input: { argv: ['make', 'test'] } }] },
  post_v1_tasks_by_task_id_cancel: { reason: 'no longer needed' },
  post_v1_steps_by_step_id_checkpoint: { size: 9, content: 'SXQgcGFzc2Vz' },
  put_v1_renewal_settings: { settings: { max_per_day: 20, quiet_hours: { from: '22:00', to: '07:00' } } },
  post_v1_tokens: { role: 'readonly', subject: 'dashboard' },
  put_v1_notices: { address: 'https://ntfy.example/my-topic' },
  post_mcp: { id: 1, method: 'tools/list' },
};

interface Media {
  schema?: JsonSchema;
  example?: unknown;
}
type Content = { content?: Record<string, Media> } | undefined;

/** Adds the example of each body and of each success, where they are JSON. */
export function addExamples(document: OpenApiDocument): void {
  for (const { operationId = '', requestBody, responses = {} } of Object.values(document.paths ?? {}).flatMap(
    operationsOf,
  )) {
    const body = (requestBody as Content)?.content?.[JSON_MEDIA];
    if (body?.schema) body.example = { ...(exampleOf(body.schema, document) as object), ...BODIES[operationId] };
    const [, success] = Object.entries(responses).find(([status]) => Number(status) < 300) ?? [];
    const response = (success as Content)?.content?.[JSON_MEDIA];
    if (response?.schema) response.example = exampleOf(response.schema, document);
  }
}

const operationsOf = ({ get, post, put, delete: remove }: PathItem) =>
  [get, post, put, remove].filter((operation) => operation !== undefined);

/** The example of a schema: required fields, and null where a value may be absent. */
function exampleOf(schema: JsonSchema, document: OpenApiDocument, name = ''): unknown {
  const of = (inner: JsonSchema | undefined, as = name) => exampleOf(inner ?? {}, document, as);
  const types = [schema.type ?? []].flat();
  if (schema.$ref !== undefined) return of(resolve(schema.$ref, document));
  if (schema.const !== undefined) return schema.const;
  if (schema.anyOf !== undefined) return schema.anyOf.some(({ type }) => type === 'null') ? null : of(schema.anyOf[0]);
  if (schema.oneOf !== undefined) return of(schema.oneOf[0]);
  if (schema.allOf !== undefined) return Object.assign({}, ...schema.allOf.map((part) => of(part)));
  if (types.includes('null')) return null;
  if (schema.enum !== undefined) return schema.enum[0];
  switch (types[0]) {
    case 'object':
      return Object.fromEntries(
        fieldsOf(schema).map((field) => [field, of(schema.properties?.[field] ?? otherField(schema), field)]),
      );
    case 'array':
      return schema.items === undefined ? [] : [of(schema.items, name.replace(/s$/, ''))];
    case 'integer':
    case 'number':
      return name.endsWith('_at') ? NOW : Math.max(schema.minimum ?? 0, (schema.exclusiveMinimum ?? -1) + 1);
    case 'boolean':
      return false;
    case 'string':
      return textOf(name, schema.pattern);
    default:
      return null;
  }
}

const fieldsOf = ({ required, properties }: JsonSchema): string[] =>
  (required ?? []).filter((field) => properties === undefined || field in properties);
const otherField = ({ additionalProperties }: JsonSchema): JsonSchema =>
  typeof additionalProperties === 'object' ? additionalProperties : {};

function textOf(name: string, pattern = ''): string {
  const known = TEXTS[name];
  if (known !== undefined) return known;
  const [, prefix] = /^\^([a-z]+)_\[/.exec(pattern) ?? [];
  if (prefix !== undefined) return prefix + IDS;
  if (/hash|sha256/.test(name)) return 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  const [, of] = /^(.*)_id$/.exec(name) ?? [];
  return of === undefined ? name.replaceAll('_', ' ') : (PREFIXES[of] ?? of) + IDS;
}

function resolve(ref: string, { components }: OpenApiDocument): JsonSchema {
  return components?.schemas?.[ref.replace('#/components/schemas/', '')] as JsonSchema;
}
