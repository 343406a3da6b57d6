import { ANONYMOUS, type Principal } from '@vic/authz';
import { isVicError } from '@vic/errors';
import { type Credentials, basicUserName } from '@vic/rest';
import type { AuditLog } from './audit-log.ts';

/** What {@link FailedSignIns} is composed of. */
export interface FailedSignInsDeps {
  readonly log: Pick<AuditLog, 'record'>;
  /** The present time; the clock's when absent. */
  readonly clock?: () => number;
}

/** One stale password in a script is one record in this time. */
const INTERVAL_MS = 60_000;
/** Names that are noted in that time; whoever tries more of them must not fill the log. */
const MAX_NAMES = 500;

/** Records wrong names and passwords of Basic authentication, each name once a minute. */
export class FailedSignIns {
  readonly #log: Pick<AuditLog, 'record'>;
  readonly #clock: () => number;
  readonly #recordedAtMs = new Map<string, number>();

  constructor({ log, clock = Date.now }: FailedSignInsDeps) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Authenticates as `authenticate` does, below `path`, and records its refusals. */
  recording(
    path: string,
    authenticate: (credentials: Credentials) => Promise<Principal>,
  ): (credentials: Credentials) => Promise<Principal> {
    return async (credentials) => {
      try {
        return await authenticate(credentials);
      } catch (error) {
        if (isVicError(error, { class: 'Unauthenticated' })) await this.#note(credentials, path);
        throw error;
      }
    };
  }

  async #note({ authorization, address, method }: Credentials, path: string): Promise<void> {
    const name = basicUserName(authorization);
    if (name === '' || !this.#isDue(name)) return;
    await this.#log.record({
      ...{ principal: ANONYMOUS, operation: 'login', resourceType: 'user', resource: name, project: undefined },
      ...{ succeeded: false, address, method, path },
    });
  }

  #isDue(name: string): boolean {
    const nowMs = this.#clock();
    for (const [known, atMs] of this.#recordedAtMs) {
      if (nowMs - atMs < INTERVAL_MS) break;
      this.#recordedAtMs.delete(known);
    }
    if (this.#recordedAtMs.has(name) || this.#recordedAtMs.size >= MAX_NAMES) return false;
    this.#recordedAtMs.set(name, nowMs);
    return true;
  }
}
