/** Chinese: approvals that are alike, the line of the policy, and grants. */
import type { GRANTS_EN } from '../en/grants.ts';

export const GRANTS_ZH: Record<keyof typeof GRANTS_EN, string> = {
  alike: '{n} 个同类：{name} {program}',
  policy_line: '手动设为始终允许',
  policy_line_about:
    '此行在 {node} 上准确允许这一 argv，适用于任何文件夹和任何输入。请将它放在该机器 policy.json 的 exec.rules 首位。此页不会自动添加。',
  grants: '授权',
  grants_about:
    '在一段时间内、在一个对话中无需询问即可执行的内容。policy.json 的拒绝、暂停以及已变化的文件仍会阻止它。',
  no_grants: '还没有授权。在等待批准的指令页面上，用“允许此对话中的同类操作”创建。',
  grant_offer: '允许此对话中的同类操作',
  grant_create: '允许同类',
  grant_leading: '固定项',
  grant_further: '其后的项',
  grant_uses: '次数',
  grant_hours: '小时',
  grant_none: '无',
  grant_most: '最多 {n} 项',
  grant_begins: '以下列各项准确开头，其后没有任何内容：',
  grant_then: '以下列各项准确开头，其后最多 {n} 项，且都不是选项：',
  grant_where: '位于 {node} 的 {folder}，仅限此对话，{hours} 小时内 {uses} 次。绝不包括脚本、环境变量或标准输入。',
  grant_covers: '无需询问即可执行：程序的 argv',
  grant_itself: '此指令本身仍在等待您的决定。',
  grant_question: '允许同类操作而不再询问？',
  grant_means: '此后该对话可以在无人批准的情况下执行上述内容。您可以随时撤销。',
  grant_created: '授权已建立；同类操作将不再询问。',
  grant_revoke_question: '撤销此授权？',
  grant_revoke_means: '它本可放行的内容将重新询问。已放行的内容不会被撤回。',
  grant_revoked: '授权已撤销。',
  grant_argv: '开头',
  grant_used: '已用',
  granted_by: '依据授权',
  reason_grant_not_found: '没有这样的授权',
  end_revoked: '已撤销',
  end_expired: '已过期',
  end_used_up: '已用完',
};
