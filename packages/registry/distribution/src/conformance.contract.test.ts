import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { startTestRegistry } from './testing/test-registry.ts';

const SUITE = join(import.meta.dirname, '../../../../build/peers/bin/oci-conformance');
const missing = !existsSync(SUITE);
const TIMEOUT_MS = 180_000;

describe.skipIf(missing)(`OCI conformance${missing ? ' (not installed: node tools/install-peers.ts)' : ''}`, () => {
  it.each(['1.1', '1.1+dev'])(
    'passes every test of version %s, none skipped',
    async (version) => {
      await using registry = await startTestRegistry({ open: false, sparse: 'all' });
      await using results = await temporaryDirectory('vic-conformance-');
      const { stdout } = await run(SUITE, [], {
        timeoutMs: TIMEOUT_MS,
        okCodes: [0, 1],
        env: {
          OCI_REGISTRY: registry.host,
          OCI_TLS: 'disabled',
          OCI_USERNAME: 'ada',
          OCI_PASSWORD: 'secret',
          OCI_REPO1: 'conformance/repo1',
          OCI_REPO2: 'conformance/deep/repo2',
          OCI_VERSION: version,
          OCI_DATA_SPARSE: 'true',
          OCI_RESULTS_DIR: results.path,
        },
      });
      const summary = stdout.slice(stdout.indexOf('OCI Conformance Result:'));
      expect(summary).toMatch(/^OCI Conformance Result: Pass/);
      for (const outcome of ['Skip', 'FAIL', 'Error']) expect(countOf(summary, outcome), summary).toBe(0);
      expect(countOf(summary, 'Pass')).toBeGreaterThan(900);
    },
    TIMEOUT_MS,
  );
});

function countOf(summary: string, outcome: string): number {
  return Number(new RegExp(`^ {2}${outcome}\\.+: +(\\d+)$`, 'm').exec(summary)?.[1]);
}
