/** Connects what people see to the other parts: the overlay, the options page and the toolbar button. */
import type { AgentBridgeFrame } from '../../schema/contracts/bridge-frames.ts';
import type { ReportedLine } from '../people-messages.ts';
import type { Diagnostic } from './diagnostics.ts';
import type { Parts } from './parts.ts';
import { withoutIds } from './people/diagnostics.ts';
import { PageControls } from './people/page-controls.ts';
import { startPeople } from './people/people.ts';
import type { PeopleState } from './people/state.ts';
import { WaitingNotices } from './people/waiting-notices.ts';
import type { WaitingPlace } from './people/waiting-objects.ts';
import { SettingsOrders } from './settings-orders.ts';

const DRIFT = 'drift: ';
/** No tab has this id. */
const NO_TAB = -1;

function onFrame(people: PeopleState, controls: PageControls, frame: AgentBridgeFrame): void {
  if (frame.type === 'hello_ack' || frame.type === 'snapshot') people.snapshot(frame.snapshot);
  else if (frame.type === 'page_control_result') controls.ended(frame);
  else if (frame.type === 'error' && frame.re !== null) controls.refused(frame.re, frame.code, frame.message);
}

/** Pages need no id of a message or an address; the export has the same text. */
function lineShown({ platform, conversation_id, text, at, count }: Diagnostic): ReportedLine {
  return { platform, conversationId: conversation_id, text: withoutIds(text), at, count };
}

/** Gives the people's side every piece of news. */
function report(parts: Parts, people: PeopleState, controls: PageControls): void {
  const { bridge, diagnostics, queue, settings, turns } = parts;
  bridge.frames.on((frame) => onFrame(people, controls, frame));
  bridge.statusChanged.on((status) => {
    people.connection(status, bridge.agentUrl ?? settings().agent_url);
    if (status.state === 'unpaired') people.forgetSnapshot();
    if (status.state !== 'connected') controls.connectionLost();
  });
  queue.changed.on(() => people.queue(queue.size, queue.oldestAt, queue.isFull));
  turns.setAside.on((messages) => people.setAside(messages));
  diagnostics.changed.on(() => people.lines(diagnostics.all().map(lineShown).toReversed()));
  diagnostics.reported.on(({ platform, text }) => {
    if (platform !== null && text.startsWith(DRIFT)) people.drift(platform, text.slice(DRIFT.length));
  });
}

export function composePeople(parts: Parts): PeopleState {
  const { env, bridge, isOn, sites, tabs } = parts;
  const { translate, isPermitted, onPermissionsChanged, notifications, showTab, openPage, ...pages } = env.people;
  const { clock, newId } = env;
  const send: Parts['bridge']['send'] = (frame) => bridge.send(frame);
  const controls = new PageControls({
    send,
    newRequestId: newId,
    after: (delayMs, run) => clock.after(delayMs, run),
    translate,
  });
  const showSites = async () => {
    const one = async ({ platform, matches }: (typeof sites)[number]) => ({
      platform,
      isOn: isOn(platform),
      isPermitted: await isPermitted(matches),
    });
    people.sites(await Promise.all(sites.map(one)));
  };
  const orders = new SettingsOrders(parts, translate, showSites);
  let browserName = 'Firefox';
  const nameRead = env.browserName().then((name) => {
    browserName = name;
  });
  nameRead.catch(() => undefined);
  const people: PeopleState = startPeople({
    ...pages,
    translate,
    version: env.extensionVersion,
    get browserName() {
      return browserName;
    },
    now: () => clock.now(),
    platformOf: (url) => tabs.siteOf(url)?.platform ?? null,
    act: (action) => controls.act(action),
    stopHelp: (platform, conversationId) => parts.helpStopped.emit({ platform, conversationId }),
    change: (order) => orders.change(order),
  });
  report(parts, people, controls);
  const { openApproval, openOptions } = pages;
  const lead = async (place: WaitingPlace): Promise<unknown> => {
    if (place.at === 'approval') return openApproval(place.instruction_id);
    if (place.at === 'page') return openPage(place.url);
    const shown = place.at === 'chat' ? tabs.showing(place.platform, place.conversation_id, NO_TAB) : null;
    return shown === null ? openOptions() : showTab(shown.tabId);
  };
  const notices = new WaitingNotices({ storage: env.storage, notifications, translate, clock, lead });
  people.onChange(() => void notices.update(people.view).catch(() => undefined));
  const showQuietly = () => void showSites().catch(() => undefined);
  onPermissionsChanged(showQuietly);
  parts.settingsRead.on(() => {
    people.notices(parts.notices());
    showQuietly();
  });
  return people;
}
