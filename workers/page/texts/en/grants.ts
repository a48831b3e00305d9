/** English: approvals that are alike, the line of the policy, and grants. */
export const GRANTS_EN = {
  alike: '{n} alike: {name} {program}',
  policy_line: 'Allow always, by hand',
  policy_line_about:
    'This line allows exactly this argv on {node}, in every folder and with any input. Put it first in exec.rules of policy.json there. Nothing here adds it.',
  grants: 'Grants',
  grants_about:
    'What runs without asking for a while, in one conversation. A denial of policy.json, a pause and a file that has changed still stop it.',
  no_grants:
    'There is no grant yet. One is made on the page of an instruction that waits for approval, under “Allow the like for this conversation”.',
  grant_offer: 'Allow the like for this conversation',
  grant_create: 'Allow the like',
  grant_leading: 'Exact items',
  grant_further: 'Items after them',
  grant_uses: 'Times',
  grant_hours: 'Hours',
  grant_none: 'none',
  grant_most: 'at most {n}',
  grant_begins:
    'begins with exactly these items, and nothing follows:|begins with exactly these items, and nothing follows:',
  grant_then:
    'begins with exactly these items, and at most {n} more item follows, which is no option:|begins with exactly these items, and at most {n} more items follow, none of them an option:',
  grant_where:
    'in {folder} on {node}, in this conversation only, {uses} times within {hours} hours. Never a script, variables or input.',
  grant_covers: 'Runs without asking: a program whose argv',
  grant_itself: 'This instruction itself still waits for you.',
  grant_question: 'Allow the like without asking?',
  grant_means: 'The chat can then run what these words say without a person. You can revoke it at any time.',
  grant_created: 'The grant was made; what is like this runs without asking.',
  grant_revoke_question: 'Revoke this grant?',
  grant_revoke_means: 'What it would have let run asks again. What it has let run is not undone.',
  grant_revoked: 'The grant is revoked.',
  grant_argv: 'Begins with',
  grant_used: 'Used',
  granted_by: 'By grant',
  reason_grant_not_found: 'there is no such grant',
  reason_ask_not_found: 'there is no such question',
  end_revoked: 'revoked',
  end_expired: 'expired',
  end_used_up: 'used up',
} as const;
