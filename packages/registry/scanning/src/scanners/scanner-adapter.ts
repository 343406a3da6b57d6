import { delay } from '@vic/async';
import { VicError } from '@vic/errors';
import { HttpClient, type HttpResponse } from '@vic/http-client';
import { MIME, type ScanType, type ScannerMetadata, parseMetadata } from './scanner-metadata.ts';
import type { ScannerAuth } from './scanner-registration.ts';

/** Where an adapter is and how it is asked. */
export interface AdapterAddress {
  readonly url: string;
  readonly auth: ScannerAuth;
  readonly credential: string | undefined;
  readonly skipCertVerify: boolean;
}

/** What an adapter is asked to scan. */
export interface AdapterScan {
  readonly type: ScanType;
  /** One of the capability's report types. */
  readonly mimeType: string;
  readonly registry: { readonly url: string; readonly authorization: string; readonly insecure: boolean };
  readonly artifact: {
    readonly repository: string;
    readonly digest: string;
    readonly tag: string;
    readonly mime_type: string;
    readonly size: number;
  };
}

const MAX_REPORT_BYTES = 64 * 1024 * 1024;
const MAX_ANSWER_BYTES = 1024 * 1024;
const ANSWER_TIMEOUT_MS = 60_000;
const DEFAULT_POLL_S = 5;
const MAX_POLL_S = 60;
const SPDX = 'application/spdx+json';

/** A scanner behind the pluggable scanner API. */
export class ScannerAdapter implements AsyncDisposable {
  readonly #address: AdapterAddress;
  readonly #client: HttpClient;

  constructor(address: AdapterAddress) {
    this.#address = address;
    this.#client = new HttpClient({
      tls: { insecure: address.skipCertVerify },
      userAgent: 'vic-registry',
      headersTimeoutMs: ANSWER_TIMEOUT_MS,
    });
  }

  /** What the adapter says about itself. */
  async metadata(signal: AbortSignal): Promise<ScannerMetadata> {
    const response = await this.#request('/metadata', { accept: MIME.metadata }, signal);
    if (response.status !== 200) throw await failure(response);
    return parseMetadata(await response.json(MAX_ANSWER_BYTES));
  }

  /** Has something scanned and waits for the report: a JSON document in the type asked for. */
  async scan(request: AdapterScan, signal: AbortSignal, log: (line: string) => void): Promise<unknown> {
    const id = await this.#submit(request, signal);
    log(`The scanner accepted the request as ${id}.`);
    const query = request.type === 'sbom' ? `?sbom_media_type=${encodeURIComponent(SPDX)}` : '';
    const path = `/scan/${encodeURIComponent(id)}/report${query}`;
    for (;;) {
      const response = await this.#request(path, { accept: request.mimeType }, signal);
      if (response.status === 200) return response.json(MAX_REPORT_BYTES);
      if (response.status !== 302) throw await failure(response);
      response.discard();
      await delay(pauseOf(response) * 1000, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  async #submit({ type, mimeType, registry, artifact }: AdapterScan, signal: AbortSignal): Promise<string> {
    const parameters = type === 'sbom' ? { parameters: { sbom_media_types: [SPDX] } } : {};
    const body = JSON.stringify({
      registry,
      artifact,
      enabled_capabilities: [{ type, produces_mime_types: [mimeType], ...parameters }],
    });
    const headers = { 'content-type': MIME.scanRequest, accept: MIME.scanResponse };
    const response = await this.#request('/scan', headers, signal, body);
    if (response.status !== 202) throw await failure(response);
    const { id } = (await response.json(MAX_ANSWER_BYTES)) as { readonly id?: unknown };
    if (typeof id === 'string' && id !== '' && id.length <= 256) return id;
    throw new VicError({
      class: 'Unavailable',
      code: 'SCANNER_ANSWER',
      message: 'The scanner gave no id for the scan.',
    });
  }

  async #request(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    body?: string,
  ): Promise<HttpResponse> {
    return this.#client.request({
      method: body === undefined ? 'GET' : 'POST',
      url: `${this.#address.url}/api/v1${path}`,
      headers: { ...headers, ...this.#authorization() },
      ...(body === undefined ? {} : { body }),
      signal,
      // 302 means "not yet" in this API, whatever location it names.
      maxRedirects: 0,
    });
  }

  #authorization(): Readonly<Record<string, string>> {
    const { auth, credential = '' } = this.#address;
    switch (auth) {
      case '':
        return {};
      case 'Basic':
        return { authorization: `Basic ${Buffer.from(credential).toString('base64')}` };
      case 'Bearer':
        return { authorization: `Bearer ${credential}` };
      case 'X-ScannerAdapter-API-Key':
        return { 'X-ScannerAdapter-API-Key': credential };
    }
  }
}

function pauseOf(response: HttpResponse): number {
  const header = response.header('refresh-after') ?? '';
  const seconds = /^\d{1,6}$/.test(header) ? Number(header) : DEFAULT_POLL_S;
  return Math.min(Math.max(seconds, 1), MAX_POLL_S);
}

/** The adapter's own words, cut short. */
async function failure(response: HttpResponse): Promise<VicError> {
  const text = await response.text(MAX_ANSWER_BYTES).catch(() => '');
  let said = text;
  try {
    const json = JSON.parse(text) as { readonly error?: { readonly message?: unknown } };
    if (typeof json.error?.message === 'string') said = json.error.message;
  } catch {
    // Not JSON: the text itself is shown.
  }
  return new VicError({
    class: response.status === 401 || response.status === 403 ? 'FailedPrecondition' : 'Unavailable',
    code: 'SCANNER_REFUSED',
    message: `The scanner answered ${response.status}${said === '' ? '' : `: ${said.trim().slice(0, 500)}`}`,
  });
}
