/** The caller, the language, and the way out. */
import { usePage } from '../page-context.ts';
import { language, setLanguage, t, word } from '../texts/texts.ts';

export function Who({ onShortcuts }: { onShortcuts: () => void }) {
  const { session, signOut, format } = usePage();
  const other = language() === 'en' ? 'zh' : 'en';
  const until = session.expires_at === null ? '' : t('signed_in_until', { at: format.exact(session.expires_at) });
  return (
    <div class="who">
      <span class="name" title={`${session.subject} · ${word('role', session.role)}. ${until}`}>
        {session.subject}
      </span>
      <button type="button" class="quiet" lang={other === 'zh' ? 'zh-CN' : 'en'} onClick={() => setLanguage(other)}>
        {other === 'zh' ? '中文' : 'English'}
      </button>
      <button type="button" class="quiet key" aria-label={t('shortcuts')} title={t('shortcuts')} onClick={onShortcuts}>
        ?
      </button>
      <button
        type="button"
        class="quiet"
        title={session.via === 'access' ? t('sign_out_access') : undefined}
        onClick={signOut}
      >
        {t('sign_out')}
      </button>
    </div>
  );
}
