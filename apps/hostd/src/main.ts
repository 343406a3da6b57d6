import { parseArgs } from 'node:util';
import { describeError, isVicError } from '@vic/errors';
import { readHostdConfiguration } from './configuration.ts';
import { enterNetwork } from './enter-network.ts';
import { serve } from './serve.ts';
import { tearDown } from './tear-down.ts';

const USAGE = `Usage: hostd run --config FILE
       hostd teardown --config FILE

run       sets up the host's network and serves the vSphere API; machines go on when it ends
teardown  powers every machine off and removes the network and everything else of the host`;

if (Number(process.versions.node.split('.')[0]) < 26) {
  console.error(`hostd needs Node.js 26 or newer; this is ${process.version}. In the repository, use ./vic.`);
  process.exit(1);
}

try {
  const { values, positionals } = parseArgs({ options: { config: { type: 'string' } }, allowPositionals: true });
  const [command] = positionals;
  if (values.config === undefined || (command !== 'run' && command !== 'teardown') || positionals.length > 1) {
    console.error(USAGE);
    process.exit(2);
  }
  const configuration = await readHostdConfiguration(values.config);
  if (command === 'teardown') await tearDown(configuration);
  else {
    const network = await enterNetwork(configuration, process);
    await serve(configuration, network);
  }
} catch (error) {
  console.error(`hostd: ${describeError(error)}`);
  if (!isVicError(error)) console.error(error);
  process.exit(1);
}
