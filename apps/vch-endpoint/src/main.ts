import { VicError, describeError, isVicError } from '@vic/errors';
import { createLogger } from '@vic/log';
import { decodeVchConfiguration, decodeVchSecrets } from '@vic/vch';
import { MachineDirectory } from './machine-directory.ts';
import { serve } from './serve.ts';

if (Number(process.versions.node.split('.')[0]) < 26) {
  console.error(`vch-endpoint needs Node.js 26 or newer; this is ${process.version}.`);
  process.exit(1);
}

const path = process.env['VIC_VM_DIRECTORY'];
if (path === undefined || path === '') {
  console.error('vch-endpoint is started by powering on an endpoint VM; vic-machine create makes one.');
  process.exit(2);
}

const directory = new MachineDirectory(path);
const ending = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.once(name, () => ending.abort(new Error(`Ended by ${name}.`)));
}

try {
  const guestinfo = await directory.guestinfo();
  const configuration = decodeVchConfiguration(guestinfo);
  if (configuration === undefined) {
    throw new VicError({
      class: 'DataLoss',
      code: 'ENDPOINT_WITHOUT_CONFIGURATION',
      message: 'The endpoint VM carries no configuration of a virtual container host.',
      remedy: 'Start it by vic-machine create, which makes the VM with its configuration.',
    });
  }
  const logger = createLogger({ name: 'vch-endpoint', level: configuration.debug > 0 ? 'debug' : 'info' });
  const secrets = decodeVchSecrets(guestinfo);
  const build = {
    version: configuration.createdByVersion,
    commit: process.env['VIC_BUILD_COMMIT'] ?? 'unknown',
    builtAt: process.env['VIC_BUILD_TIME'] ?? new Date(0).toISOString(),
  };
  await serve({ configuration, secrets, directory, build, logger }, ending.signal);
} catch (error) {
  if (!ending.signal.aborted) {
    console.error(`vch-endpoint: ${describeError(error)}`);
    if (!isVicError(error)) console.error(error);
    await directory.report({ status: describeError(error) }).catch(() => undefined);
    process.exitCode = 1;
  }
}
