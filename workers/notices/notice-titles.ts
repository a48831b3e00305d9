/** What a notice says, in each language: the cause alone. The object and the link to it follow. */
import type { NoticeCause, NoticeLanguage } from '../../schema/contracts/notices.ts';

export const NOTICE_TITLES: Readonly<Record<NoticeLanguage, Readonly<Record<'test' | NoticeCause, string>>>> = {
  en: {
    approval: 'An instruction waits for approval',
    interrupted: 'An instruction was interrupted: did it take effect?',
    blocked_step: 'A step of a task waits for a person',
    stopped_browser: 'A browser is stopped',
    paused_by_breaker: 'A conversation was paused after failures',
    no_leader: 'No node leads',
    test: 'Test of the notices',
  },
  zh: {
    approval: '有指令等待批准',
    interrupted: '有指令被中断，需要确认是否已生效',
    blocked_step: '任务的步骤等待人工处理',
    stopped_browser: '浏览器已停止',
    paused_by_breaker: '对话因多次失败而暂停',
    no_leader: '没有主导节点',
    test: '通知测试',
  },
};
