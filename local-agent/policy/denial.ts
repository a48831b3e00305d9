/** The hint in a reply on how a person could allow what a rule of the policy denied. */

/** Rules that a change in `policy.json` can relax, and the change. */
const HINTS: readonly [RegExp, (rule: string) => string][] = [
  [/^exec\.default$/, () => 'an entry in exec.rules that matches this argv would allow it'],
  [/^exec\.rules\[\d+\] with env$/, () => 'without env the rule allows this argv'],
  [/^exec\.rules\[\d+\]$/, (rule) => `${rule.replaceAll('`', '')} would have to decide otherwise`],
  [/^exec\.shell$/, () => 'argv needs no shell; exec.shell says whether scripts may run'],
  [/^tools\[/, (rule) => `${rule.replaceAll('`', '')} would have to decide otherwise`],
  [/^default for another conversation$/, () => 'an entry in tools for this browser tool would decide without a person'],
  [/^platforms\./, (rule) => `${rule.replaceAll('`', '')} would have to decide otherwise`],
  [/^policy\.json is broken$/, () => 'policy.json has to be valid first'],
];

/** What helps against a denial by the edge. */
const EDGE_HINTS: Readonly<Record<string, string>> = {
  too_many_approvals:
    'Too many instructions wait for a person already. It was not run: ask the person to decide about those, then write it again.',
};

/** What would allow what that rule denied; null when nothing is known that would. */
export function howToAllow(rule: string): string | null {
  const edgeHint = Object.hasOwn(EDGE_HINTS, rule) ? EDGE_HINTS[rule] : undefined;
  if (edgeHint !== undefined) return edgeHint;
  const hint = HINTS.find(([pattern]) => pattern.test(rule));
  return hint ? `A person can change that in policy.json of this host: ${hint[1](rule)}.` : null;
}
