import { availableParallelism, totalmem } from 'node:os';
import { defineConfig } from 'vitest/config';

/** What a test file may need, with the machines, databases and registries that it starts. */
const WORKER_BYTES = 1.5 * 2 ** 30;

/**
 * Three projects: `unit` (fast, no isolation, beside the code), `contract` (suites that need a peer
 * program or root), `e2e` (boots real virtual machines, one file at a time).
 */
export default defineConfig({
  test: {
    // By default one processor would be left idle; most of these tests wait for something most of the time.
    maxWorkers: Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / WORKER_BYTES))),
    // The lab of the end-to-end tests is taken down in it: cut short, its machines would stay.
    teardownTimeout: 300_000,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{apps,packages,guest/image,tools}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/fixtures/**', '**/*.contract.test.ts'],
          isolate: false,
          // Nothing takes that long but on a machine that is busy otherwise.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 20_000 } },
        },
      },
      {
        test: {
          name: 'contract',
          include: [
            '{apps,packages,guest/image,tools}/**/*.contract.test.ts',
            'test/contract/**/*.test.ts',
            'test/registry/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**'],
          // As above; what takes seconds here takes a minute there.
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect: { poll: { timeout: 40_000 } },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
          expect: { poll: { timeout: 60_000 } },
        },
      },
    ],
  },
});
