/** The hint in a reply on how a person could allow what a rule of the policy denied. */

/** Rules that a change in `policy.json` can relax, and the change. */
const HINTS: readonly [RegExp, (rule: string) => string][] = [
  [/^exec\.default$/, () => 'an entry in exec.rules that matches this argv would allow it'],
  [/^exec\.rules\[\d+\] with env$/, () => 'without env the rule allows this argv'],
  [/^exec\.rules\[\d+\]$/, (rule) => `${rule.replaceAll('`', '')} would have to decide otherwise`],
  [/^exec\.shell$/, () => 'argv needs no shell; exec.shell says whether scripts may run'],
  [/^tools\[/, (rule) => `${rule.replaceAll('`', '')} would have to decide otherwise`],
  [/^platforms\./, (rule) => `${rule.replaceAll('`', '')} would have to decide otherwise`],
  [/^policy\.json is broken$/, () => 'policy.json has to be valid first'],
];

/** How a person could allow what that rule denied; null when it is not a rule of the policy. */
export function howToAllow(rule: string): string | null {
  const hint = HINTS.find(([pattern]) => pattern.test(rule));
  return hint ? `A person can change that in policy.json of this host: ${hint[1](rule)}.` : null;
}
