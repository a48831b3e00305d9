/**
 * What a bug report leaves out of texts: secrets by their value, by the place where they are written and by their form, and
 * the home folder. Of a log line only known fields stay, because any other may hold what was said in a chat.
 */

const MARK = '[hidden]';
/** Shorter values are words such as `true`. */
const MIN_SECRET_CHARS = 6;
const SECRET_NAME = /token|secret|passw|api_?key|private_?key|access_?key|auth|cookie|credential|session_?key/i;

/** Forms of secrets with any value. The first group of each stays. */
const FORMS: readonly RegExp[] = [
  /()\bbaa_[\w-]{8,}/g,
  /()\beyJ[\w-]{4,}\.[\w-]+\.[\w-]*/g,
  /()\b(?:sk|pk|ghp|gho|ghs|ghu|xox[abps]|glpat|AKIA|AIza)[-_]?[\w-]{16,}/g,
  /((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:(?:bearer|basic|token)\s+)?[^\s"',}]+/gi,
  /(\bbearer\s+)[^\s"',}]+/gi,
  /((?:set-)?cookie["']?\s*[:=]\s*["']?)[^"'\n}]+/gi,
  /(:\/\/)[^\s/@:]+:[^\s/@]+(?=@)/g,
  /(\/v1\/session\/link\/)[\w-]+/g,
  /([?&][\w-]*(?:token|secret|key|code|sig|signature)=)[^\s&"']+/gi,
  /(\/artifact\/[\w-]+\/)[\w-]+/g,
];

export interface Hidden {
  env: Readonly<Record<string, string | undefined>>;
  /** Values that are secret in any case. */
  secrets: readonly (string | null)[];
  home: string;
}

export type Hide = (text: string) => string;

export function hiderOf({ env, secrets, home }: Hidden): Hide {
  const named = Object.entries(env).flatMap(([name, value]) => (SECRET_NAME.test(name) ? [value] : []));
  const values = [...new Set([...secrets, ...named])]
    .flatMap((value) => value?.trim() || [])
    .filter((value) => value.length >= MIN_SECRET_CHARS)
    .sort((a, b) => b.length - a.length);
  return (text) => {
    let out = text;
    for (const value of values) out = out.replaceAll(value, MARK);
    for (const form of FORMS) out = out.replace(form, (_all, kept: string) => `${kept}${MARK}`);
    return home.length > 1 ? out.replaceAll(home, '~') : out;
  };
}

/** The value with every text in it hidden; keys stay. */
export function hideIn(value: unknown, hide: Hide): unknown {
  if (typeof value === 'string') return hide(value);
  if (Array.isArray(value)) return value.map((one) => hideIn(one, hide));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, hideIn(one, hide)]));
}

const MAX_TEXT_CHARS = 500;
/** Fields of a log line that no chat fills. */
const KNOWN_FIELDS: ReadonlySet<string> = new Set(
  `level time ts at msg message code status state reason kind type name stack error err cause problem method route
  path platform version term cause runner stage result decision trigger outcome attempt tick batch_id queries rows_read
  rows_written duration_ms retry_in_ms pending total budget bytes left_out lost request_id command_id client_id controller_id
  message_id instruction_id job_id run_id step_id task_id plan_id token_id subject_id origin signal role failed_runners colo`
    .split(/\s+/)
    .filter((name) => name !== ''),
);

function knownFields(value: unknown, hide: Hide): unknown {
  if (typeof value === 'string') return hide(value).slice(0, MAX_TEXT_CHARS);
  if (Array.isArray(value)) return value.slice(0, 20).map((one) => knownFields(one, hide));
  if (typeof value !== 'object' || value === null) return value;
  const known = Object.entries(value).filter(([key]) => KNOWN_FIELDS.has(key));
  return Object.fromEntries(known.map(([key, one]) => [key, knownFields(one, hide)]));
}

/** A log line as a bug report has it. A line that is no JSON object is one of the runtime, such as a stack. */
export function safeLine(line: string, hide: Hide): unknown {
  try {
    const json: unknown = JSON.parse(line);
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return knownFields(json, hide);
  } catch {
    // Not JSON.
  }
  return hide(line).slice(0, MAX_TEXT_CHARS);
}
