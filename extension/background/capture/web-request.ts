/** `browser.webRequest`, as far as it is used, so that a test can play the browser. */

export interface RequestDetails {
  requestId: string;
  url: string;
  method: string;
  /** -1 when the request belongs to no tab, as one of a service worker. */
  tabId: number;
  /** 0 for the page itself. */
  frameId: number;
  type: string;
  /** The container of the browser. */
  cookieStoreId?: string | undefined;
  timeStamp: number;
  /** The document that asks; absent for a service worker. */
  documentUrl?: string | undefined;
  /** Who asks. */
  originUrl?: string | undefined;
  frameAncestors?: { url: string }[] | undefined;
}

export interface BeforeRequestDetails extends RequestDetails {
  requestBody?:
    | {
        error?: string | undefined;
        formData?: object | undefined;
        raw?: { bytes?: unknown; file?: string | undefined }[] | undefined;
      }
    | undefined
    | null;
}

export interface HeadersReceivedDetails extends RequestDetails {
  statusCode: number;
  responseHeaders?: { name: string; value?: string | undefined }[] | undefined;
}

export interface FilterListener {
  onData(data: ArrayBuffer): void;
  /** The body has ended. */
  onStop(): void;
  onError(): void;
}

/** A stream filter: every byte of the response comes to it, and reaches the page only by `write`. */
export interface Filter {
  listen(listener: FilterListener): void;
  write(data: ArrayBuffer): void;
  /** The page receives what is left directly. */
  disconnect(): void;
}

export interface WebRequestEvent<Details, Extra extends string> {
  addListener(listener: (details: Details) => undefined, filter: { urls: string[] }, extra?: Extra[]): void;
}

export interface WebRequest {
  onBeforeRequest: WebRequestEvent<BeforeRequestDetails, 'blocking' | 'requestBody'>;
  onHeadersReceived: WebRequestEvent<HeadersReceivedDetails, 'responseHeaders'>;
  onBeforeRedirect: WebRequestEvent<RequestDetails & { redirectUrl: string }, never>;
  onCompleted: WebRequestEvent<RequestDetails, never>;
  onErrorOccurred: WebRequestEvent<RequestDetails & { error: string }, never>;
  filterResponseData(requestId: string): Filter;
}
