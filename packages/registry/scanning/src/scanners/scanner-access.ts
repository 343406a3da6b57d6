import { ShortCache } from '@vic/projects';
import type { AdvisoryFeeds } from '@vic/vulnerabilities';
import { ScannerAdapter } from './scanner-adapter.ts';
import { type ScannerMetadata, builtInMetadata } from './scanner-metadata.ts';
import type { ScannerRegistration } from './scanner-registration.ts';
import type { ScannerRegistrations } from './scanner-registrations.ts';

/** Every list of artifacts asks what its scanner can do. */
const MAX_AGE_MS = 10_000;
const TIMEOUT_MS = 15_000;

/** Talks to the scanner of a registration, ours or another. */
export class ScannerAccess {
  readonly #registrations: ScannerRegistrations;
  readonly #advisories: Pick<AdvisoryFeeds, 'status'>;
  readonly #metadata: ShortCache<string, ScannerMetadata>;

  constructor(deps: {
    readonly registrations: ScannerRegistrations;
    readonly advisories: Pick<AdvisoryFeeds, 'status'>;
    readonly now?: () => number;
  }) {
    this.#registrations = deps.registrations;
    this.#advisories = deps.advisories;
    this.#metadata = new ShortCache({ maxAgeMs: MAX_AGE_MS, now: deps.now ?? Date.now });
  }

  /** What the scanner says about itself, as it was at most some seconds ago. */
  async metadata(registration: ScannerRegistration): Promise<ScannerMetadata> {
    const key = `${registration.uuid} ${registration.updatedAtMs}`;
    return this.#metadata.get(key, async () => {
      if (registration.kind === 'builtin') return this.#builtIn();
      await using adapter = await this.adapter(registration);
      return await adapter.metadata(AbortSignal.timeout(TIMEOUT_MS));
    });
  }

  /** The adapter of a registration, with its credential. */
  async adapter(registration: ScannerRegistration): Promise<ScannerAdapter> {
    const { url, auth, skipCertVerify } = registration;
    return new ScannerAdapter({
      url,
      auth,
      skipCertVerify,
      credential: await this.#registrations.credential(registration),
    });
  }

  async #builtIn(): Promise<ScannerMetadata> {
    const { advisoryCount, modifiedAtMs } = await this.#advisories.status();
    return builtInMetadata({
      'vic.scanner/advisory-count': String(advisoryCount),
      ...(modifiedAtMs === undefined
        ? {}
        : { 'harbor.scanner-adapter/vulnerability-database-updated-at': new Date(modifiedAtMs).toISOString() }),
    });
  }
}
