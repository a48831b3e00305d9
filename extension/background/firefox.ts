/** Firefox's own interfaces in the form that the parts of the background page use. */
import type { StorageArea } from '../lib/storage.ts';
import type { OpenSocket } from './bridge/socket.ts';
import type { Filter, WebRequest } from './capture/web-request.ts';

function filterOf(filter: browser.webRequest.StreamFilter): Filter {
  return {
    listen({ onData, onStop, onError }) {
      filter.ondata = ({ data }) => onData(data);
      filter.onstop = () => onStop();
      filter.onerror = () => onError();
    },
    write: (data) => filter.write(data),
    disconnect: () => filter.disconnect(),
  };
}

export function webRequestOf(api: typeof browser.webRequest): WebRequest {
  return {
    onBeforeRequest: api.onBeforeRequest,
    onHeadersReceived: api.onHeadersReceived,
    onBeforeRedirect: api.onBeforeRedirect,
    onCompleted: api.onCompleted,
    onErrorOccurred: api.onErrorOccurred,
    filterResponseData: (requestId) => filterOf(api.filterResponseData(requestId)),
  };
}

export const openSocket: OpenSocket = (url) => {
  const socket = new WebSocket(url);
  return {
    listen(listener) {
      socket.onopen = listener === null ? null : () => listener.onOpen();
      socket.onmessage = listener === null ? null : ({ data }) => listener.onMessage(data);
      socket.onclose = listener === null ? null : ({ code, reason }) => listener.onClose(code, reason);
    },
    send: (text) => socket.send(text),
    close: () => socket.close(),
  };
};

/** Firefox 140 has no way to list the names alone. It is done once, at the start. */
export function storageArea(area: typeof browser.storage.local): StorageArea {
  return {
    keys: async () => Object.keys(await area.get(null)),
    get: (keys) => area.get(keys),
    set: (items) => area.set(items),
    remove: (keys) => area.remove(keys),
  };
}
