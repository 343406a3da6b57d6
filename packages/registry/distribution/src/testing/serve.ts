import { once } from 'node:events';
import { startTestRegistry } from './test-registry.ts';

/** Runs a registry for clients to be tried against: `node serve.ts <port> [<directory>] [sparse]`. */
async function main(): Promise<void> {
  const [port = '5000', directory, sparse] = process.argv.slice(2);
  await using registry = await startTestRegistry({
    port: Number(port),
    sparse: sparse === 'sparse' ? 'all' : 'indexes',
    ...(directory === undefined ? {} : { directory }),
  });
  process.stdout.write(`${registry.url}\n`);
  await once(process, 'SIGTERM');
}

await main();
