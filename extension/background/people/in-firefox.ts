/** What the people's side needs of Firefox, with either version of the manifest. */

import { translator } from '../../overlay/texts.ts';
import type { PeopleDeps } from './people.ts';

const POPUP = 'options/options.html#popup';

export type FirefoxDeps = Pick<
  PeopleDeps,
  'onConnect' | 'ownOrigin' | 'version' | 'manifestVersion' | 'translate' | 'showBadge' | 'openOptions' | 'now'
>;

export function peopleInFirefox(): FirefoxDeps {
  const { version, manifest_version: manifestVersion } = browser.runtime.getManifest();
  const button = manifestVersion === 2 ? browser.browserAction : browser.action;
  void button.setPopup({ popup: POPUP });
  return {
    version,
    manifestVersion,
    ownOrigin: browser.runtime.getURL(''),
    now: Date.now,
    translate: translator(browser.i18n),
    onConnect: (listener) => browser.runtime.onConnect.addListener(listener),
    openOptions: () => browser.runtime.openOptionsPage(),
    showBadge: ({ text, color, title }) => {
      void button.setBadgeText({ text });
      void button.setBadgeBackgroundColor({ color });
      void button.setBadgeTextColor({ color: '#ffffff' });
      void button.setTitle({ title });
    },
  };
}
