import { isVicError } from '@vic/errors';
import type { Logger } from '@vic/log';
import { refuseVersion, requireVersion, splitVersion } from '@vic/docker-api';
import { Call, commonHeaders } from './call.ts';
import { dockerError, notFound } from './docker-error.ts';
import type { Exchange } from './exchange.ts';
import { type Route, Router } from './route.ts';

/** Answers requests from a table of routes: version, route, handler, and errors in Docker's form. */
export class Dispatcher {
  readonly #router: Router;
  readonly #logger: Logger;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(routes: readonly Route[], options: { readonly logger: Logger; readonly serverVersion: string }) {
    this.#router = new Router(routes);
    this.#logger = options.logger;
    this.#headers = commonHeaders(options.serverVersion);
  }

  /** Answers one request; never rejects. */
  async handle(exchange: Exchange): Promise<void> {
    const [rawPath, search] = splitOnce(exchange.target, '?');
    const { path, version } = splitVersion(rawPath);
    const callOf = (params: Readonly<Record<string, string>>): Call =>
      new Call({ exchange, version, params, query: new URLSearchParams(search), headers: this.#headers });
    try {
      const refusal = refuseVersion(version);
      if (refusal?.plainText === true) return callOf({}).text(400, refusal.message);
      if (refusal !== undefined) return callOf({}).json(400, { message: refusal.message });
      const match = this.#router.find(exchange.method, path);
      if (match === undefined) throw notFound('page not found');
      requireVersion(version, match.route.since ?? '1.24', `"${match.route.method} ${match.route.path}"`);
      await match.route.handler(callOf(match.params));
    } catch (error) {
      this.#answerError(callOf({}), error, `${exchange.method} ${path}`);
    }
  }

  #answerError(call: Call, error: unknown, request: string): void {
    const { status, message } = dockerError(error);
    if (
      status >= 500 &&
      !isVicError(error, { class: 'NotSupported' }) &&
      !isVicError(error, { class: 'Unavailable' })
    ) {
      this.#logger.error('A request failed', {
        request,
        error: error instanceof Error ? (error.stack ?? message) : message,
      });
    }
    if (call.signal.aborted || call.exchange.answered) return;
    if (status === 304) call.empty(304);
    else call.json(status, { message });
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
