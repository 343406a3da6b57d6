import { createServer } from 'node:net';
import { silentLogger } from '@vic/log';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { type RegistryConfiguration, defaultConfiguration } from '../../apps/registry/src/configuration.ts';
import { startRegistry } from '../../apps/registry/src/serve.ts';

it('a first start that fails on its port leaves the password to the next', async () => {
  await using directory = await temporaryDirectory();
  await using other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const configurationFor = (port: number): RegistryConfiguration => ({
    ...defaultConfiguration(directory.path, {
      externalUrl: 'http://registry.example',
      host: '127.0.0.1',
      port,
      notaryPort: undefined,
    }),
    tls: 'none',
  });
  await expect(startRegistry(configurationFor(address.port), silentLogger())).rejects.toMatchObject({
    code: 'HTTP_CANNOT_LISTEN',
  });
  await using registry = await startRegistry(configurationFor(0), silentLogger());
  expect(registry.administrator).toMatchObject({ name: 'admin', password: expect.stringMatching(/.{12}/) as string });
});
