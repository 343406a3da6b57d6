import { afterAll, beforeAll, describe } from 'vitest';
import type { VimClient } from '../index.ts';
import { collectorTests } from './collector-tests.ts';
import { datastoreTests } from './datastore-tests.ts';
import { inventoryTests } from './inventory-tests.ts';
import { machineTests } from './machine-tests.ts';
import {
  connectTo,
  findPlaces,
  type Places,
  type VimServerQuirks,
  type VimServerSuiteOptions,
  type VimServerUnderTest,
} from './server-under-test.ts';
import { sessionTests } from './session-tests.ts';

/** What the tests of a suite share; read inside tests only, where it has been set up. */
export interface SuiteContext {
  readonly server: VimServerUnderTest;
  readonly client: VimClient;
  readonly places: Places;
  readonly quirks: VimServerQuirks;
  /** A name that no other run uses. */
  readonly unique: (prefix: string) => string;
}

/** What every vSphere host must do for our client, run against a started server. */
export function vimServerSuite(options: VimServerSuiteOptions): void {
  const { unavailable } = options;
  describe.skipIf(unavailable !== undefined)(`VIM server: ${unavailable ?? options.name}`, () => {
    const resources = new AsyncDisposableStack();
    let setUp: Omit<SuiteContext, 'quirks' | 'unique'> | undefined;
    let count = 0;
    beforeAll(async () => {
      const server = resources.use(await options.start());
      const client = resources.use(await connectTo(server));
      setUp = { server, client, places: await findPlaces(client) };
    });
    afterAll(async () => resources.disposeAsync());
    const quirks = options.quirks ?? {};
    const context = (): SuiteContext => {
      if (setUp === undefined) throw new Error('the server under test did not start');
      return { ...setUp, quirks, unique: (prefix) => `${prefix}-${process.pid}-${++count}` };
    };
    sessionTests(context, quirks);
    inventoryTests(context);
    machineTests(context, quirks);
    collectorTests(context, quirks);
    datastoreTests(context, quirks);
  });
}
