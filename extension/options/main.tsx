/**
 * The options page; under `#popup` what the toolbar button opens, and under `#approval=` the window of one approval. All show
 * what the background page knows.
 */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { PeopleClient } from '../overlay/client.ts';
import type { Format } from '../overlay/format.ts';
import { formatFor } from '../overlay/format.ts';
import type { PressEvent, Verdict } from '../overlay/genuine.ts';
import { Brief, PanelBody } from '../overlay/panel.tsx';
import { PAGE_CSS } from '../overlay/style.ts';
import type { Translate } from '../overlay/texts.ts';
import { translator } from '../overlay/texts.ts';
import { useActions } from '../overlay/use-actions.ts';
import { ApprovalPage } from './approval-page.tsx';
import { ConnectionSection, PairingSection } from './connection-section.tsx';
import { DiagnosticsSection } from './diagnostics-section.tsx';
import { NoticesSection } from './notices-section.tsx';
import { SitesSection } from './sites-section.tsx';

interface PageProps {
  client: PeopleClient;
  t: Translate;
  format: Format;
}

const TICK_MS = 1_000;
const APPROVAL = '#approval=';

/** Nothing of a chat page can lie over these pages: Firefox draws them in a window or a popup of their own. */
const judge = (event: PressEvent): Verdict => (event.isTrusted ? 'genuine' : 'forged');

function useNow(client: PeopleClient): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const draw = () => setNow((before) => Math.max(Date.now(), before + 1));
    const unsubscribe = client.onChange(draw);
    const timer = setInterval(draw, TICK_MS);
    return () => {
      unsubscribe();
      clearInterval(timer);
    };
  }, [client]);
  return now;
}

function Options({ client, t, format }: PageProps) {
  const now = useNow(client);
  const { view } = client;
  return (
    <main>
      <div>
        <h1>{t('options_title')}</h1>
        <p class="note">{t('options_intro')}</p>
      </div>
      {view === null ? (
        <p class="note">{t('connection_connecting')}</p>
      ) : (
        <>
          <ConnectionSection {...{ client, view, now, t, format }} />
          <PairingSection {...{ client, view, t }} />
          <SitesSection {...{ client, view, t }} askFor={(origins) => browser.permissions.request({ origins })} />
          <NoticesSection {...{ client, view, t }} />
          <DiagnosticsSection {...{ client, view, t, format, saveFile }} />
        </>
      )}
    </main>
  );
}

function Popup({ client, t, format }: PageProps) {
  const now = useNow(client);
  const actions = useActions(client, judge, t, 'here');
  const { view } = client;
  const openOptions = () => void client.openOptions().then(() => window.close());
  if (view === null) return <p class="note popup">{t('connection_connecting')}</p>;
  return (
    <main class="popup">
      <h1 class="row">
        {t('app_name')} <Brief view={view} place={null} now={now} t={t} format={format} isOpen />
      </h1>
      <PanelBody {...{ view, place: null, now, t, format, actions }} onOptions={openOptions} />
      <p class="row">
        <span class="grow" />
        <button type="button" class="quiet" onClick={openOptions}>
          {t('open_options')}
        </button>
      </p>
    </main>
  );
}

function Approval({ instructionId, ...props }: PageProps & { instructionId: string }) {
  const now = useNow(props.client);
  const actions = useActions(props.client, judge, props.t, 'here');
  return <ApprovalPage {...{ ...props, now, actions, instructionId }} close={() => window.close()} />;
}

function saveFile(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), TICK_MS);
}

function start(container: HTMLElement): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(PAGE_CSS);
  document.adoptedStyleSheets.push(sheet);
  const language = browser.i18n.getUILanguage();
  const t = translator(browser.i18n);
  document.documentElement.lang = language;
  const { hash } = window.location;
  const isApproval = hash.startsWith(APPROVAL);
  document.title = t(isApproval ? 'approval_title' : 'options_title');
  container.className = 'root';
  const client = new PeopleClient({
    connect: (name) => browser.runtime.connect({ name }),
    after: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    newId: () => crypto.randomUUID(),
  });
  const props = { client, t, format: formatFor(language, Date.now) };
  if (isApproval) {
    const instructionId = decodeURIComponent(hash.slice(APPROVAL.length));
    render(<Approval {...props} instructionId={instructionId} />, container);
  } else render(hash === '#popup' ? <Popup {...props} /> : <Options {...props} />, container);
}

const container = document.getElementById('app');
if (container !== null) start(container);
